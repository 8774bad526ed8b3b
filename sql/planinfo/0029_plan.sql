-- derive
-- The planner knows nothing of tables that are minutes old.
analyze pbp_section, plan_region_area, plan_area, plan_information, landscape, enrollment_by_plan,
    cpsc_contract_info, star_summary;

create table plan (
    plan_no                  integer not null,
    year                     smallint not null,
    contract_id              text not null,
    plan_id                  text not null,
    segment_id               text not null,
    bid_id                   text not null,
    plan_name                text,
    organization_name        text,
    marketing_name           text,
    parent_organization      text,
    organization_type_code   text,
    organization_type        text,
    contract_kind            text not null,
    plan_type_code           text,
    plan_type                text,
    is_employer              boolean not null,
    is_snp                   boolean,
    snp_code                 text,
    snp_kind                 text,
    has_drug_coverage        boolean,
    drug_benefit_code        text,
    drug_benefit_type        text,
    premium_part_c           numeric(10,2),
    premium_part_d           numeric(10,2),
    premium_total            numeric(10,2),
    part_b_reduction         numeric(10,2),
    deductible_medical       numeric(10,2),
    deductible_medical_words text,
    deductible_drug          numeric(10,2),
    moop_in_network          numeric(10,2),
    moop_combined            numeric(10,2),
    stars_year               smallint,
    stars_overall            numeric(2,1),
    stars_overall_words      text,
    stars_part_c             numeric(2,1),
    stars_part_c_words       text,
    stars_part_d             numeric(2,1),
    stars_part_d_words       text,
    enrollment               integer,
    enrollment_words         text,
    enrollment_period        text,
    formulary_id             text,
    ma_region_code           text,
    pdp_region_code          text,
    is_suppressed            boolean,
    in_pbp                   boolean not null,
    in_part_d                boolean not null,
    in_landscape             boolean not null
);

