-- The search as one would write it without a thought for speed, straight from plan, plan_county and
-- benefit, and hundreds of filters drawn by chance. search_plans must find the same.

-- Compiling the slow query costs more than running it.
set jit = off;

-- What a plan adds, and the words of its name: gathered once, for a query a plan and filter takes an hour.
create table adds as
select p.plan_no, coalesce(array_agg(distinct search_key) filter (where offered = 'mandatory' and search_key is not null), '{}') as adds
from plan as p
left join benefit on benefit.plan_no = p.plan_no
left join benefit_service using (service_code)
group by p.plan_no;
create table names as
select plan_no, array(select regexp_split_to_table(lower(concat_ws(' ', plan_name, marketing_name, organization_name)), '[^[:alnum:]]+')) as words
from plan;
create index names_plan on names (plan_no);
analyze;

create table asked (
    no integer, zip text, county text, year integer, plan_types text[], snp text[], drug_coverage boolean,
    organizations text[], benefits text[], premium_max numeric, medical_deductible_max numeric,
    drug_deductible_max numeric, out_of_pocket_max numeric, stars_min numeric, name text, employer boolean,
    sort text, page integer, page_size integer
);
select setseed(0.5);
insert into asked
select no,
       case when place < 0.45 then (select zip from zip_county where no = no order by random() limit 1) end,
       case when place between 0.45 and 0.85 then (select county_fips from search_county where no = no order by random() limit 1) end,
       case when random() < 0.2 then 2026 when random() < 0.02 then 1999 end,
       case when random() < 0.3 then (select array_agg(distinct v) from
            (select plan_type as v from plan where no = no order by random() limit 1 + no % 3) as t) end,
       case when random() < 0.2 then array[(array['None', 'Dual-Eligible', 'Institutional', 'no such'])[1 + no % 4]] end,
       case when random() < 0.3 then random() < 0.8 end,
       case when random() < 0.2 then (select array_agg(distinct v) from
            (select marketing_name as v from plan where no = no order by random() limit 1 + no % 4) as t) end,
       case when random() < 0.35 then (select array_agg(distinct v) from
            (select search_key as v from benefit_service where search_key is not null and no = no
             order by random() limit 1 + no % 3) as t) end,
       case when random() < 0.3 then (array[-1, 0, 0, 12.5, 30, 60.1, 1000])[1 + no % 7] end,
       case when random() < 0.15 then (array[0, 100, 450])[1 + no % 3] end,
       case when random() < 0.15 then (array[0, 250, 615])[1 + no % 3] end,
       case when random() < 0.2 then (array[1999, 3000, 5000.5, 7550, 99999])[1 + no % 5] end,
       case when random() < 0.25 then (array[1, 3, 3.5, 4, 4.2, 5, 5.5])[1 + no % 7] end,
       case when random() < 0.2 then (array['golden', 'Silver cho', 'h', '', ' ', 'health 17', 'plus (HMO)', 'zzz', 'gold%', 'é'])[1 + no % 10] end,
       random() < 0.15,
       (array['premium', 'drug_deductible', 'out_of_pocket_maximum', 'stars', 'enrollment', 'name', 'organization'])[1 + no % 7],
       case when random() < 0.2 then 1 + (no % 5) else 1 end,
       (array[1, 10, 20, 100])[1 + no % 4]
from (select no, random() as place from generate_series(1, 500) as no) as drawn;

create function search_slowly(a asked) returns jsonb
    language sql stable
