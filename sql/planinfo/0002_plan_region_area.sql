-- pre-data
create table plan_region_area (
    pbp_a_hnumber         text not null,
    pbp_a_plan_identifier text not null,
    segment_id            text not null,
    pbp_a_ben_cov         text,
    pbp_a_plan_type       text,
    orgtype               text not null,
    bid_id                text not null,
    contract_id           text not null,
    plan_id               text not null,
    pending_flag          text,
    partial_flag          text,
    contract_year         smallint not null,
    eghp_flag             text,
    region_type           text not null,
    ma_or_pdp_region_code text not null,
    region                text,
    more                  jsonb not null
);

comment on table plan_region_area is
    'Where regional plans are sold: one row a plan and region, for R (regional PPO), S (drug plan) and X (fallback) contracts. PBP release, PlanRegionArea. Local plans are in PlanArea, which is not in the release seen. [file]';
comment on column plan_region_area.pbp_a_hnumber is
    'CMS contract: a letter and four digits. H local Medicare Advantage and cost, R regional, S stand-alone drug plan, E employer direct, X fallback. [file]';
comment on column plan_region_area.pbp_a_plan_identifier is
    'Plan within the contract, three digits with leading zeros; 800 and above are sold to employers only. [file]';
comment on column plan_region_area.segment_id is
    'Segment of the plan, without leading zeros: 0 for all plans sold by region. [file]';
comment on column plan_region_area.pbp_a_ben_cov is
    'Coverage criteria: 1 Part A and Part B, 2 Part B only; null for drug plans. [file]';
comment on column plan_region_area.pbp_a_plan_type is
    'Plan type: 29 Medicare prescription drug plan, 31 regional PPO; null for the fallback contract. Codes as in pbp_section. [file]';
comment on column plan_region_area.orgtype is
    'Organization type: 10 PDP, 11 regional CCP, 16 fallback (not in CMS''s dictionary of 2026). [file]';
comment on column plan_region_area.bid_id is
    'Bid: contract, plan and segment joined by underscores, H0028_017_0. [file]';
comment on column plan_region_area.contract_id is
    'Contract once more; equals pbp_a_hnumber. [file]';
comment on column plan_region_area.plan_id is
    'Plan once more; equals pbp_a_plan_identifier. [file]';
comment on column plan_region_area.pending_flag is
    '1 where the region is pending approval; 0 in all rows seen. [file]';
comment on column plan_region_area.partial_flag is
    'Part of the region only; null in all rows seen. [file]';
comment on column plan_region_area.contract_year is
    'Contract year. [file]';
comment on column plan_region_area.eghp_flag is
    '1 where the plan is sold in the region to employer groups only, 0 otherwise. [file]';
comment on column plan_region_area.region_type is
    'MA: ma_or_pdp_region_code is a Medicare Advantage region; PD: it is a prescription drug plan region. [file]';
comment on column plan_region_area.ma_or_pdp_region_code is
    'Region, two digits; which of the two numberings says region_type. [file]';
comment on column plan_region_area.region is
    'Name of the region: the states that it joins. [file]';
comment on column plan_region_area.more is
    'Columns that have no name of their own here: the header has segment_id twice, the second is segment_id (2); and any that CMS adds. [file]';

-- post-data
alter table plan_region_area
    add primary key (pbp_a_hnumber, pbp_a_plan_identifier, segment_id, region_type, ma_or_pdp_region_code);
create index plan_region_area_region on plan_region_area (region_type, ma_or_pdp_region_code);

-- check: both copies of the plan key agree
select bid_id
from plan_region_area
where (contract_id, plan_id, more ->> 'segment_id (2)')
      is distinct from (pbp_a_hnumber, pbp_a_plan_identifier, segment_id);

-- check: the region is of one of the two numberings
select bid_id, region_type
from plan_region_area
where region_type not in ('MA', 'PD');
