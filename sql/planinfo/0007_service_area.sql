-- pre-data
create table service_area (
    contract_id       text not null,
    organization_name text,
    organization_type text,
    plan_type         text,
    partial           text,
    eghp              text,
    ssa_code          text,
    fips_code         text,
    county            text,
    state             text,
    notes             text
);

comment on table service_area is
    'Counties in which a Medicare Advantage, cost or PACE contract may sell: one row a contract and county. It is about contracts: a plan may be sold in fewer counties. CMS, MA contract service area by state and county. [layout]';
comment on column service_area.contract_id is
    'CMS contract: a letter and four digits. H local Medicare Advantage and cost, R regional, S stand-alone drug plan, E employer direct, X fallback. [layout]';
comment on column service_area.organization_name is
    'Organization that holds the contract. [layout]';
comment on column service_area.organization_type is
    'Kind of contract in words: Local CCP, Regional CCP, PFFS. [layout]';
comment on column service_area.plan_type is
    'Plan type in words: HMO/HMOPOS, Local PPO, Regional PPO. [layout]';
comment on column service_area.partial is
    'An asterisk where only part of the county is covered. [layout]';
comment on column service_area.eghp is
    'An asterisk where the contract offers only employer group plans in the county. [layout]';
comment on column service_area.ssa_code is
    'SSA county code, five digits. [layout]';
comment on column service_area.fips_code is
    'FIPS county code, five digits. [layout]';
comment on column service_area.county is
    'Name of the county. Null for HCPP (1833 cost) contracts, whose area is the whole country. [layout]';
comment on column service_area.state is
    'State, two letters. [layout]';
comment on column service_area.notes is
    'Remark of CMS on the row. [layout]';

-- post-data
-- No column tells rows apart alone: the same row twice is what must not be.
create unique index service_area_key
    on service_area (contract_id, fips_code, ssa_code, county, state, plan_type, organization_type,
        partial, eghp, notes) nulls not distinct;
create index service_area_county on service_area (fips_code) where fips_code is not null;

-- check: county codes have five digits
select contract_id, ssa_code, fips_code
from service_area
where ssa_code !~ '^[0-9]{5}$'
   or fips_code !~ '^[0-9]{5}$';

-- check: partial and employer marks are an asterisk or nothing
select contract_id, partial, eghp
from service_area
where partial <> '*'
   or eghp <> '*';
