-- A planinfo of a whole year, as far as the search reads it: 8,079 plans in 3,244 counties, in the
-- shape of 2026: kinds of plan as CMS's PBP of 2026 counts them, and some 110,000 plan-county pairs
-- of local plans beside those that regions give. Names, prices and places are made up; the same
-- each time. Only columns that the search reads are filled.
select setseed(0.2026);

create table county (
    county_fips text primary key, name text, state text, pdp_region_code text, ma_region_code text, weight double precision
);
-- 51 states of very different size; some counties hold most people.
insert into county
select lpad(state_no::text, 2, '0') || lpad((2 * no - 1)::text, 3, '0'),
       'County ' || no,
       chr(64 + (state_no - 1) / 26 + 1) || chr(65 + (state_no - 1) % 26),
       lpad((1 + state_no * 2 / 3)::text, 2, '0'),
       lpad((1 + state_no / 2)::text, 2, '0'),
       power(random(), 3)
from (select state_no, case when state_no <= 4 then 140 when state_no <= 40 then 68 else 21 end as counties
      from generate_series(1, 51) as state_no) as state,
     generate_series(1, counties) as no;

create table zip_county (zip text not null, fips text not null, county text, state text);
insert into zip_county
select zip, county_fips, name, state
from (select *, row_number() over (order by county_fips, no) as serial
      from county, generate_series(1, 2 + (30 * weight)::integer) as no) as numbered,
     lateral (values (lpad((1000 + serial * 2)::text, 5, '0'))) as made (zip)
union all
-- Every fourth ZIP code reaches into the next county.
select zip, next_fips, null, null
from (select lpad((1000 + serial * 2)::text, 5, '0') as zip, serial, next_fips
      from (select row_number() over (order by county_fips, no) as serial, next_fips
            from (select *, lead(county_fips) over (order by county_fips) as next_fips from county) as c,
                 generate_series(1, 2 + (30 * weight)::integer) as no) as numbered) as every
where serial % 4 = 0 and next_fips is not null;
create index zip_county_zip on zip_county (zip);
-- The counties of a ZIP code, as they are where no code leads to another state.
create view zip_place as select zip, fips from zip_county;

create table plan as
with kind (plan_type, contract_letter, plans) as (values
    ('HMO', 'H', 3056), ('HMOPOS', 'H', 1302), ('Local PPO', 'H', 2502), ('Regional PPO', 'R', 74),
    ('National PACE', 'H', 396), ('1876 Cost', 'H', 45), ('PFFS', 'H', 26), ('MSA', 'H', 19),
    ('Medicare Prescription Drug Plan', 'S', 659)
),
drawn as (
    select plan_type, contract_letter, no,
           floor(180 * power(random(), 2.2))::integer as organization_no,
           random() as r_employer, random() as r_snp, random() as r_premium, random() as r_deductible,
           random() as r_moop, random() as r_stars, random() as r_drug, random() as r_size, random() as r_state
    from kind, generate_series(1, plans) as no
)
select (row_number() over (order by contract_letter, organization_no, plan_type, no))::integer as plan_no,
       2026::smallint as year,
       contract_letter || lpad((1000 + organization_no * 7)::text, 4, '0') as contract_id,
       lpad((no % 1000)::text, 3, '0') as plan_id,
       lpad((no / 1000)::text, 3, '0') as segment_id,
       initcap((array['silver', 'golden', 'harbor', 'prairie', 'summit', 'river', 'cedar', 'liberty', 'sun', 'maple'])
               [1 + organization_no % 10]) || ' '
           || (array['Choice', 'Advantage', 'Complete', 'Value', 'Dual Care', 'Secure', 'Premier', 'Giveback', 'Select'])[1 + no % 9]
           || ' ' || (array['Plus', 'Basic', 'Rx', 'Gold', 'Freedom', 'Essential'])[1 + no % 6]
           || ' (' || plan_type || ')' as plan_name,
       'Organization ' || organization_no || ' Insurance Company' as organization_name,
       initcap((array['silver', 'golden', 'harbor', 'prairie', 'summit', 'river', 'cedar', 'liberty', 'sun', 'maple'])
               [1 + organization_no % 10]) || ' Health ' || organization_no as marketing_name,
       null::text as parent_organization,
       plan_type,
       contract_letter,
       r_employer < 0.18 and plan_type in ('HMO', 'Local PPO', 'HMOPOS', 'Medicare Prescription Drug Plan') as is_employer,
       plan_type in ('HMO', 'Local PPO', 'HMOPOS') and r_snp < 0.2 as is_snp,
       case when r_snp < 0.13 then 'Dual-Eligible' when r_snp < 0.17 then 'Chronic or Disabling Condition' else 'Institutional' end as snp_kind,
       plan_type = 'Medicare Prescription Drug Plan' or r_drug < 0.88 as has_drug_coverage,
       case when plan_type <> 'Medicare Prescription Drug Plan' and r_premium < 0.62 then 0
            else round((5 + 160 * power(r_premium, 3))::numeric, 1) end as premium_total,
       case when r_deductible < 0.8 then 0 else 50 * ceil(r_deductible * 10) end::numeric(10, 2) as deductible_medical,
       case when r_deductible < 0.4 then 0 else 5 * ceil(r_deductible * 123) end::numeric(10, 2) as deductible_drug,
       case when plan_type <> 'Medicare Prescription Drug Plan' then 50 * ceil(40 + r_moop * 145) end::numeric(10, 2) as moop_in_network,
       case when r_stars > 0.15 then 2.5 + floor(r_stars * 6) / 2 end::numeric(2, 1) as stars_overall,
       case when r_stars <= 0.15 then 'Not enough data available' end as stars_overall_words,
       (11 + 90000 * power(r_size, 8))::integer as enrollment,
       1 + floor(51 * power(r_state, 1.3))::integer as state_no,
       lpad((1 + floor(34 * r_state))::text, 2, '0') as pdp_region_code,
       lpad((1 + floor(26 * r_state))::text, 2, '0') as ma_region_code
from drawn;

create table plan_county as
select plan_no, county_fips
from plan
join county on case contract_letter
                   when 'S' then county.pdp_region_code = plan.pdp_region_code
                   when 'R' then county.ma_region_code = plan.ma_region_code
                   -- A local plan takes the large counties of its state first, and the more the larger it is.
                   else left(county_fips, 2) = lpad(state_no::text, 2, '0')
                        and hashtextextended(county_fips, plan_no) % 1000 between
                            0 and 110 + 660 * county.weight * (1 + plan_no % 3) end;
create index plan_county_county on plan_county (county_fips, plan_no);

-- What each plan adds, as often as plans of 2026 do (dental, vision and fitness nearly all of them).
create table benefit as
select plan_no, service_code, 'in'::text as network,
       case when (hashtextextended(search_key, plan_no) & 1023) / 1024.0
                 < case when search_key ~ 'dental_prev|vision|fitness|hearing_exam' then 0.93
                        when search_key ~ 'dental|eyewear|otc|hearing' then 0.8
                        when search_key ~ 'worldwide|physical|telehealth|meals' then 0.6 else 0.25 end
            then 'mandatory' else 'no' end as offered
from plan, benefit_service
where search_key is not null and contract_letter <> 'S';
analyze;
