-- pre-data
create table plan_area (
    contract_id     text not null,
    plan_id         text not null,
    segment_id      text not null,
    pbp_a_plan_type text,
    orgtype         text,
    county_code     text not null,
    pending_flag    text,
    partial_flag    text,
    contract_year   smallint not null,
    eghp_flag       text,
    county          text,
    stcd            text
);

comment on table plan_area is
    'Where local plans are sold: one row a plan and county, for H and E contracts, employer plans and plans without drug coverage included. PBP release, PlanArea; some 2 million rows. What the file repeats of pbp_section (coverage, bid) and of its own key is not stored. [layout]';
comment on column plan_area.contract_id is
    'CMS contract: a letter and four digits. H local Medicare Advantage and cost, R regional, S stand-alone drug plan, E employer direct, X fallback. [layout]';
comment on column plan_area.plan_id is
    'Plan within the contract, three digits with leading zeros; 800 and above are sold to employers only. [layout]';
comment on column plan_area.segment_id is
    'Segment of the plan, without leading zeros; 0 where the plan has none. [layout]';
comment on column plan_area.pbp_a_plan_type is
    'Plan type, codes as in plan.plan_type_code. [layout]';
comment on column plan_area.orgtype is
    'Kind of contract, codes as in plan.organization_type_code. [layout]';
comment on column plan_area.county_code is
    'SSA county code, five digits; not FIPS. [layout]';
comment on column plan_area.pending_flag is
    '1 where the county is pending approval, 0 otherwise. [layout]';
comment on column plan_area.partial_flag is
    '1 where only part of the county is covered. [layout]';
comment on column plan_area.contract_year is
    'Contract year. [layout]';
comment on column plan_area.eghp_flag is
    '1 where the plan is sold in the county to employer groups only, 0 otherwise. [layout]';
comment on column plan_area.county is
    'Name of the county. [layout]';
comment on column plan_area.stcd is
    'State, two letters. [layout]';

-- post-data
create index plan_area_plan on plan_area (contract_id, plan_id, segment_id);

-- check: contract, plan and segment have the form that joins need
select contract_id, plan_id, segment_id
from plan_area
where contract_id !~ '^[A-Z][0-9]{4}$'
   or plan_id !~ '^[0-9]{3}$'
   or segment_id !~ '^[0-9]{1,3}$';

-- check: county codes have five digits
select contract_id, plan_id, segment_id, county_code
from plan_area
where county_code !~ '^[0-9]{5}$';
