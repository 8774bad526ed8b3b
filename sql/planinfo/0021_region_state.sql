-- derive
create table region_state (
    region_type text not null,
    region_code text not null,
    region      text,
    state       text not null
);

-- Regions are whole states (42 CFR 422.455 and 423.112). Three files tell which; each lacks some.
insert into region_state (region_type, region_code, region, state)
with said as (
    -- The Part D release: regions by county.
    select distinct 'MA' as region_type, ma_region_code as region_code, ma_region as region,
        left(county_code, 2) as state_ssa, null as state_name
    from geographic_locator
    union all
    select distinct 'PD', pdp_region_code, pdp_region, left(county_code, 2), null
    from geographic_locator
    union all
    -- Regions by name, which is that of its one state (New York) or of all: "Oregon, Washington",
    -- "Northern New England (New Hampshire and Maine)".
    select region_type, region_code, region, null,
        regexp_split_to_table(
            coalesce(substring(region from '\((.*)\)'), region),
            '\s*,\s*and\s+|\s*,\s*|\s+and\s+')
    from (
        select region_type, ma_or_pdp_region_code as region_code, region from plan_region_area
        union
        select 'MA', ma_region_code, ma_region from geographic_locator
        union
        select 'PD', pdp_region_code, pdp_region from geographic_locator
    ) as named
    union all
    -- Landscape: the state of every row of a plan that is sold by region.
    select distinct 'MA', ma_region_code, ma_region, null, state_name
    from landscape
    where ma_region_code ~ '^[0-9]{2}$'
    union all
    select distinct 'PD', pdp_region_code, pdp_region, null, state_name
    from landscape
    where pdp_region_code ~ '^[0-9]{2}$'
)
select said.region_type, said.region_code, min(trim(said.region)), state.state
from said
join state on state.state_ssa = said.state_ssa or state.name = trim(said.state_name)
where said.region_code is not null
group by said.region_type, said.region_code, state.state;

alter table region_state add primary key (region_type, state, region_code);
create index region_state_code on region_state (region_type, region_code);

comment on table region_state is
    'States of each region: one row a region and state. Regional PPOs (R contracts) are sold in Medicare Advantage regions, drug plans (S contracts) in prescription drug plan regions; both are whole states (42 CFR 422.455, 423.112). From geographic_locator, plan_region_area and landscape together: each names some.';
comment on column region_state.region_type is
    'MA: Medicare Advantage region; PD: prescription drug plan region. The two numberings differ.';
comment on column region_state.region_code is
    'Region, two digits.';
comment on column region_state.region is
    'Name of the region: the states that it joins.';
comment on column region_state.state is
    'State, two letters; joins state.state.';

-- check: a state lies in one region of each kind
select region_type, state, array_agg(region_code) as regions
from region_state
group by region_type, state
having count(*) > 1;

-- check: every region in which a plan is sold has states
select distinct a.region_type, a.ma_or_pdp_region_code, a.region
from plan_region_area as a
left join region_state as r
    on r.region_type = a.region_type and r.region_code = a.ma_or_pdp_region_code
where r.state is null;
