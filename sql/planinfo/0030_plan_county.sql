-- derive
create table plan_county (
    plan_no     integer not null,
    county_fips text not null,
    year        smallint not null,
    contract_id text not null,
    plan_id     text not null,
    segment_id  text not null,
    county_ssa  text,
    state       text not null,
    sold_by     text not null,
    is_employer boolean not null,
    is_partial  boolean
);

analyze plan_area, plan_information, landscape, service_area, zip_county, ssa_fips_county, county;

insert into plan_county (plan_no, county_fips, year, contract_id, plan_id, segment_id, county_ssa,
    state, sold_by, is_employer, is_partial)
with ssa as materialized (
    select county_ssa, county_fips from ssa_county where county_fips is not null
), spelled as materialized (
    -- Landscape names counties; the files say how they may be spelled. A spelling that means two
    -- counties of a state (Baltimore and Baltimore City) counts for the one it is the name of.
    select distinct on (state, spelling) state, spelling, county_fips
    from (
        select state, county as name, fipscounty as county_fips from ssa_fips_county
        where county <> 'STATEWIDE'
        union
        select state, county, fips from zip_place
        union
        select k.state, way.name, c.county_fips
        from county_change as k
        join county as c on c.county_fips in (k.county_fips, k.county_fips_before)
        cross join lateral (values (k.name), (k.name_before)) as way (name)
    ) as n
    cross join lateral (select county_spelling(name) as spelling) as s
    -- Of the two codes of a county that changed the one that the county file has.
    order by state, spelling, length(name),
        not exists (select from ssa_fips_county as f where f.fipscounty = county_fips), county_fips
), by_county as (
    select p.plan_no, said.county_fips,
        bool_and(said.employers_only) as employers_only, bool_or(said.is_partial) as is_partial
    from (
        select a.contract_year as year, a.contract_id, a.plan_id,
            lpad(a.segment_id, 3, '0') as segment_id, ssa.county_fips,
            a.eghp_flag = '1' as employers_only, a.partial_flag = '1' as is_partial
        from plan_area as a
        join ssa on ssa.county_ssa = a.county_code
        union all
        select left(i.period, 4)::smallint, i.contract_id, i.plan_id, i.segment_id,
            ssa.county_fips, false, null
        from plan_information as i
        join ssa on ssa.county_ssa = i.county_code
        union all
        select l.contract_year, l.contract_id, l.plan_id, lpad(l.segment_id, 3, '0'),
            n.county_fips, false, null
        from landscape as l
        join spelled as n on n.state = l.state
            and n.spelling = county_spelling(l.county_name)
        where l.contract_id !~ '^[RS]'
    ) as said
    join plan as p using (year, contract_id, plan_id, segment_id)
    group by p.plan_no, said.county_fips
), by_region as (
    select p.plan_no, s.state,
        min(r.region_type) as region_type, bool_and(r.employers_only) as employers_only
    from (
        select contract_year as year, contract_id, plan_id, lpad(segment_id, 3, '0') as segment_id,
            region_type, ma_or_pdp_region_code as region_code, eghp_flag = '1' as employers_only
        from plan_region_area
        union all
        select distinct left(period, 4)::smallint, contract_id, plan_id, segment_id, 'MA',
            ma_region_code, false
        from plan_information where contract_id like 'R%'
        union all
        select distinct left(period, 4)::smallint, contract_id, plan_id, segment_id, 'PD',
            pdp_region_code, false
        from plan_information where contract_id like 'S%'
        union all
        select distinct contract_year, contract_id, plan_id, lpad(segment_id, 3, '0'), 'MA',
            ma_region_code, false
        from landscape where contract_id like 'R%'
        union all
        select distinct contract_year, contract_id, plan_id, lpad(segment_id, 3, '0'), 'PD',
            pdp_region_code, false
        from landscape where contract_id like 'S%'
    ) as r
    join region_state as s using (region_type, region_code)
    join plan as p using (year, contract_id, plan_id, segment_id)
    group by p.plan_no, s.state
), by_contract as (
    -- Counties of a contract, for its plans of which nothing else is known.
    select a.contract_id, a.fips_code as county_fips,
        bool_and(a.eghp is not distinct from '*') as employers_only,
        bool_or(a.partial is not distinct from '*') as is_partial
    from service_area as a
    where a.fips_code is not null
    group by a.contract_id, a.fips_code
), sold as (
    select b.plan_no, b.county_fips, 'county' as sold_by, b.employers_only, b.is_partial
    from by_county as b
    -- The fallback contract is in both of PBP's files.
    left join (select distinct plan_no from by_region) as regional using (plan_no)
    where regional.plan_no is null
    union all
    select r.plan_no, c.county_fips,
        case r.region_type when 'MA' then 'ma region' else 'pdp region' end,
        r.employers_only, false
    from by_region as r
    join county as c on c.state = r.state
    union all
    select p.plan_no, a.county_fips, 'contract area', a.employers_only, a.is_partial
    from by_contract as a
    join plan as p using (contract_id)
    left join (select distinct plan_no from by_county) as located using (plan_no)
    where p.contract_kind not in ('regional', 'pdp')
      and (p.is_employer or not a.employers_only)
      and located.plan_no is null
)
select p.plan_no, s.county_fips, p.year, p.contract_id, p.plan_id, p.segment_id,
    c.county_ssa, c.state, s.sold_by,
    p.is_employer or coalesce(s.employers_only, false), s.is_partial
