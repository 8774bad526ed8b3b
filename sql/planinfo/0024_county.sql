-- derive
create table county (
    county_fips      text not null,
    county_ssa       text,
    county_ssa_codes text[] not null,
    name             text,
    state            text not null,
    state_name       text,
    ma_region_code   text,
    pdp_region_code  text,
    cbsa             text,
    cbsa_name        text
);

insert into county (county_fips, county_ssa, county_ssa_codes, name, state, state_name,
    ma_region_code, pdp_region_code, cbsa, cbsa_name)
with said as (
    select fipscounty as county_fips, ssacounty as county_ssa, county as name, state,
        cbsa, cbsaname as cbsa_name
    from ssa_fips_county
    -- A row that stands for the state is no county.
    where county is distinct from 'STATEWIDE'
    union all
    -- The county file has no territory but Puerto Rico; its names are in capitals, these are not.
    select distinct fips, null, county, state, null, null
    from zip_place
    where fips is not null
      and state is not null
), counted as (
    select county_fips, min(county_ssa) as county_ssa,
        coalesce(array_agg(county_ssa order by county_ssa) filter (where county_ssa is not null), '{}')
            as county_ssa_codes,
        -- Sorted last in C: the name with small letters.
        max(name collate "C") as name,
        min(state) as state, min(cbsa) as cbsa, min(cbsa_name) as cbsa_name
    from said
    group by county_fips
)
select c.county_fips, c.county_ssa, c.county_ssa_codes,
    case when c.name = upper(c.name) then initcap(c.name) else c.name end,
    c.state, s.name, ma.region_code, pd.region_code, c.cbsa, c.cbsa_name
from counted as c
left join state as s on s.state = c.state
left join region_state as ma on ma.region_type = 'MA' and ma.state = c.state
left join region_state as pd on pd.region_type = 'PD' and pd.state = c.state;

alter table county add primary key (county_fips);
create index county_ssa_codes on county using gin (county_ssa_codes);
create index county_name on county (state, lower(name));

comment on table county is
    'Counties, one row a FIPS code, with their SSA codes and the regions they lie in. From ssa_fips_county; territories and readable names from zip_place.';
comment on column county.county_fips is
    'FIPS county code, five digits; joins plan_county.county_fips and zip_place.fips.';
comment on column county.county_ssa is
    'SSA county code, five digits; the lowest where there are several; null for territories that the county file lacks.';
comment on column county.county_ssa_codes is
    'All SSA county codes of the county: Los Angeles (06037) has 05200 and 05210.';
comment on column county.name is
    'Name of the county without the word County, in small letters where a file has it so.';
comment on column county.state is
    'State, two letters; joins state.state.';
comment on column county.state_name is
    'Name of the state.';
comment on column county.ma_region_code is
    'Medicare Advantage region, two digits; regional PPOs are sold by it. Null where no loaded file names the region of the state.';
comment on column county.pdp_region_code is
    'Prescription drug plan region, two digits; drug plans are sold by it. Null where no loaded file names the region of the state.';
comment on column county.cbsa is
    'Core based statistical area, five digits; null outside of any.';
comment on column county.cbsa_name is
    'Name of the core based statistical area.';

-- check: every county of the county file is here, with all its SSA codes
select f.ssacounty, f.fipscounty
from ssa_fips_county as f
left join county as c on c.county_fips = f.fipscounty and f.ssacounty = any (c.county_ssa_codes)
where f.county is distinct from 'STATEWIDE'
  and c.county_fips is null;

-- check: every county of a postal code is here
select z.zip, z.fips
from zip_place as z
left join county as c on c.county_fips = z.fips
where c.county_fips is null
  and z.state is not null;
