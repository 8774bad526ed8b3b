-- pre-data
create table landscape (
    contract_year                     smallint not null,
    contract_category_type            text,
    us_territory                      text,
    state                             text not null,
    state_name                        text,
    county_name                       text not null,
    contract_id                       text not null,
    plan_id                           text not null,
    segment_id                        text not null,
    contract_plan_id                  text,
    contract_plan_segment_id          text,
    sanctioned_plan                   text,
    parent_organization               text,
    contract_name                     text,
    organization_marketing_name       text,
    organization_type                 text,
    plan_name                         text,
    plan_type                         text,
    snp_indicator                     text,
    snp_type                          text,
    snp_institutional_type            text,
    snp_institutional_category        text,
    dsnp_integration_status           text,
    dsnp_aip_identifier               text,
    csnp_condition_type               text,
    dsnp_zero_dollar                  text,
    part_d_coverage                   text,
    national_pdp                      text,
    drug_benefit_category             text,
    drug_benefit_type                 text,
    de_minimis                        text,
    at_or_below_benchmark             text,
    lis_auto_enrollment               text,
    tier_without_deductible           text,
    part_d_deductible                 numeric(10,2),
    part_d_deductible_words           text,
    part_d_basic_premium              numeric(10,2),
    part_d_basic_premium_words        text,
    part_d_supplemental_premium       numeric(10,2),
    part_d_supplemental_premium_words text,
    part_d_total_premium              numeric(10,2),
    part_d_total_premium_words        text,
    lips_amount                       numeric(10,2),
    lips_amount_words                 text,
    part_d_lips_cms_pays              numeric(10,2),
    part_d_lips_cms_pays_words        text,
    part_d_low_income_premium         numeric(10,2),
    part_d_low_income_premium_words   text,
    part_d_oop_threshold              numeric(10,2),
    part_d_oop_threshold_words        text,
    part_c_premium                    numeric(10,2),
    part_c_premium_words              text,
    consolidated_premium              numeric(10,2),
    consolidated_premium_words        text,
    in_network_moop                   numeric(10,2),
    in_network_moop_words             text,
    part_c_stars                      numeric(2,1),
    part_c_stars_words                text,
    part_d_stars                      numeric(2,1),
    part_d_stars_words                text,
    overall_stars                     numeric(2,1),
    overall_stars_words               text,
    ma_region_code                    text,
    ma_region                         text,
    pdp_region_code                   text,
    pdp_region                        text,
    enrollment_limit_accepted         text,
    enrollment_limit_amount           text
);

comment on table landscape is
    'Landscape: what plans cost and where they are sold, one row a plan and county (drug plans: one row a plan and state). CMS''s own list for shoppers: plans for employers, PACE and Part B only plans are not in it. Header names drift from year to year; the spec knows those of 2025 to 2027. [layout]';
comment on column landscape.contract_year is
    'Contract year. [layout]';
comment on column landscape.contract_category_type is
    'MA no drug coverage, MA-PD with drug coverage, SNP special needs plan, PDP stand-alone drug plan. [layout]';
comment on column landscape.us_territory is
    'Yes where the state is a territory. [layout]';
comment on column landscape.state is
    'State or territory, two letters. [layout]';
comment on column landscape.state_name is
    'Name of the state or territory. [layout]';
comment on column landscape.county_name is
    'County by name, without the word County; All Counties for drug plans, which have one row a state. CMS gives no code: county joins it by name and state. [layout]';
comment on column landscape.contract_id is
    'CMS contract: a letter and four digits. H local Medicare Advantage and cost, R regional, S stand-alone drug plan, E employer direct, X fallback.  [layout]';
comment on column landscape.plan_id is
    'Plan within the contract, three digits with leading zeros; 800 and above are sold to employers only. Plans for employers are not in this file. [layout]';
comment on column landscape.segment_id is
    'Segment without leading zeros; 0 where the plan has none. [layout]';
comment on column landscape.contract_plan_id is
    'Contract and plan joined by an underscore. [layout]';
comment on column landscape.contract_plan_segment_id is
    'Contract, plan and segment joined by underscores: bid_id of PBP. [layout]';
comment on column landscape.sanctioned_plan is
    'Yes where CMS has the plan under sanction. [layout]';
comment on column landscape.parent_organization is
    'Company that owns the organization. [layout]';