insert into plan
with pbp as (
    select year, contract_id, plan_id, lpad(segment_id, 3, '0') as segment_id,
        max(fields ->> 'pbp_a_plan_type') as plan_type_code,
        max(fields ->> 'orgtype') as organization_type_code
    from pbp_section
    group by 1, 2, 3, 4
), region as (
    select contract_year as year, contract_id, plan_id, lpad(segment_id, 3, '0') as segment_id,
        max(pbp_a_plan_type) as plan_type_code, max(orgtype) as organization_type_code,
        case when count(*) filter (where region_type = 'MA') = 1
             then max(ma_or_pdp_region_code) filter (where region_type = 'MA') end as ma_region_code,
        case when count(*) filter (where region_type = 'PD') = 1
             then max(ma_or_pdp_region_code) filter (where region_type = 'PD') end as pdp_region_code
    from plan_region_area
    group by 1, 2, 3, 4
), area as (
    -- Employers' drug plans (E contracts) are in no other file of PBP.
    select contract_year as year, contract_id, plan_id, lpad(segment_id, 3, '0') as segment_id,
        max(pbp_a_plan_type) as plan_type_code, max(orgtype) as organization_type_code
    from plan_area
    group by 1, 2, 3, 4
), section_a as (
    select year, contract_id, plan_id, lpad(segment_id, 3, '0') as segment_id,
        fields ->> 'pbp_a_plan_name' as plan_name,
        fields ->> 'pbp_a_org_name' as organization_name,
        fields ->> 'pbp_a_org_marketing_name' as marketing_name,
        fields ->> 'pbp_a_eghp_yn' = '1' as is_employer,
        case fields ->> 'pbp_a_special_need_flag' when '1' then true when '2' then false end as is_snp,
        (select part_d_code from plan_code
         where kind = 'snp' and code = fields ->> 'pbp_a_special_need_plan_type') as snp_code
    from pbp_section
    where section = 'section_a'
), section_d as (
    select year, contract_id, plan_id, lpad(segment_id, 3, '0') as segment_id,
        -- A plan for people with Part B only has its premium in the other column.
        coalesce(fields ->> 'pbp_d_mplusc_premium', fields ->> 'pbp_d_mplusc_bonly_premium')
            ::numeric as premium_part_c,
        case fields ->> 'pbp_d_mco_pay_reduct_yn'
            when '1' then (fields ->> 'pbp_d_mco_pay_reduct_amt')::numeric
            when '2' then 0 end as part_b_reduction,
        -- HMOs fill in the in-network deductible, PPOs the annual or combined one, PFFS plans the
        -- one without network; no is a deductible of nothing.
        coalesce(
            (fields ->> 'pbp_d_inn_deduct_amt')::numeric,
            (fields ->> 'pbp_d_ann_deduct_amt')::numeric,
            (fields ->> 'pbp_d_comb_deduct_amt')::numeric,
            (fields ->> 'pbp_d_non_deduct_amt')::numeric,
            case when not asked.yes and asked.no then 0 end) as deductible_medical,
        case fields ->> 'pbp_d_ann_deduct_amt_type'
            when '1' then 'Medicare Part A deductible'
            when '2' then 'Medicare Part B deductible'
            when '3' then 'Medicare Part A and Part B deductible combined' end as deductible_words,
        (fields ->> 'pbp_d_out_pocket_amt')::numeric as moop_in_network,
        coalesce(fields ->> 'pbp_d_comb_max_enr_amt', fields ->> 'pbp_d_maxenr_oopc_amt')
            ::numeric as moop_combined
    from pbp_section
    cross join lateral (
        select bool_or(answer = '1') as yes, bool_or(answer = '2') as no
        from unnest(array[
            fields ->> 'pbp_d_inn_deduct_yn', fields ->> 'pbp_d_ann_deduct_yn',
            fields ->> 'pbp_d_comb_deduct_yn', fields ->> 'pbp_d_non_deduct_yn']) as answer
    ) as asked
    where section = 'section_d'
), mrx as (
    select year, contract_id, plan_id, lpad(segment_id, 3, '0') as segment_id,
        case fields ->> 'mrx_drug_ben_yn' when '1' then true when '2' then false end
            as has_drug_coverage,
        fields ->> 'mrx_benefit_type' as drug_benefit_code,
        case fields ->> 'mrx_alt_ded_charge'
            -- No deductible; the amount is empty then.
            when '3' then 0
            else (fields ->> 'mrx_alt_ded_amount')::numeric end as deductible_drug
    from pbp_section
    where section = 'mrx'
), part_d as (
    -- Rows of a plan differ by county alone; the highest, should CMS ever let them differ.
    select left(period, 4)::smallint as year, contract_id, plan_id, segment_id,
        max(contract_name) as organization_name, max(plan_name) as plan_name,
        max(premium) as premium, max(deductible) as deductible, max(formulary_id) as formulary_id,
        max(snp) as snp_code, max(ma_region_code) as ma_region_code,
        max(pdp_region_code) as pdp_region_code, bool_or(plan_suppressed_yn) as is_suppressed
    from plan_information
    group by 1, 2, 3, 4
), sold as (
    select distinct on (contract_year, contract_id, plan_id, lpad(segment_id, 3, '0'))
        contract_year as year, contract_id, plan_id, lpad(segment_id, 3, '0') as segment_id,
        plan_name, contract_name, organization_marketing_name, parent_organization,
        organization_type, regexp_replace(plan_type, '\s+[CDI]-SNP$', '') as plan_type,
        case snp_indicator when 'Yes' then true when 'No' then false end as is_snp,
        case when snp_type ilike 'chronic%' then '1' when snp_type ilike 'dual%' then '2'
             when snp_type ilike 'institutional%' then '3' end as snp_code,
        case part_d_coverage when 'Yes' then true when 'No' then false end as has_drug_coverage,
        nullif(drug_benefit_type, 'Not Applicable') as drug_benefit_type,
        part_c_premium, part_d_total_premium,
        -- Not applicable where the plan has only one of the two premiums.
        coalesce(consolidated_premium,
            case when consolidated_premium_words is not null
                 then coalesce(part_c_premium, part_d_total_premium) end) as premium_total,
        part_d_deductible, in_network_moop,
        part_c_stars, part_c_stars_words, part_d_stars, part_d_stars_words,
        overall_stars, overall_stars_words,
        nullif(ma_region_code, 'Not Applicable') as ma_region_code,
        nullif(pdp_region_code, 'Not Applicable') as pdp_region_code
    from landscape
    order by contract_year, contract_id, plan_id, lpad(segment_id, 3, '0'), state, county_name
), known as (
    select year, contract_id, plan_id, segment_id from pbp
    union select year, contract_id, plan_id, segment_id from region
    union select year, contract_id, plan_id, segment_id from area
    union select year, contract_id, plan_id, segment_id from part_d
    union select year, contract_id, plan_id, segment_id from sold
), counted as (
    -- By contract and plan: CMS does not count segments.
    select left(period, 4)::smallint as year, * from enrollment_by_plan
    where plan_id is not null
), named as (
    select distinct on (contract_id, plan_id) *
    from cpsc_contract_info
    order by contract_id, plan_id, plan_name
), rated as (
    -- The headings of each year are star_rating's business.
    select s.year, s.contract_id, s.contract_name, s.organization_marketing_name, s.parent_organization,
        s.organization_type,
        max(coalesce(r.stars::text, r.stars_words)) filter (where r.measure_code = 'overall') as overall,
        max(coalesce(r.stars::text, r.stars_words)) filter (where r.measure_code = 'part_c') as part_c,
        max(coalesce(r.stars::text, r.stars_words)) filter (where r.measure_code = 'part_d') as part_d
    from star_summary as s
    left join star_rating as r
        on r.year = s.year and r.contract_id = s.contract_id and r.kind = 'summary'
    group by s.year, s.contract_id
), stars as (
    -- The rating of the plan's own year; else the newest before it, which is stated.
    select distinct on (k.year, k.contract_id) k.year as plan_year, r.*
    from (select distinct year, contract_id from known) as k
    join rated as r on r.contract_id = k.contract_id and r.year <= k.year
    order by k.year, k.contract_id, r.year desc
)
select
    row_number() over (order by k.year, k.contract_id, k.plan_id, k.segment_id),
    k.year, k.contract_id, k.plan_id, k.segment_id,
    k.contract_id || '_' || k.plan_id || '_' || k.segment_id::integer,
    coalesce(sold.plan_name, part_d.plan_name, section_a.plan_name, counted.plan_name,
        named.plan_name),
    coalesce(sold.contract_name, counted.organization_name, named.organization_name,
        part_d.organization_name, section_a.organization_name, stars.contract_name),
    coalesce(sold.organization_marketing_name, section_a.marketing_name,
        counted.organization_marketing_name, named.organization_marketing_name,
        stars.organization_marketing_name),
    coalesce(sold.parent_organization, counted.parent_organization, named.parent_organization,
        stars.parent_organization),
    coalesce(pbp.organization_type_code, region.organization_type_code,
        area.organization_type_code),
    coalesce(organization.words, sold.organization_type, counted.organization_type,
        named.organization_type, stars.organization_type),
    case left(k.contract_id, 1)
        when 'H' then 'local' when 'R' then 'regional' when 'S' then 'pdp' when 'E' then 'employer'
        else 'other' end,
    type.code,
    coalesce(type.words, sold.plan_type, counted.plan_type, named.plan_type),
    k.plan_id >= '800' or k.contract_id like 'E%' or coalesce(section_a.is_employer, false),
    snp.is_snp,
    snp.code,
    (select words from plan_code where kind = 'snp' and part_d_code = snp.code),
    coalesce(mrx.has_drug_coverage, sold.has_drug_coverage,
        case when part_d.contract_id is not null or type.code in ('29', '30') then true end,
        case coalesce(counted.offers_part_d, named.offers_part_d)
            when 'Yes' then true when 'No' then false end),
    drug.code,
    coalesce(drug.words, sold.drug_benefit_type),
    coalesce(sold.part_c_premium, section_d.premium_part_c),
    coalesce(sold.part_d_total_premium, part_d.premium),
    coalesce(sold.premium_total,
        case
            when k.contract_id like 'S%' then part_d.premium
            when mrx.has_drug_coverage is false then section_d.premium_part_c
            else section_d.premium_part_c + part_d.premium
        end),
    section_d.part_b_reduction,
    section_d.deductible_medical,
    case when section_d.deductible_medical is null then section_d.deductible_words end,
    coalesce(sold.part_d_deductible, part_d.deductible, mrx.deductible_drug),
    coalesce(sold.in_network_moop, section_d.moop_in_network),
    section_d.moop_combined,
    case when rating.from_landscape then k.year else stars.year end,
    rating.overall, rating.overall_words,
    rating.part_c, rating.part_c_words,
    rating.part_d, rating.part_d_words,
    counted.enrollment, counted.enrollment_words, counted.period,
    part_d.formulary_id,
    coalesce(region.ma_region_code, part_d.ma_region_code, sold.ma_region_code),
    coalesce(region.pdp_region_code,
        -- A plan of several regions has none of its own.
        case when region.contract_id is null then coalesce(part_d.pdp_region_code, sold.pdp_region_code) end),
    part_d.is_suppressed,
    coalesce(pbp.contract_id, region.contract_id, area.contract_id) is not null,
    part_d.contract_id is not null,
    sold.contract_id is not null
