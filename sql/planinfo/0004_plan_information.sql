-- pre-data
create table plan_information (
    period             text not null,
    contract_id        text not null,
    plan_id            text not null,
    segment_id         text not null,
    contract_name      text,
    plan_name          text,
    formulary_id       text,
    premium            numeric(10,2),
    deductible         numeric(10,2),
    icl                numeric(10,2),
    ma_region_code     text,
    pdp_region_code    text,
    state              text,
    county_code        text,
    snp                text,
    plan_suppressed_yn boolean not null
);

comment on table plan_information is
    'Plans and where they are sold: one row a plan and county (H contracts), or one row a plan (R and S contracts, sold by region). Part D release, plan information file. [file]';
comment on column plan_information.period is
    'Time that the figures are of, from the file''s name: 2026Q2, or a day (20260531). Its year is the contract year. [file]';
comment on column plan_information.contract_id is
    'CMS contract: a letter and four digits. H local Medicare Advantage, R regional Medicare Advantage, S stand-alone drug plan. First part of the plan key. [file]';
comment on column plan_information.plan_id is
    'Plan within the contract, three digits with leading zeros. Second part of the plan key. [file]';
comment on column plan_information.segment_id is
    'Segment of the plan, three digits; 000 where the plan has none. Third part of the plan key. PBP and Landscape files write 0 for 000. [file]';
comment on column plan_information.contract_name is
    'Organisation that holds the contract. [file]';
comment on column plan_information.plan_name is
    'Plan as marketed. The file is windows-1252: accents occur. [layout]';
comment on column plan_information.formulary_id is
    'Formulary of the plan, eight digits; joins basic_drugs_formulary.formulary_id. CMS may name a formulary that the formulary file lacks (2026Q2: one). [file]';
comment on column plan_information.premium is
    'Monthly premium, US dollars. Whether it is the drug part alone for H and R contracts is unverified. [layout]';
comment on column plan_information.deductible is
    'Yearly deductible, US dollars. [layout]';
comment on column plan_information.icl is
    'Initial coverage limit, US dollars a year. In files of the 2023 vintage only; null since CMS dropped the column with the coverage gap. [layout]';
comment on column plan_information.ma_region_code is
    'Medicare Advantage region, R contracts only; joins geographic_locator.ma_region_code. [layout]';
comment on column plan_information.pdp_region_code is
    'Prescription drug plan region, S contracts only; joins geographic_locator.pdp_region_code. [file]';
comment on column plan_information.state is
    'State, two letters. Null for S contracts. [file]';
comment on column plan_information.county_code is
    'SSA county code, H contracts only; joins geographic_locator.county_code. Not FIPS. [file]';
comment on column plan_information.snp is
    'Special needs plan: 0 none, 1 chronic or disabling condition, 2 dual eligible, 3 institutional. [layout]';
comment on column plan_information.plan_suppressed_yn is
    'True (Y) where CMS withholds the plan''s data: the plan then has no row in the other tables. [layout]';

-- post-data
-- R and S contracts have no county: two null counties of one plan are a repeat.
create unique index plan_information_key
    on plan_information (contract_id, plan_id, segment_id, county_code) nulls not distinct;
create index plan_information_county_code on plan_information (county_code)
    where county_code is not null;
create index plan_information_pdp_region_code on plan_information (pdp_region_code)
    where pdp_region_code is not null;
create index plan_information_ma_region_code on plan_information (ma_region_code)
    where ma_region_code is not null;
create index plan_information_formulary_id on plan_information (formulary_id);

-- check: contract, plan and segment keep their letters and leading zeros
select contract_id, plan_id, segment_id
from plan_information
where contract_id !~ '^[A-Z][0-9]{4}$'
   or plan_id !~ '^[0-9]{3}$'
   or segment_id !~ '^[0-9]{3}$';

-- check: every plan is sold somewhere, in a county or in a region
select contract_id, plan_id, segment_id
from plan_information
where county_code is null
  and pdp_region_code is null
  and ma_region_code is null;

-- check: a plan has one formulary in all its counties
select contract_id, plan_id, segment_id, count(distinct formulary_id) as formularies
from plan_information
group by contract_id, plan_id, segment_id
having count(distinct formulary_id) > 1;

-- check: the special needs code is one that CMS defines
select contract_id, plan_id, segment_id, snp
from plan_information
where snp not in ('0', '1', '2', '3');
