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

analyze geographic_locator, plan_area, plan_information, service_area, enrollment_cpsc, ssa_fips_county;

create table ssa_county (
    county_ssa  text not null,
    county_fips text,
    name        text,
    state       text,
    state_name  text,
    found_by    text
);

insert into ssa_county (county_ssa, county_fips, name, state, state_name, found_by)
with said as (
    -- Every SSA code that a file has, with the name that the newest files give it.
    select county_code as county_ssa, county as name, statename as state_name, 1 as place
    from geographic_locator
    union all
    select distinct county_code, county, null, 2 from plan_area
    union all
    select distinct ssa_code, county, null, 3 from service_area where ssa_code is not null
    union all
    select distinct county_code, null, null, 4 from plan_information where county_code is not null
    union all
    select ssacounty, county, null, 5 from ssa_fips_county where county is distinct from 'STATEWIDE'
), code as (
    select county_ssa,
        (array_agg(name order by place) filter (where name is not null))[1] as name,
        min(state_name) as state_name
    from said
    group by county_ssa
), monthly as (
    -- CMS's monthly files have both codes of a county. The crosswalk is older, and knows more of them.
    select ssa_code as county_ssa, min(fips_code) as county_fips
    from (
        select ssa_code, fips_code from service_area
        union
        select ssa_code, fips_code from enrollment_cpsc
        where ssa_code not in (select ssacounty from ssa_fips_county)
    ) as both_codes
    where ssa_code is not null and fips_code is not null
    group by ssa_code
    having count(distinct fips_code) = 1
), placed as (
    select code.*, state.state, coalesce(code.state_name, state.name) as called,
        county_spelling(code.name) as spelling
    from code
    left join state on state.state_ssa = left(code.county_ssa, 2)
), named as (
    select state, county_spelling(name) as spelling, min(county_fips) as county_fips
    from county
    group by 1, 2
    having count(*) = 1
), known as (
    select p.*,
        -- Two where the crosswalk has two for the code.
        c.county_fips as by_crosswalk,
        m.county_fips as by_month,
        n.county_fips as by_name
    from placed as p
    left join county as c on c.county_ssa_codes @> array[p.county_ssa]
    left join monthly as m on m.county_ssa = p.county_ssa
        and exists (select from county where county_fips = m.county_fips)
    left join named as n on n.state = p.state and n.spelling = p.spelling
), alone as (
    -- A territory that is one county in CMS's files and in the postal codes', whatever they call it.
    select k.state, min(c.county_fips) as county_fips
    from known as k
    join county as c on c.state = k.state
    group by k.state
    having count(distinct k.county_ssa) = 1 and count(distinct c.county_fips) = 1
)
select k.county_ssa, coalesce(k.by_crosswalk, k.by_month, k.by_name, a.county_fips),
    k.name, k.state, k.called,
    case when k.by_crosswalk is not null then 'crosswalk'
         when k.by_month is not null then 'monthly file'
         when k.by_name is not null then 'name'
         when a.county_fips is not null then 'only one' end
from known as k
left join alone as a using (state);

create unique index ssa_county_key on ssa_county (county_ssa, county_fips) nulls not distinct;
create index ssa_county_fips on ssa_county (county_fips) where county_fips is not null;
analyze ssa_county;

comment on table ssa_county is
    'SSA county codes that a loaded file has, and the FIPS county that each stands for: one row a code, or two where the county file has two for it. By the county file; else by CMS''s monthly files, which have both codes; else by the name that CMS gives the county, within its state.';
comment on column ssa_county.county_ssa is
    'SSA county code, five digits: CMS''s own numbering.';
comment on column ssa_county.county_fips is
    'FIPS county code; joins county.county_fips. Null where no file tells: plans that are sold there by this code are in no county here.';
comment on column ssa_county.name is
    'Name of the county as the newest file that has the code spells it.';
comment on column ssa_county.state is
    'State, two letters; joins state.state.';
comment on column ssa_county.state_name is
    'Name of the state.';
comment on column ssa_county.found_by is
    'How the FIPS code is known: crosswalk, the county file has it; monthly file, service_area or enrollment_cpsc; name, the county has the name in its state; only one, state and files have a single county. Null where it is not.';

-- check: the county file numbers the counties of every state as CMS does now; else land a newer one
-- CMS renumbers counties (Connecticut, Alaska). A whole state under codes that the county file does not have,
-- or has for other counties, is no slip: its counties may have been cut otherwise, too.
select s.state_name, count(*) as counties, count(*) filter (where s.is_numbered) as in_county_file,
    count(*) filter (where s.is_another) as other_name_there
from (
    select c.state_name, c.found_by in ('crosswalk', 'monthly file') is true as is_numbered,
        -- Spellings differ in their ends, numbers that moved on in their beginnings.
        left(county_spelling(f.county), 4) <> left(county_spelling(c.name), 4) as is_another
    from ssa_county as c
    left join ssa_fips_county as f on f.ssacounty = c.county_ssa
    where c.county_ssa in (select county_code from plan_information
                           union select county_code from plan_area
                           union select county_code from geographic_locator)
      and left(c.county_ssa, 2) in (select ssastate from ssa_fips_county)
) as s
group by s.state_name
having 2 * count(*) filter (where s.is_numbered) < count(*)
    or 2 * count(*) filter (where s.is_another) > greatest(count(*), 4);