from known as k
left join pbp using (year, contract_id, plan_id, segment_id)
left join region using (year, contract_id, plan_id, segment_id)
left join area using (year, contract_id, plan_id, segment_id)
left join section_a using (year, contract_id, plan_id, segment_id)
left join section_d using (year, contract_id, plan_id, segment_id)
left join mrx using (year, contract_id, plan_id, segment_id)
left join part_d using (year, contract_id, plan_id, segment_id)
left join sold using (year, contract_id, plan_id, segment_id)
left join counted
    on (counted.year, counted.contract_id, counted.plan_id) = (k.year, k.contract_id, k.plan_id)
left join named on (named.contract_id, named.plan_id) = (k.contract_id, k.plan_id)
left join stars on (stars.plan_year, stars.contract_id) = (k.year, k.contract_id)
cross join lateral (
    select coalesce(pbp.plan_type_code, region.plan_type_code, area.plan_type_code) as plan_type_code
) as filed
left join lateral (
    select code, words
    from (select code, words, landscape as also from plan_code where kind = 'plan_type') as t
    where case when filed.plan_type_code is not null then code = filed.plan_type_code
               when sold.plan_type is not null then sold.plan_type in (words, also)
               else code = case left(k.contract_id, 1) when 'S' then '29' when 'R' then '31' end
          end
) as type on true
left join plan_code as organization
    on organization.kind = 'organization_type'
    and organization.code = coalesce(pbp.organization_type_code, region.organization_type_code,
        area.organization_type_code)
