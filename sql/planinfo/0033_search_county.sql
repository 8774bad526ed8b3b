-- derive
create table search_county as
with size as (
    select max(plan_no) as plans from search_plan
)
select county_fips,
       array_agg(plan_no order by plan_no) as plan_nos,
       plan_bits(plan_no, size.plans) as bits
from plan_county, size
group by county_fips;

alter table search_county add primary key (county_fips);

comment on table search_county is
    'The plans sold in a county, as a list and as a bitmap: one row a county. Made from plan_county.';
comment on column search_county.county_fips is 'FIPS code of the county; joins county.county_fips.';
comment on column search_county.plan_nos is 'Plans sold there, for employers included; join search_plan.plan_no.';
comment on column search_county.bits is 'Bit plan_no - 1 is set for each of them.';
