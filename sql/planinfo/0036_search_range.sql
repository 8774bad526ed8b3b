-- derive
-- "Premium up to 37.50" is one look-up: the bitmap of the highest amount that is not above it.
create table search_range as
with size as (
    select max(plan_no) as plans from search_plan
),
exact as (
    select measure, amount, plan_bits(plan_no, size.plans) as bits
    from search_plan, size,
         lateral (values ('premium', premium), ('medical_deductible', medical_deductible),
                         ('drug_deductible', drug_deductible), ('out_of_pocket_maximum', out_of_pocket_maximum),
                         ('stars', stars)) as measured (measure, amount)
    where amount is not null
    group by measure, amount
)
select measure,
       amount as up_to,
       (bit_or(bits) over (partition by measure order by amount))::bit varying as bits
from exact;

alter table search_range add primary key (measure, up_to);

comment on table search_range is
    'For each amount that occurs, a bitmap of the plans that have this amount or less: the filters by premium, deductible, out of pocket maximum and stars.';
comment on column search_range.measure is 'premium, medical_deductible, drug_deductible, out_of_pocket_maximum (US dollars) or stars.';
comment on column search_range.up_to is 'An amount that at least one plan has.';
comment on column search_range.bits is 'Bit plan_no - 1 is set for each plan with this amount or less; a plan without an amount is in none.';
