-- pre-data
create table landscape (
    contract_year        smallint not null,
    state                text not null,
    county_name          text not null,
    contract_id          text not null,
    plan_id              text not null,
    segment_id           text not null,
    part_c_premium       numeric(10,2),
    part_c_premium_words text
);

comment on table landscape is
    'Landscape: the premium of a plan''s medical part, one row a plan and county (drug plans: one row a plan and state). CMS''s own list for shoppers: plans for employers, PACE and Part B only plans are not in it. planinfo has all of its columns. [layout]';
comment on column landscape.contract_year is
    'Contract year. [layout]';
comment on column landscape.state is
    'State or territory, two letters. [layout]';
comment on column landscape.county_name is
    'County by name, without the word County; All Counties for drug plans, which have one row a state. [layout]';
comment on column landscape.contract_id is
    'CMS contract: a letter and four digits. [layout]';
comment on column landscape.plan_id is
    'Plan within the contract, three digits with leading zeros. [layout]';
comment on column landscape.segment_id is
    'Segment without leading zeros; 0 where the plan has none. plan.segment_id has three digits. [layout]';
comment on column landscape.part_c_premium is
    'Monthly Part C premium, US dollars, net of rebates. [layout]';
comment on column landscape.part_c_premium_words is
    'What stands in its place where it is no amount: Not Applicable for drug plans. [layout]';

-- post-data
-- No primary key: CMS names counties, it does not number them, and has repeated a plan and county.
create index landscape_plan on landscape (contract_id, plan_id, segment_id);

-- check: a plan has one Part C premium in all of its counties
select contract_id, plan_id, segment_id, min(part_c_premium), max(part_c_premium)
from landscape
group by contract_id, plan_id, segment_id
having min(part_c_premium) <> max(part_c_premium);