comment on column landscape.contract_name is
    'Legal name of the organization that holds the contract. [layout]';
comment on column landscape.organization_marketing_name is
    'Name under which the organization sells its plans. [layout]';
comment on column landscape.organization_type is
    'Kind of contract in words, as in pbp_section.orgtype: Local CCP, Regional CCP, PDP. [layout]';
comment on column landscape.plan_name is
    'Plan as marketed. [layout]';
comment on column landscape.plan_type is
    'Plan type in words, with the kind of special needs plan in some years: HMO, PPO, HMO D-SNP. [layout]';
comment on column landscape.snp_indicator is
    'Yes for a special needs plan. [layout]';
comment on column landscape.snp_type is
    'Dual-Eligible, Institutional, Chronic or Disabling Condition, or Not Applicable. [layout]';
comment on column landscape.snp_institutional_type is
    'Facility-based (FI-SNP), institutional-equivalent (IE-SNP), hybrid (HI-SNP), or Not Applicable. [layout]';
comment on column landscape.snp_institutional_category is
    'Short form of the institutional type; 2026 only. [layout]';
comment on column landscape.dsnp_integration_status is
    'Integration of a dual eligible plan with Medicaid: FIDE, HIDE, CO, or Not Applicable. [layout]';
comment on column landscape.dsnp_aip_identifier is
    'Yes for an applicable integrated plan (42 CFR 422.561). [layout]';
comment on column landscape.csnp_condition_type is
    'Condition that a chronic condition plan is for. [layout]';
comment on column landscape.dsnp_zero_dollar is
    'Yes where members of the dual eligible plan pay no Medicare cost sharing. [layout]';
comment on column landscape.part_d_coverage is
    'Yes where the plan covers drugs. [layout]';
comment on column landscape.national_pdp is
    'Yes where the drug plan is sold in all PDP regions of the states. [layout]';
comment on column landscape.drug_benefit_category is
    'Basic, Enhanced, or Not Applicable. [layout]';
comment on column landscape.drug_benefit_type is
    'Defined Standard, Actuarially Equivalent Standard, Basic Alternative, Enhanced Alternative, or Not Applicable. [layout]';
comment on column landscape.de_minimis is
    'Yes where the plan waives the little that its premium is above the low-income benchmark. [layout]';
comment on column landscape.at_or_below_benchmark is
    'Yes where the basic premium is at or below the low-income benchmark of the region; drug plans only. [layout]';
comment on column landscape.lis_auto_enrollment is
    'Yes where CMS enrolls people with the full subsidy into the plan. [layout]';
comment on column landscape.tier_without_deductible is
    'Yes where some tiers are covered before the deductible is met; Not Applicable where there is no deductible or no tier. [layout]';
comment on column landscape.part_d_deductible is
    'Yearly Part D deductible. US dollars. [layout]';
comment on column landscape.part_d_deductible_words is
    'What CMS wrote in place of a number in part_d_deductible, as Not Applicable; null where there is a number or nothing at all. [layout]';
comment on column landscape.part_d_basic_premium is
    'Monthly Part D basic premium, net of rebates; below zero where rebates exceed it. US dollars. [layout]';
comment on column landscape.part_d_basic_premium_words is
    'What CMS wrote in place of a number in part_d_basic_premium, as Not Applicable; null where there is a number or nothing at all. [layout]';
comment on column landscape.part_d_supplemental_premium is
    'Monthly Part D supplemental premium, net of rebates. US dollars. [layout]';
comment on column landscape.part_d_supplemental_premium_words is
    'What CMS wrote in place of a number in part_d_supplemental_premium, as Not Applicable; null where there is a number or nothing at all. [layout]';
comment on column landscape.part_d_total_premium is
    'Monthly Part D premium: basic and supplemental. US dollars. [layout]';
comment on column landscape.part_d_total_premium_words is
    'What CMS wrote in place of a number in part_d_total_premium, as Not Applicable; null where there is a number or nothing at all. [layout]';
comment on column landscape.lips_amount is
    'Monthly low-income premium subsidy of the region. US dollars. [layout]';
comment on column landscape.lips_amount_words is
    'What CMS wrote in place of a number in lips_amount, as Not Applicable; null where there is a number or nothing at all. [layout]';
