-- What the benchmark asks, made in a copy of the build: nothing here touches the live database.
-- A release at a small scale has whole plans, networks and formularies, and fewer plans: one county is
-- given a hundred of them, which is what a large county has.
\set ON_ERROR_STOP on
set client_min_messages = warning;
select setseed(0.42);

create table bench_county as
select c.county_code, min(z.zip) as zip, min(s.fipscounty) as fips
from (select county_code, count(*) as plans from plan_county group by county_code) as c
join ssa_fips_county s on s.ssacounty = c.county_code
join zip_county z on z.fips = s.fipscounty
group by c.county_code, c.plans
order by c.plans desc, c.county_code
limit 1;

insert into plan_county
select b.county_code, p.plan, 'county'
from bench_county b
cross join (select plan from plan where not is_suppressed and pricing_plan_key is not null
            order by plan limit 100) as p
on conflict do nothing;

-- Fills of drugs that the plan prices, at pharmacies of its network.
create table bench_fill as
select row_number() over ()::integer as id, p.plan, i.ndc as drug, f.npi as pharmacy,
       i.days_supply::integer as days,
       (array['deductible', 'initial', 'initial', 'initial', 'catastrophic'])[1 + floor(random() * 5)::integer] as phase,
       i.days_supply::numeric as quantity
from (select p.*, row_number() over (order by random()) as nth from plan p
      where network_plan_key is not null and pricing_plan_key is not null
      order by nth limit 100) as p
cross join lateral (select ndc, days_supply
                    from pricing c join pricing_item i on i.id = c.item_key
                    where c.plan_key = p.pricing_plan_key
                    order by random() limit 50) as i
cross join lateral (select substr(k.pharmacy_number, 3) as npi
                    from (select generate_subscripts(n.terms_keys, 1) as id, unnest(n.terms_keys) as terms_key
                          from pharmacy_networks n
                          where n.plan_key = p.network_plan_key) as n
                    join network_pharmacy k using (id)
                    where n.terms_key <> 0
                    offset floor(random() * 20000)::integer limit 1) as f;
alter table bench_fill add primary key (id);

-- Baskets of five drugs that most plans of the county cover, two of them for 90 days.
create table bench_basket as
with common as (
    select b.ndc, row_number() over (order by count(distinct p.plan) desc, b.ndc) as nth
    from plan_county c
    join bench_county using (county_code)
    join plan p on p.plan = c.plan
    join basic_drugs_formulary b on b.formulary_id = p.formulary_id
    group by b.ndc
    order by nth limit 1000
), drawn as (
    select g.id, d.place, (select ndc from common
                           where nth = 1 + (hashint4(g.id * 31 + d.place) & 2147483647)
                                           % (select count(*) from common)) as ndc
    from generate_series(1, 500) as g (id), generate_series(1, 5) as d (place)
)
select d.id,
       jsonb_agg(jsonb_build_object('drug', d.ndc,
                                    'days_supply', case when d.place > 3 then 90 else 30 end,
                                    'quantity', case when d.place > 3 then 90 else 30 end)
                 order by d.place) as basket,
       (select b.pharmacy from bench_fill b where b.id = 1 + d.id % (select count(*) from bench_fill))
           as pharmacy
from drawn d
group by d.id;
alter table bench_basket add primary key (id);
analyze bench_fill, bench_basket, bench_county, plan_county;