left join plan_code as drug
    on drug.kind = 'drug_benefit'
    and case when mrx.drug_benefit_code is not null then drug.code = mrx.drug_benefit_code
            else drug.words = sold.drug_benefit_type end
left join lateral (
    select coalesce(sold.plan_name, part_d.plan_name, section_a.plan_name, counted.plan_name,
        named.plan_name) as plan_name
) as titled on true
left join lateral (
    -- Special needs plans are coordinated care plans (42 CFR 422.2): no drug plan is one. Where no
    -- file says the kind, the name does: CMS wants the type at its end (42 CFR 422.2262).
    select
        case
            when k.contract_id like 'S%' then false
            else coalesce(sold.is_snp, part_d.snp_code <> '0', section_a.is_snp,
                case named.snp_plan when 'Yes' then true when 'No' then false end,
                titled.plan_name ~ '[CDI]-SNP\)')
        end as is_snp,
        coalesce(sold.snp_code, nullif(part_d.snp_code, '0'), section_a.snp_code,
            case substring(titled.plan_name from '([CDI])-SNP\)')
                when 'C' then '1' when 'D' then '2' when 'I' then '3' end) as code
) as snp on true
left join lateral (
    -- The star tables of the plan's own year, else what Landscape prints, else an older year.
    select
        landscape.wins as from_landscape,
        case when landscape.wins then sold.overall_stars
             when stars.overall ~ '^[1-5](\.[05])?$' then stars.overall::numeric end as overall,
        case when landscape.wins then sold.overall_stars_words
             when stars.overall !~ '[0-9]' then stars.overall end as overall_words,
        case when landscape.wins then sold.part_c_stars
             when stars.part_c ~ '^[1-5](\.[05])?$' then stars.part_c::numeric end as part_c,
        case when landscape.wins then sold.part_c_stars_words
             when stars.part_c !~ '[0-9]' then stars.part_c end as part_c_words,
        case when landscape.wins then sold.part_d_stars
             when stars.part_d ~ '^[1-5](\.[05])?$' then stars.part_d::numeric end as part_d,
        case when landscape.wins then sold.part_d_stars_words
             when stars.part_d !~ '[0-9]' then stars.part_d end as part_d_words
    from (
        select stars.year is distinct from k.year
            and num_nonnulls(sold.overall_stars, sold.overall_stars_words, sold.part_c_stars,
                sold.part_c_stars_words, sold.part_d_stars, sold.part_d_stars_words) > 0 as wins
    ) as landscape
) as rating on true;