comment on column landscape.part_d_lips_cms_pays is
    'Monthly part of the premium that CMS pays for people with the full low-income subsidy. US dollars. [layout]';
comment on column landscape.part_d_lips_cms_pays_words is
    'What CMS wrote in place of a number in part_d_lips_cms_pays, as Not Applicable; null where there is a number or nothing at all. [layout]';
comment on column landscape.part_d_low_income_premium is
    'Monthly Part D premium that is left to people with the full low-income subsidy. US dollars. [layout]';
comment on column landscape.part_d_low_income_premium_words is
    'What CMS wrote in place of a number in part_d_low_income_premium, as Not Applicable; null where there is a number or nothing at all. [layout]';
comment on column landscape.part_d_oop_threshold is
    'Yearly out-of-pocket threshold of Part D. US dollars. [layout]';
comment on column landscape.part_d_oop_threshold_words is
    'What CMS wrote in place of a number in part_d_oop_threshold, as Not Applicable; null where there is a number or nothing at all. [layout]';
comment on column landscape.part_c_premium is
    'Monthly Part C premium: basic and mandatory supplemental, net of rebates. US dollars. [layout]';
comment on column landscape.part_c_premium_words is
    'What CMS wrote in place of a number in part_c_premium, as Not Applicable; null where there is a number or nothing at all. [layout]';
comment on column landscape.consolidated_premium is
    'Monthly premium, Part C and Part D together; Not Applicable where the plan has but one of them. US dollars. [layout]';
comment on column landscape.consolidated_premium_words is
    'What CMS wrote in place of a number in consolidated_premium, as Not Applicable; null where there is a number or nothing at all. [layout]';
comment on column landscape.in_network_moop is
    'Yearly limit on what a member pays for in-network Part A and B services; for PFFS plans in and out of network together. Cost plans and MSAs may have none. US dollars. [layout]';
comment on column landscape.in_network_moop_words is
    'What CMS wrote in place of a number in in_network_moop, as Not Applicable; null where there is a number or nothing at all. [layout]';
comment on column landscape.part_c_stars is
    'Part C summary star rating. 1 to 5 in halves. [layout]';
comment on column landscape.part_c_stars_words is
    'What CMS wrote in place of a number in part_c_stars, as Plan too new to be measured; null where there is a number or nothing at all. [layout]';
comment on column landscape.part_d_stars is
    'Part D summary star rating. 1 to 5 in halves. [layout]';
comment on column landscape.part_d_stars_words is
    'What CMS wrote in place of a number in part_d_stars, as Plan too new to be measured; null where there is a number or nothing at all. [layout]';
comment on column landscape.overall_stars is
    'Overall star rating. 1 to 5 in halves. [layout]';
comment on column landscape.overall_stars_words is
    'What CMS wrote in place of a number in overall_stars, as Plan too new to be measured; null where there is a number or nothing at all. [layout]';
comment on column landscape.ma_region_code is
    'Medicare Advantage region, two digits; Not Applicable for local and drug plans. [layout]';
comment on column landscape.ma_region is
    'Name of the Medicare Advantage region. [layout]';
comment on column landscape.pdp_region_code is
    'Prescription drug plan region, two digits; Not Applicable for other plans. [layout]';
comment on column landscape.pdp_region is
    'Name of the prescription drug plan region. [layout]';
comment on column landscape.enrollment_limit_accepted is
    'Yes where CMS accepted a limit on enrollment; from 2027. [layout]';
comment on column landscape.enrollment_limit_amount is
    'The limit on enrollment, as CMS writes it; from 2027. [layout]';

-- post-data
-- No primary key: CMS names counties, it does not number them, and has repeated a plan and county.
create index landscape_plan on landscape (contract_id, plan_id, segment_id);
create index landscape_county on landscape (state, county_name);

-- check: contract, plan and segment have the form that joins need
select contract_id, plan_id, segment_id
from landscape
where contract_id !~ '^[A-Z][0-9]{4}$'
   or plan_id !~ '^[0-9]{3}$'
   or segment_id !~ '^[0-9]{1,3}$';

-- check: a plan has one premium in all its counties
select contract_id, plan_id, segment_id
from landscape
group by contract_id, plan_id, segment_id
having count(distinct consolidated_premium) > 1
    or count(distinct part_c_premium) > 1
    or count(distinct part_d_total_premium) > 1;