as $$
with place as (
    select a.county as fips where a.county is not null
    union
    select fips from zip_county where a.county is null and zip_county.zip = a.zip
),
candidate as (
    select p.*,
           coalesce(p.marketing_name, p.organization_name) as organization,
           case when p.is_snp then p.snp_kind else 'None' end as kind,
           adds.adds
    from plan as p
    join adds using (plan_no)
    where (a.employer or not p.is_employer)
      and (a.county is null and a.zip is null
           or p.plan_no in (select c.plan_no from plan_county as c join place on place.fips = c.county_fips))
      and not exists (
          select 1
          from regexp_split_to_table(lower(a.name), '[^[:alnum:]]+') as wanted
          where wanted <> ''
            and not exists (
                select 1
                from names, unnest(words) as has
                where names.plan_no = p.plan_no and starts_with(has, wanted)))
),
judged as (
    select c.*,
           coalesce(a.year is null or c.year = a.year, false) as by_year,
           coalesce(a.plan_types is null or c.plan_type = any (a.plan_types), false) as by_type,
           coalesce(a.snp is null or c.kind = any (a.snp), false) as by_snp,
           coalesce(a.drug_coverage is null or c.has_drug_coverage = a.drug_coverage, false) as by_drugs,
           coalesce(a.organizations is null or c.organization = any (a.organizations), false) as by_organization,
           coalesce(a.premium_max is null or c.premium_total <= a.premium_max, false) as by_premium,
           coalesce(a.medical_deductible_max is null or c.deductible_medical <= a.medical_deductible_max, false) as by_medical,
           coalesce(a.drug_deductible_max is null or c.deductible_drug <= a.drug_deductible_max, false) as by_deductible,
           coalesce(a.out_of_pocket_max is null or c.moop_in_network <= a.out_of_pocket_max, false) as by_moop,
           coalesce(a.stars_min is null or c.stars_overall >= a.stars_min, false) as by_stars
    from candidate as c
    where a.benefits is null or a.benefits <@ c.adds
),
counted as (
    select j.*, (by_year::integer + by_type::integer + by_snp::integer + by_drugs::integer + by_organization::integer
                 + by_premium::integer + by_medical::integer + by_deductible::integer + by_moop::integer
                 + by_stars::integer) as passed
    from judged as j
),
found as (
    select *,
           row_number() over (order by
               case a.sort when 'premium' then premium_total when 'drug_deductible' then deductible_drug
                           when 'out_of_pocket_maximum' then moop_in_network when 'stars' then -stars_overall
                           when 'enrollment' then -enrollment end,
               case a.sort when 'name' then plan_name when 'organization' then organization end,
               plan_no) as place
    from counted
    where passed = 10
),
answer (facet, value, ok) as (
    select 'year', year::text, passed - by_year::integer = 9 from counted
    union all select 'plan_type', plan_type, passed - by_type::integer = 9 from counted
    union all select 'snp', kind, passed - by_snp::integer = 9 from counted
    union all select 'drug_coverage', case when has_drug_coverage then 'yes' else 'no' end, passed - by_drugs::integer = 9 from counted
    union all select 'organization', organization, passed - by_organization::integer = 9 from counted
    union all select 'benefit', benefit, passed = 10 from counted, unnest(adds) as benefit
    union all select 'stars', coalesce(stars_overall::text, 'not rated'), passed - by_stars::integer = 9 from counted
    union all
    select 'premium', case when premium_total = 0 then '0' when premium_total <= 25 then '0.01-25' when premium_total <= 50 then '25.01-50'
                           when premium_total <= 100 then '50.01-100' else '100.01-' end,
           passed - by_premium::integer = 9 from counted where premium_total is not null
    union all
    select 'medical_deductible', case when deductible_medical = 0 then '0' when deductible_medical <= 250 then '0.01-250' else '250.01-' end,
           passed - by_medical::integer = 9 from counted where deductible_medical is not null
    union all
    select 'drug_deductible', case when deductible_drug = 0 then '0' when deductible_drug <= 300 then '0.01-300' else '300.01-' end,
           passed - by_deductible::integer = 9 from counted where deductible_drug is not null
    union all
    select 'out_of_pocket_maximum', case when moop_in_network <= 3000 then '0-3000' when moop_in_network <= 5000 then '3000.01-5000'
                                         when moop_in_network <= 7500 then '5000.01-7500' else '7500.01-' end,
           passed - by_moop::integer = 9 from counted where moop_in_network is not null
)
select jsonb_build_object(
    'total', (select count(*) from found),
    'plans', coalesce((select jsonb_agg(plan_no order by place) from found
                       where place > (a.page - 1) * a.page_size and place <= a.page * a.page_size), '[]'),
    'facets', coalesce((select jsonb_object_agg(facet, counts)
                        from (select facet, jsonb_object_agg(value, plans) as counts
                              from (select facet, value, count(*) as plans from answer where ok group by facet, value) as each
                              group by facet) as grouped), '{}'));
$$;

-- The same shape, from the function under test.
create function search_fast(a asked) returns jsonb
    language sql stable
as $$
select jsonb_build_object(
    'total', found -> 'total',
    'plans', (select coalesce(jsonb_agg(card -> 'plan_no' order by place), '[]')
              from jsonb_array_elements(found -> 'plans') with ordinality as page (card, place)),
    'facets', (select coalesce(jsonb_object_agg(facet, (select jsonb_object_agg(one ->> 'value', one -> 'count')
                                                        from jsonb_array_elements(answers) as one)), '{}')
               from jsonb_each(found -> 'facets') as each (facet, answers)))
from search_plans(zip => a.zip, county => a.county, year => a.year, plan_types => a.plan_types, snp => a.snp,
                  drug_coverage => a.drug_coverage, organizations => a.organizations, benefits => a.benefits,
                  premium_max => a.premium_max, medical_deductible_max => a.medical_deductible_max,
                  drug_deductible_max => a.drug_deductible_max, out_of_pocket_max => a.out_of_pocket_max,
                  stars_min => a.stars_min, name => a.name, employer => a.employer, sort => a.sort,
                  page => a.page, page_size => a.page_size) as json,
     lateral (select json::jsonb as found) as parsed;
$$;

-- A page beyond the last is refused (tests/search/mod.rs).
update asked set page = 1
where page > 1 and (page - 1) * page_size >= (search_slowly(asked) ->> 'total')::integer;

create table differs as
select no, fast, slow from (
    select no, search_fast(asked) as fast, search_slowly(asked) as slow from asked
) as both_ways
where fast is distinct from slow;