alter table plan add primary key (contract_id, plan_id, segment_id, year);
create unique index plan_no on plan (plan_no);
create index plan_pdp_region_code on plan (pdp_region_code) where pdp_region_code is not null;
create index plan_ma_region_code on plan (ma_region_code) where ma_region_code is not null;
analyze plan;

comment on table plan is
    'Plans: one row a year, contract, plan and segment, from every file that names it. Where files disagree, the one that CMS shows to shoppers wins (landscape), then the monthly Part D release (plan_information), then the bid (PBP), then the enrollment files; each column says so. Segments are three digits here, as in Part D.';
comment on column plan.plan_no is
    'Number of the plan in this build, 1 … n in order of the key: a small key for plan_county and search. Not the same from build to build.';
comment on column plan.year is
    'Contract year: of the PBP release, of the period of the Part D release (2026Q2), of Landscape.';
comment on column plan.contract_id is
    'CMS contract: a letter and four digits. H local Medicare Advantage and cost, R regional, S stand-alone drug plan, E employer direct, X fallback.';
comment on column plan.plan_id is
    'Plan within the contract, three digits with leading zeros.';
comment on column plan.segment_id is
    'Segment of the plan, three digits; 000 where the plan has none. PBP and Landscape write 0.';
comment on column plan.bid_id is
    'Contract, plan and segment as PBP and Landscape join them: H0028_017_0.';
comment on column plan.plan_name is
    'Plan as marketed: Landscape, else Part D, else PBP Section A, else enrollment. Null where no loaded file names the plan.';
comment on column plan.organization_name is
    'Legal name of the organization that holds the contract: Landscape, else enrollment, else Part D, else PBP Section A, else the newest star ratings.';
comment on column plan.marketing_name is
    'Name under which the organization sells: Landscape, else PBP Section A, else enrollment, else the newest star ratings, which cut it at 50 characters.';
comment on column plan.parent_organization is
    'Company that owns the organization: Landscape, else enrollment, else the newest star ratings (of stars_year, it may have changed hands since).';
comment on column plan.organization_type_code is
    'Kind of contract, PBP orgtype: 01 local CCP … 10 PDP, 11 regional CCP; 16 (fallback contracts) is not in CMS''s list.';
comment on column plan.organization_type is
    'Kind of contract in words: Local CCP, Regional CCP, PDP, National PACE, 1876 Cost. By the code; where there is none, as Landscape, enrollment or the star ratings say.';
comment on column plan.contract_kind is
    'By the contract''s letter: local (H), regional (R), pdp (S), employer (E), other (X).';
comment on column plan.plan_type_code is
    'Plan type, PBP pbp_a_plan_type: 01 HMO, 02 HMOPOS, 04 local PPO, 09 PFFS, 18 1876 cost, 20 PACE, 29 drug plan, 31 regional PPO. Without PBP by Landscape''s words, else by the contract''s letter.';
comment on column plan.plan_type is
    'Plan type in CMS''s words for the code.';
comment on column plan.is_employer is
    'True where only members of an employer''s or union''s group can join: plan 800 and above, E contracts, and what PBP Section A marks so.';
