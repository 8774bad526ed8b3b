-- derive
-- Names of counties are compared by this: no accents, no word for what kind of county it is, no marks.
create function county_spelling(name text) returns text
language sql immutable parallel safe
as $$
    select regexp_replace(
        regexp_replace(lower(translate(name, 'áéíóúñüÁÉÍÓÚÑÜ', 'aeiounuAEIOUNU')),
            '\s+(county|parish|city and borough|borough|census area|municipality|municipio)$', ''),
        '[^a-z0-9]', '', 'g')
$$;

comment on function county_spelling is
    'A county''s name as names are compared: small letters and digits alone, without accents, blanks, marks and the word for its kind (county, parish, borough, census area, municipality, municipio). Baltimore City stays apart from Baltimore.';

analyze geographic_locator, plan_information, ssa_fips_county, zip_county;

create table ssa_county as
with said as (
    -- Every SSA code that a file has, with the name that the newest files give it.
    select county_code as county_ssa, county as name, statename as state_name, null as state, 1 as place
    from geographic_locator
    union all
    select distinct county_code, null, null, state, 2 from plan_information where county_code is not null
    union all
    select ssacounty, county, null, state, 3 from ssa_fips_county where county is distinct from 'STATEWIDE'
), code as (
    select said.county_ssa,
        (array_agg(said.name order by place) filter (where said.name is not null))[1] as name,
        coalesce(min(said.state), min(numbered.state), min(s.state)) as state,
        coalesce(min(said.state_name), min(s.name)) as state_name
    from said
    left join (select distinct ssastate, state from ssa_fips_county) as numbered
        on numbered.ssastate = left(said.county_ssa, 2)
    left join state as s on s.state_ssa = left(said.county_ssa, 2)
    group by said.county_ssa
), county as (
    select fipscounty as county_fips, state, county as name from ssa_fips_county
    where county is distinct from 'STATEWIDE'
    union
    select fips, state, county from zip_place
), named as (
    select state, county_spelling(name) as spelling, min(county_fips) as county_fips
    from county
    group by 1, 2
    having count(distinct county_fips) = 1
), known as (
    select c.*,
        -- Two where the crosswalk has two for the code.
        f.fipscounty as by_crosswalk,
        n.county_fips as by_name
    from code as c
    left join ssa_fips_county as f on f.ssacounty = c.county_ssa and f.county is distinct from 'STATEWIDE'
    left join named as n on n.state = c.state and n.spelling = county_spelling(c.name)
), alone as (
    -- A territory that is one county in CMS's files and in the postal codes', whatever they call it.
    select k.state, min(c.county_fips) as county_fips
    from known as k
    join county as c on c.state = k.state
    group by k.state
    having count(distinct k.county_ssa) = 1 and count(distinct c.county_fips) = 1
)
select k.county_ssa, coalesce(k.by_crosswalk, k.by_name, a.county_fips) as county_fips,
    k.name, k.state, k.state_name,
    case when k.by_crosswalk is not null then 'crosswalk'
         when k.by_name is not null then 'name'
         when a.county_fips is not null then 'only one' end as found_by
from known as k
left join alone as a using (state);

alter table ssa_county alter column county_ssa set not null;
create unique index ssa_county_key on ssa_county (county_ssa, county_fips) nulls not distinct;
create index ssa_county_fips on ssa_county (county_fips) where county_fips is not null;
analyze ssa_county;

comment on table ssa_county is
    'SSA county codes that a loaded file has, and the FIPS county that each stands for: one row a code, or two where the crosswalk has two for it. By the crosswalk; else by the name that the Part D release gives the county, within its state. Postal codes lead to plans through it.';
comment on column ssa_county.county_ssa is
    'SSA county code, five digits: CMS''s own numbering; joins plan_county.county_code.';
comment on column ssa_county.county_fips is
    'FIPS county code; joins zip_place.fips. Null where no file tells: no postal code leads to the county.';
comment on column ssa_county.name is
    'Name of the county as the newest file that has the code spells it.';
comment on column ssa_county.state is
    'State, two letters.';
comment on column ssa_county.state_name is
    'Name of the state.';
comment on column ssa_county.found_by is
    'How the FIPS code is known: crosswalk; name, the county has the name in its state; only one, state and files have a single county. Null where it is not.';

-- check: the crosswalk numbers the counties of every state as CMS does now; else land a newer one
-- CMS renumbers counties (Connecticut, Alaska). A whole state under codes that the crosswalk does not have,
-- or has for other counties, is no slip: its counties may have been cut otherwise, too.
select coalesce(s.state_name, s.state) as state_name, count(*) as counties,
    count(*) filter (where s.is_numbered) as in_crosswalk,
    count(*) filter (where s.is_another) as other_name_there
from (
    select c.state_name, c.state, c.found_by = 'crosswalk' is true as is_numbered,
        -- Spellings differ in their ends, numbers that moved on in their beginnings.
        left(county_spelling(f.county), 4) <> left(county_spelling(c.name), 4) as is_another
    from ssa_county as c
    left join ssa_fips_county as f on f.ssacounty = c.county_ssa
    where c.county_ssa in (select county_code from plan_county)
      and left(c.county_ssa, 2) in (select ssastate from ssa_fips_county)
) as s
group by coalesce(s.state_name, s.state)
having 2 * count(*) filter (where s.is_numbered) < count(*)
    or 2 * count(*) filter (where s.is_another) > greatest(count(*), 4);

-- check: plans keep their counties in every state in which a file names some
select coalesce(state_name, state) as state_name, count(*) as named, count(county_fips) as found
from ssa_county
where county_ssa in (select county_code from plan_information)
  and exists (select from ssa_fips_county)
group by coalesce(state_name, state)
having count(county_fips) = 0;

-- check: the postal codes of every state in which plans are sold by county lead to such a county
select coalesce(sold.state_name, z.state) as state_name, count(distinct z.zip) as postal_codes
from zip_place as z
join (
    select c.state, min(c.state_name) as state_name
    from ssa_county as c
    where c.county_ssa in (select county_code from plan_information)
      and c.county_fips is not null
    group by c.state
) as sold using (state)
group by coalesce(sold.state_name, z.state)
having not bool_or(z.fips in (
    select c.county_fips from ssa_county as c
    where c.county_ssa in (select county_code from plan_information) and c.county_fips is not null));
