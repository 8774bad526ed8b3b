-- pre-data
-- 54 million rows: plan and item (drug and days of supply) are keys. The days
-- are in the item and not in the row: with them the row would be eight bytes longer, and its key too.
-- View price gives CMS's columns back.
create table pricing (
    item_key  integer  not null,
    plan_key  smallint not null,
    unit_cost numeric(12,6)
);

comment on table pricing is
    'Average price of a drug in a plan, over the retail pharmacies in its area: one row a plan, drug and days of supply, as keys into pricing_plan and pricing_item; view price has CMS''s columns. Part D quarterly release, pricing file; monthly releases have none. [layout]';
comment on column pricing.item_key is
    'Drug and days of supply; joins pricing_item.id. Given anew in every build. [layout]';
comment on column pricing.plan_key is
    'Plan; joins pricing_plan.id. Given anew in every build. [layout]';
comment on column pricing.unit_cost is
    'Average price of one unit (tablet, millilitre …), US dollars, without the dispensing fee. [layout]';

create table pricing_plan (
    id          smallint not null,
    contract_id text not null,
    plan_id     text not null,
    segment_id  text not null
);

comment on table pricing_plan is
    'Plans that the pricing file names: one row a plan. Table plan has all plans. [layout]';
comment on column pricing_plan.id is
    'Number of the plan in this build; pricing.plan_key. [layout]';
comment on column pricing_plan.contract_id is
    'CMS contract; with plan_id and segment_id the plan key, joins plan_information. [layout]';
comment on column pricing_plan.plan_id is
    'Plan within the contract, three digits. [layout]';
comment on column pricing_plan.segment_id is
    'Segment of the plan, three digits; 000 where the plan has none. [layout]';

create table pricing_item (
    id          integer not null,
    ndc         text not null,
    days_supply smallint not null
);

comment on table pricing_item is
    'What the pricing file prices: one row a drug and days of supply. [layout]';
comment on column pricing_item.id is
    'Number of the item in this build; pricing.item_key. [layout]';
comment on column pricing_item.ndc is
    'National drug code, 11 digits without hyphens; joins basic_drugs_formulary.ndc. [layout]';
comment on column pricing_item.days_supply is
    'Days: 30, 60 or 90. The cost tables hold a code instead (1, 4, 2). [layout]';

create view price as
select p.contract_id, p.plan_id, p.segment_id, i.ndc, i.days_supply, c.unit_cost
from pricing c
join pricing_plan p on p.id = c.plan_key
join pricing_item i on i.id = c.item_key;

comment on view price is
    'Average price of a drug in a plan, over the retail pharmacies in its area, in CMS''s columns: one row a plan, drug and days of supply. [layout]';
comment on column price.contract_id is
    'CMS contract; with plan_id and segment_id the plan key, joins plan_information. [layout]';
comment on column price.plan_id is
    'Plan within the contract, three digits. [layout]';
comment on column price.segment_id is
    'Segment of the plan, three digits; 000 where the plan has none. [layout]';
comment on column price.ndc is
    'National drug code, 11 digits without hyphens; joins basic_drugs_formulary.ndc. [layout]';
comment on column price.days_supply is
    'Days: 30, 60 or 90. The cost tables hold a code instead (1, 4, 2). [layout]';
comment on column price.unit_cost is
    'Average price of one unit (tablet, millilitre …), US dollars, without the dispensing fee. [layout]';

-- post-data
create unique index pricing_key on pricing (plan_key, item_key) with (fillfactor = 100);
alter table pricing_plan add primary key (id);
create unique index pricing_plan_key on pricing_plan (contract_id, plan_id, segment_id);
alter table pricing_item add primary key (id);
create unique index pricing_item_key on pricing_item (ndc, days_supply);

-- check: days and NDC are what CMS defines
select ndc, days_supply
from pricing_item
where days_supply not in (30, 60, 90) or ndc !~ '^[0-9]{11}$';

-- check: in the first rows and in a sample of pages, no price is below zero and every key has its entry
-- Not a scan, for the same reason as in pharmacy_networks.
select c.plan_key, c.item_key, c.unit_cost
from (
    (select * from pricing limit 10000)
    union all
    (select * from pricing tablesample system (0.1) repeatable (1) limit 100000)
) as c
left join pricing_plan p on p.id = c.plan_key
left join pricing_item i on i.id = c.item_key
where c.unit_cost < 0 or p.id is null or i.id is null;