comment on column plan.is_snp is
    'True for a special needs plan: Landscape, else Part D, else PBP Section A, else enrollment, else the plan''s name, whose end must say so (42 CFR 422.2262). Drug plans never are. Null where nothing tells.';
comment on column plan.snp_code is
    'Kind of special needs plan, in Part D''s codes: 1 chronic or disabling condition, 2 dual eligible, 3 institutional. PBP''s own codes (4, 3, 1) are turned into these.';
comment on column plan.snp_kind is
    'Kind of special needs plan in words.';
comment on column plan.has_drug_coverage is
    'True where the plan covers drugs: PBP mrx_drug_ben_yn, which every plan answers; else Landscape, else being in the Part D release or a drug plan, else enrollment.';
comment on column plan.drug_benefit_code is
    'Kind of drug benefit, PBP mrx_benefit_type: 1 defined standard, 2 actuarially equivalent, 3 basic alternative, 4 enhanced alternative; else by Landscape''s words. Null for employer plans, which do not file it.';
comment on column plan.drug_benefit_type is
    'Kind of drug benefit in words.';
comment on column plan.premium_part_c is
    'Monthly Part C premium, US dollars, net of rebates: Landscape, else PBP Section D (pbp_d_mplusc_premium).';
comment on column plan.premium_part_d is
    'Monthly Part D premium, US dollars, basic and supplemental: Landscape, else plan_information.premium. That the latter is the drug part alone for H and R contracts is CMS''s usage, not written in its layout.';
comment on column plan.premium_total is
    'Monthly premium, US dollars: Landscape''s consolidated premium (its only premium where it has one alone); else the Part C premium of PBP and the Part D premium added, for drug plans the latter alone, for plans without drug coverage the former. Null where a part is unknown. The Part B premium comes on top.';
comment on column plan.part_b_reduction is
    'What the plan takes off the Part B premium, US dollars a month; PBP Section D.';
comment on column plan.deductible_medical is
    'Yearly deductible for medical services, US dollars; 0 where the plan has none. PBP Section D: in-network, else annual, combined, or without network.';
comment on column plan.deductible_medical_words is
    'Whose amount the medical deductible is where PBP gives none: Medicare''s own of Part A, Part B or both.';
comment on column plan.deductible_drug is
    'Yearly Part D deductible, US dollars; 0 where the plan has none: Landscape, else plan_information.deductible, else PBP mrx_alt_ded_amount. Null where the plan covers no drugs or does not file it (employers).';
comment on column plan.moop_in_network is
    'Most that a member pays a year for in-network Part A and B services, US dollars: Landscape (for PFFS plans in and out of network together), else PBP Section D (pbp_d_out_pocket_amt).';
comment on column plan.moop_combined is
    'Most that a member pays a year in and out of network together, US dollars; PBP Section D.';
comment on column plan.stars_year is
    'Year of the star ratings beside: that of the plan, or the newest before it that has landed.';
comment on column plan.stars_overall is
    'Overall star rating of the contract, 1 to 5 in halves: star tables of the plan''s year, else Landscape, else the star tables of stars_year.';
comment on column plan.stars_overall_words is
    'What CMS writes in place of the overall rating: Not Applicable (drug plans), Not enough data available, Plan too new to be measured. Null where there is a rating, or the contract is not rated at all.';
comment on column plan.stars_part_c is
    'Part C summary rating of the contract, 1 to 5 in halves; source as stars_overall.';
comment on column plan.stars_part_c_words is
    'What CMS writes in place of the Part C rating.';
comment on column plan.stars_part_d is
    'Part D summary rating of the contract, 1 to 5 in halves; source as stars_overall.';
comment on column plan.stars_part_d_words is
    'What CMS writes in place of the Part D rating.';
comment on column plan.enrollment is
    'Members of the contract and plan, all its segments together; enrollment_by_plan.';
comment on column plan.enrollment_words is
    'An asterisk where CMS withholds the number: 10 or fewer. Null with enrollment null: CMS does not list the plan.';
comment on column plan.enrollment_period is
    'Month of the enrollment, YYYY_MM.';
comment on column plan.formulary_id is
    'Formulary of the plan, eight digits: druginfo''s basic_drugs_formulary; Part D release.';