from sold as s
join plan as p using (plan_no)
join county as c using (county_fips)
order by p.plan_no, s.county_fips;

alter table plan_county add primary key (plan_no, county_fips);
create index plan_county_county on plan_county (county_fips, plan_no);
create index plan_county_plan on plan_county (contract_id, plan_id, segment_id);

comment on table plan_county is
    'Counties in which each plan is sold: one row a plan and FIPS county. Local plans by county (PBP PlanArea, Part D release, Landscape; where none of them has the plan, the contract''s service area), regional PPOs by Medicare Advantage region, drug plans by prescription drug plan region. Through SSA codes: the two of Los Angeles are one county.';
comment on column plan_county.plan_no is
    'The plan; joins plan.plan_no.';
comment on column plan_county.county_fips is
    'FIPS county code, five digits; joins county.county_fips and zip_place.fips.';
comment on column plan_county.year is
    'Contract year of the plan.';
comment on column plan_county.contract_id is
    'CMS contract of the plan.';
comment on column plan_county.plan_id is
    'Plan within the contract, three digits.';
comment on column plan_county.segment_id is
    'Segment of the plan, three digits; 000 where the plan has none.';
comment on column plan_county.county_ssa is
    'SSA county code, the lowest of the county; null for territories that the county file lacks.';
comment on column plan_county.state is
    'State of the county, two letters.';
comment on column plan_county.sold_by is
    'How it is known: county, a file names plan and county; ma region and pdp region, the county lies in a region of the plan; contract area, the contract may sell there and nothing is known of the plan itself, which may be sold in fewer counties.';
comment on column plan_county.is_employer is
    'True where only members of an employer''s or union''s group can join, by the plan or in this county.';
comment on column plan_county.is_partial is
    'True where the plan covers part of the county only; null where the file does not say.';

-- check: plans keep their counties in every state in which a file names some
select s.state_name, s.source, s.named, s.found
from (
    select state_name, 'plan_information' as source, count(*) as named, count(county_fips) as found
    from ssa_county
    where county_ssa in (select county_code from plan_information)
    group by state_name
    union all
    select state_name, 'plan_area', count(*), count(county_fips)
    from ssa_county
    where county_ssa in (select county_code from plan_area)
    group by state_name
    union all
    -- By name. A row of the state alone (All Counties) names none.
    select l.state_name, 'landscape', count(*), count(*) filter (where exists (
        select from plan_county as pc
        where pc.contract_id = l.contract_id and pc.plan_id = l.plan_id and pc.state = l.state))
    from (
        select distinct state_name, state, contract_id, plan_id
        from landscape
        where contract_id !~ '^[RS]'
    ) as l
    group by l.state_name
) as s
where exists (select from county)
  and s.found = 0;

-- check: nearly every county that CMS names is found
select missed.state_name, missed.source, missed.named, missed.missing
from (
    select *, sum(missing) over (partition by source) as all_missing,
        sum(named) over (partition by source) as all_named
    from (
        select state_name, 'plan_information' as source, count(*) as named,
            count(*) filter (where county_fips is null) as missing
        from ssa_county
        where county_ssa in (select county_code from plan_information)
          and left(county_ssa, 2) in (select ssastate from ssa_fips_county)
        group by state_name
        union all
        -- By name: a plan that has fewer counties here than Landscape names.
        select l.state_name, 'landscape', sum(l.counties),
            sum(greatest(l.counties - coalesce(c.counties, 0), 0))
        from (
            select contract_year as year, contract_id, plan_id, lpad(segment_id, 3, '0') as segment_id,
                state_name, state, count(distinct county_name) as counties
            from landscape
            where contract_id !~ '^[RS]'
            group by 1, 2, 3, 4, 5, 6
        ) as l
        left join (
            select year, contract_id, plan_id, segment_id, state, count(*) as counties
            from plan_county
            group by 1, 2, 3, 4, 5
        ) as c using (year, contract_id, plan_id, segment_id, state)
        where exists (select from county)
        group by l.state_name
    ) as by_state
) as missed
where missed.all_missing > greatest(missed.all_named * 0.02, 5)
  and missed.missing > 0
order by missed.missing desc;

-- check: the postal codes of every state in which plans are sold by county lead to such a county
with local as materialized (
    select distinct county_fips, state from plan_county where sold_by = 'county'
)
select s.name as state_name, count(distinct z.zip) as postal_codes
from zip_place as z
join state as s on s.state = z.state
left join local as l on l.county_fips = z.fips
where z.state in (select state from local)
group by s.name
having count(l.county_fips) = 0;

-- check: a plan is sold in one way
select plan_no, array_agg(distinct sold_by) as ways
from plan_county
group by plan_no
having count(distinct sold_by) > 1;

-- check: regional and drug plans are sold in every county of a state or in none
select p.plan_no, p.state
from (select distinct plan_no, state from plan_county where sold_by in ('ma region', 'pdp region')) as p
join county as c on c.state = p.state
left join plan_county as pc on pc.plan_no = p.plan_no and pc.county_fips = c.county_fips
where pc.plan_no is null
limit 10;
