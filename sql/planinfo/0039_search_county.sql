-- derive
-- The planner knows nothing of tables that are minutes old.
analyze plan_county, search_plan, search_value, search_order;

-- A row is some kilobytes, read at once by every search of a place: not worth packing or moving out.
create table search_county with (toast_tuple_target = 8160) as
with size as (
    select max(plan_no) as plans from search_plan
),
sold as (
    select county_fips,
           array_agg(plan_no order by plan_no) as plan_nos,
           plan_bits(plan_no, size.plans) as bits
    from plan_county, size
    group by county_fips
),
listed as (
    select county_fips, array_agg(plan_no order by sort, place) as ordered
    from plan_county
    join search_order using (plan_no)
    group by county_fips
)
select county_fips,
       plan_nos,
       ordered,
       -- Of the hundreds of organizations few sell in one county: the others need not be counted.
       array(select v.value_no
             from search_value as v
             where v.head is not null and bit_count(v.bits & sold.bits) > 0
             order by v.value_no) as value_nos,
       bits
from sold
join listed using (county_fips);

alter table search_county add primary key (county_fips);

comment on table search_county is
    'The plans sold in a county, as a list and as a bitmap: one row a county. Made from plan_county and search_order.';
comment on column search_county.county_fips is 'FIPS code of the county; joins county.county_fips.';
comment on column search_county.plan_nos is 'Plans sold there, for employers included; join search_plan.plan_no.';
comment on column search_county.ordered is 'The same plans in each order of search_order, one order after the other: to page without sorting.';
comment on column search_county.value_nos is 'Answers that plans sold there give to facets; joins search_value.value_no.';
comment on column search_county.bits is 'Bit plan_no - 1 is set for each of them.';