comment on column plan.ma_region_code is
    'Medicare Advantage region of a regional plan, two digits; null for others.';
comment on column plan.pdp_region_code is
    'Prescription drug plan region of a drug plan, two digits; null for others, and for plans of several regions, whose regions are in plan_region_area.';
comment on column plan.is_suppressed is
    'True where CMS withholds the plan''s drug data; Part D release. Null where the plan is not in it.';
comment on column plan.in_pbp is
    'True where the PBP release has the plan.';
comment on column plan.in_part_d is
    'True where the Part D release has the plan.';
comment on column plan.in_landscape is
    'True where Landscape has the plan.';

-- check: every plan of every file is here, once
select 'pbp_section' as source, s.contract_id, s.plan_id, s.segment_id
from (select distinct year, contract_id, plan_id, segment_id from pbp_section) as s
left join plan as p
    on (p.year, p.contract_id, p.plan_id, p.segment_id)
     = (s.year, s.contract_id, s.plan_id, lpad(s.segment_id, 3, '0'))
where p.plan_no is null
union all
select 'plan_region_area', s.contract_id, s.plan_id, s.segment_id
from (select distinct contract_year, contract_id, plan_id, segment_id from plan_region_area) as s
left join plan as p
    on (p.year, p.contract_id, p.plan_id, p.segment_id)
     = (s.contract_year, s.contract_id, s.plan_id, lpad(s.segment_id, 3, '0'))
where p.plan_no is null
union all
select 'plan_area', s.contract_id, s.plan_id, s.segment_id
from (select distinct contract_year, contract_id, plan_id, segment_id from plan_area) as s
left join plan as p
    on (p.year, p.contract_id, p.plan_id, p.segment_id)
     = (s.contract_year, s.contract_id, s.plan_id, lpad(s.segment_id, 3, '0'))
where p.plan_no is null
union all
select 'plan_information', s.contract_id, s.plan_id, s.segment_id
from (select distinct period, contract_id, plan_id, segment_id from plan_information) as s
left join plan as p
    on (p.year, p.contract_id, p.plan_id, p.segment_id)
     = (left(s.period, 4)::smallint, s.contract_id, s.plan_id, s.segment_id)
where p.plan_no is null
union all
select 'landscape', s.contract_id, s.plan_id, s.segment_id
from (select distinct contract_year, contract_id, plan_id, segment_id from landscape) as s
left join plan as p
    on (p.year, p.contract_id, p.plan_id, p.segment_id)
     = (s.contract_year, s.contract_id, s.plan_id, lpad(s.segment_id, 3, '0'))
where p.plan_no is null;

-- check: the PBP columns that plan reads have the names of this year
select wanted.section, wanted.name
from (values
    ('mrx', 'mrx_drug_ben_yn'), ('mrx', 'mrx_benefit_type'), ('mrx', 'mrx_alt_ded_amount'),
    ('section_a', 'pbp_a_plan_name'), ('section_a', 'pbp_a_org_name'),
    ('section_a', 'pbp_a_eghp_yn'), ('section_d', 'pbp_d_out_pocket_amt'),
    ('section_d', 'pbp_d_mplusc_premium')
) as wanted (section, name)
where exists (select from pbp_section where section = wanted.section)
  and not exists (
      select from pbp_section where section = wanted.section and fields ? wanted.name);

-- check: a plan type or kind of drug benefit that PBP sends is one that CMS's list has
select year, contract_id, plan_id, segment_id, plan_type_code, drug_benefit_code
from plan
where in_pbp
  and contract_kind not in ('employer', 'other')
  and (plan_type is null or (drug_benefit_code is not null and drug_benefit_type is null));

-- check: a rating is a number or words, not both
select year, contract_id, plan_id, segment_id
from plan
where (stars_overall is not null and stars_overall_words is not null)
   or (stars_part_c is not null and stars_part_c_words is not null)
   or (stars_part_d is not null and stars_part_d_words is not null);

-- check: the total premium is the sum of its parts, to the cent
select year, contract_id, plan_id, segment_id, premium_part_c, premium_part_d, premium_total
from plan
where premium_part_c + premium_part_d <> premium_total;
