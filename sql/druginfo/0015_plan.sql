-- derive
create table plan as
with years as materialized (
    select formulary_id, min(contract_year) as contract_year
    from basic_drugs_formulary
    group by formulary_id
), premium as materialized (
    select contract_id, plan_id, lpad(segment_id, 3, '0') as segment_id,
           max(part_c_premium) as part_c
    from landscape
    group by contract_id, plan_id, lpad(segment_id, 3, '0')
), preferred as materialized (
    -- Cost type 0: not offered. Where no tier offers a preferred cost share, no pharmacy is preferred.
    select contract_id, plan_id, segment_id,
           coalesce(bool_or(cost_type_pref <> 0), false) as retail,
           coalesce(bool_or(cost_type_mail_pref <> 0), false) as mail
    from beneficiary_cost
    group by contract_id, plan_id, segment_id
)
select format('%s-%s-%s', p.contract_id, p.plan_id, p.segment_id) as plan,
       p.contract_id,
       p.plan_id,
       p.segment_id,
       case left(p.contract_id, 1)
           when 'H' then 'local' when 'R' then 'regional' when 'S' then 'pdp' else 'other'
       end as kind,
       min(p.contract_name) as contract_name,
       min(p.plan_name) as plan_name,
       min(p.formulary_id) as formulary_id,
       min(p.premium) as premium,
       min(p.deductible) as deductible,
       min(p.snp) as snp,
       bool_or(p.plan_suppressed_yn) as is_suppressed,
       min(p.ma_region_code) as ma_region_code,
       min(p.pdp_region_code) as pdp_region_code,
       count(p.county_code)::integer as counties,
       -- The newest formulary's year stands in for a formulary that CMS names and does not ship.
       min(coalesce(f.contract_year, (select max(y.contract_year) from years y))) as contract_year,
       min(n.id) as network_plan_key,
       min(c.id) as pricing_plan_key,
       min(m.part_c) as premium_part_c,
       -- A stand-alone drug plan has no medical part; of all others the Part C premium must be known.
       case when left(p.contract_id, 1) = 'S' then min(p.premium)
            else min(p.premium) + min(m.part_c) end as premium_total,
       coalesce(bool_or(r.retail), false) as has_preferred_retail,
       coalesce(bool_or(r.mail), false) as has_preferred_mail
from plan_information p
left join years f using (formulary_id)
left join network_plan n using (contract_id, plan_id, segment_id)
left join pricing_plan c using (contract_id, plan_id, segment_id)
left join premium m using (contract_id, plan_id, segment_id)
left join preferred r using (contract_id, plan_id, segment_id)
group by p.contract_id, p.plan_id, p.segment_id;

alter table plan
    add primary key (contract_id, plan_id, segment_id),
    alter column plan set not null,
    alter column kind set not null,
    alter column is_suppressed set not null,
    alter column counties set not null,
    alter column has_preferred_retail set not null,
    alter column has_preferred_mail set not null;
create unique index plan_plan on plan (plan);
create index plan_formulary_id on plan (formulary_id);
analyze plan;

comment on table plan is
    'Plans with drug coverage: one row a plan, where plan_information has one a plan and county. Derived from plan_information, with the keys of the plan in the network and in the prices. [file]';
comment on column plan.plan is
    'The plan in one word: contract, plan and segment with hyphens, as H1671-001-000. What drug_cost and rank_plans take. [file]';
comment on column plan.contract_id is
    'CMS contract: a letter and four digits. [file]';
comment on column plan.plan_id is
    'Plan within the contract, three digits with leading zeros. [file]';
comment on column plan.segment_id is
    'Segment of the plan, three digits; 000 where the plan has none. [file]';
comment on column plan.kind is
    'How the plan is sold, from the contract''s letter: local (H, by county), regional (R, by Medicare Advantage region), pdp (S, stand-alone drug plan by drug plan region), other. [file]';
comment on column plan.contract_name is
    'Organisation that holds the contract. [file]';
comment on column plan.plan_name is
    'Plan as marketed. [file]';
comment on column plan.formulary_id is
    'Formulary of the plan; joins basic_drugs_formulary.formulary_id. [file]';
comment on column plan.premium is
    'Monthly premium, US dollars. Whether it is the drug part alone for H and R contracts is unverified. [layout]';
comment on column plan.deductible is
    'Yearly deductible for drugs, US dollars. [file]';
comment on column plan.snp is
    'Special needs plan: 0 none, 1 chronic or disabling condition, 2 dual eligible, 3 institutional. [layout]';
comment on column plan.is_suppressed is
    'True where CMS withholds the plan''s data in any county. [layout]';
comment on column plan.ma_region_code is
    'Medicare Advantage region of a regional plan. [layout]';
comment on column plan.pdp_region_code is
    'Drug plan region of a stand-alone plan. [file]';
comment on column plan.counties is
    'Counties that plan_information names for the plan; 0 for regional and stand-alone plans. [file]';
comment on column plan.contract_year is
    'Year of the plan''s formulary, four digits; the newest year in the release where CMS does not ship the formulary. Null without formularies. [file]';
comment on column plan.network_plan_key is
    'pharmacy_networks.plan_key of the plan in this build; null where no network is loaded for it. [layout]';
comment on column plan.pricing_plan_key is
    'pricing.plan_key of the plan in this build; null where no prices are loaded for it. [layout]';
comment on column plan.premium_part_c is
    'Monthly Part C premium, US dollars, net of rebates: landscape. Null for stand-alone drug plans, and where the landscape does not list the plan (plans for employers, PACE). [layout]';
comment on column plan.premium_total is
    'Monthly premium, US dollars: Part C and Part D together, for stand-alone drug plans Part D alone. Null where a part is not known. The Part B premium comes on top. [layout]';
comment on column plan.has_preferred_retail is
    'True where any tier has a cost share of its own at preferred retail pharmacies; else all of the plan''s retail pharmacies are standard ones. From beneficiary_cost. [file]';
comment on column plan.has_preferred_mail is
    'The same for preferred mail order pharmacies. [file]';

create function pharmacy_plans(pharmacy text) returns table (
    plan text,
    is_retail boolean,
    is_preferred_retail boolean,
    is_mail boolean,
    is_preferred_mail boolean,
    is_in_area boolean
)
language sql stable parallel safe
as $$
    select p.plan, t.pharmacy_retail, t.preferred_status_retail, t.pharmacy_mail,
           t.preferred_status_mail, t.in_area_flag
    from plan p
    -- The limit keeps it at one look-up in the key a plan; without, all of the network is read.
    cross join lateral (
        select n.terms_keys[f.id] as terms_key
        from network_pharmacy f
        join pharmacy_networks n on n.plan_key = p.network_plan_key and n.block = f.block
        where f.pharmacy_number = '10' || right(pharmacy_plans.pharmacy, 10)
          and n.terms_keys[f.id] <> 0
        limit 1
    ) as n
    join network_terms t on t.id = n.terms_key
$$;

comment on function pharmacy_plans is
    'Plans in whose network a pharmacy is, and how it serves them. Takes the pharmacy''s NPI.';
