-- derive
-- The planner knows nothing of tables that are minutes old.
analyze benefit;

-- What a search shows of a plan, made once a night: the search itself only picks and orders.
create table search_plan as
with offered as (
    select plan_no, array_agg(distinct search_key order by search_key) as benefits
    from benefit
    join benefit_service using (service_code)
    where network = 'in' and offered in ('medicare', 'mandatory') and search_key is not null
    group by plan_no
)
select plan.plan_no,
       plan.year,
       plan.is_employer,
       plan.plan_type,
       case when plan.is_snp then coalesce(plan.snp_kind, 'Special Needs') when not plan.is_snp then 'None' end as snp,
       case when plan.has_drug_coverage then 'yes' when not plan.has_drug_coverage then 'no' end as drug_coverage,
       coalesce(plan.marketing_name, plan.organization_name, plan.parent_organization) as organization,
       plan.premium_total as premium,
       plan.deductible_medical as medical_deductible,
       plan.deductible_drug as drug_deductible,
       plan.moop_in_network as out_of_pocket_maximum,
       plan.stars_overall as stars,
       coalesce(offered.benefits, '{}') as benefits,
       lower(concat_ws(' ', plan.plan_name, plan.marketing_name, plan.organization_name)) as text,
       -- Places in the orders of search_plans: premium, drug_deductible, out_of_pocket_maximum, stars,
       -- enrollment, name, organization. What is not known comes last; plan_no settles ties.
       array[
           row_number() over (order by plan.premium_total, plan.plan_no),
           row_number() over (order by plan.deductible_drug, plan.plan_no),
           row_number() over (order by plan.moop_in_network, plan.plan_no),
           row_number() over (order by plan.stars_overall desc nulls last, plan.plan_no),
           row_number() over (order by plan.enrollment desc nulls last, plan.plan_no),
           row_number() over (order by plan.plan_name, plan.plan_no),
           row_number() over (order by coalesce(plan.marketing_name, plan.organization_name, plan.parent_organization), plan.plan_no)
       ]::integer[] as places,
       json_build_object(
           'plan_no', plan.plan_no,
           'year', plan.year,
           'contract_id', plan.contract_id,
           'plan_id', plan.plan_id,
           'segment_id', plan.segment_id,
           'name', plan.plan_name,
           'organization', coalesce(plan.marketing_name, plan.organization_name, plan.parent_organization),
           'plan_type', plan.plan_type,
           'snp', case when plan.is_snp then coalesce(plan.snp_kind, 'Special Needs') end,
           'drug_coverage', plan.has_drug_coverage,
           'premium', plan.premium_total,
           'medical_deductible', plan.deductible_medical,
           'drug_deductible', plan.deductible_drug,
           'out_of_pocket_maximum', plan.moop_in_network,
           'stars', plan.stars_overall,
           'stars_words', plan.stars_overall_words,
           'enrollment', plan.enrollment,
           'benefits', coalesce(offered.benefits, '{}')) as card
from plan
left join offered using (plan_no)
order by plan.plan_no;

alter table search_plan add primary key (plan_no);

comment on table search_plan is
    'What search_plans filters by and shows: one row a plan. Made from plan and benefit.';
comment on column search_plan.plan_no is 'Plan; joins plan.plan_no. Its bit in the bitmaps of the search is plan_no - 1.';
comment on column search_plan.year is 'Plan year.';
comment on column search_plan.is_employer is 'True: for an employer''s or a union''s retirees only; not found unless asked for.';
comment on column search_plan.plan_type is 'HMO, Local PPO, Medicare Prescription Drug Plan …; null where unknown.';
comment on column search_plan.snp is 'Kind of special needs plan, or None; null where unknown.';
comment on column search_plan.drug_coverage is 'yes or no: whether the plan covers Part D drugs; null where unknown.';
comment on column search_plan.organization is 'Who sells it, under the name that people know (marketing name, else the legal one).';
comment on column search_plan.premium is 'Premium, US dollars a month, Part C and Part D together.';
comment on column search_plan.medical_deductible is 'Medical deductible, US dollars a year.';
comment on column search_plan.drug_deductible is 'Drug deductible, US dollars a year.';
comment on column search_plan.out_of_pocket_maximum is 'Most that a member pays in the network, US dollars a year.';
comment on column search_plan.stars is 'Overall star rating, 1 to 5 in halves; null where CMS gives none.';
comment on column search_plan.benefits is 'benefit_service.search_key of all that the plan adds for all members (not what costs an extra premium).';
comment on column search_plan.text is 'Name of plan and organisation in lower case, for name search.';
comment on column search_plan.places is 'Place of the plan in each order, from 1: premium, drug_deductible, out_of_pocket_maximum, stars, enrollment, name, organization.';
comment on column search_plan.card is 'The plan as search_plans returns it, in JSON.';

-- check: plans are numbered from 1 without a gap, for bitmaps hold a bit for each number
select count(*), max(plan_no) from search_plan having count(*) <> coalesce(max(plan_no), 0);
