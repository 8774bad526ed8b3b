-- pre-data
-- 54 million rows: a smallint at an even offset costs no padding.
create table pricing (
    contract_id text not null,
    plan_id     text not null,
    segment_id  text not null,
    ndc         text not null,
    days_supply smallint not null,
    unit_cost   numeric(12,6)
);

comment on table pricing is
    'Average price of a drug in a plan, over the retail pharmacies in its area: one row a plan, drug and days of supply. Part D quarterly release, pricing file; monthly releases have none. [layout]';
comment on column pricing.contract_id is
    'CMS contract; with plan_id and segment_id the plan key, joins plan_information. [layout]';
comment on column pricing.plan_id is
    'Plan within the contract, three digits. [layout]';
comment on column pricing.segment_id is
    'Segment of the plan, three digits; 000 where the plan has none. [layout]';
comment on column pricing.ndc is
    'National drug code, 11 digits without hyphens; joins basic_drugs_formulary.ndc. [layout]';
comment on column pricing.days_supply is
    'Days: 30, 60 or 90. The cost tables hold a code instead (1, 4, 2). [layout]';
comment on column pricing.unit_cost is
    'Average price of one unit (tablet, millilitre …), US dollars, without the dispensing fee. [layout]';

-- post-data
alter table pricing add primary key (contract_id, plan_id, segment_id, ndc, days_supply);

-- check: in the first rows and in a sample of pages, days, NDC and price are what CMS defines
-- Not a scan, for the same reason as in pharmacy_networks.
select contract_id, plan_id, segment_id, ndc, days_supply, unit_cost
from (
    (select * from pricing limit 10000)
    union all
    (select * from pricing tablesample system (0.1) repeatable (1) limit 100000)
) as looked_at
where days_supply not in (30, 60, 90)
   or ndc !~ '^[0-9]{11}$'
   or unit_cost < 0;
