-- pre-data
create table cpsc_contract_info (
    contract_id                 text not null,
    plan_id                     text,
    organization_type           text,
    plan_type                   text,
    offers_part_d               text,
    snp_plan                    text,
    eghp                        text,
    organization_name           text,
    organization_marketing_name text,
    plan_name                   text,
    parent_organization         text,
    contract_effective_date     date
);

comment on table cpsc_contract_info is
    'Names and kinds of the plans that enrollment_cpsc counts. Some months repeat a contract and plan. CMS, monthly enrollment by contract, plan, state and county. [layout]';
comment on column cpsc_contract_info.contract_id is
    'CMS contract: a letter and four digits. [layout]';
comment on column cpsc_contract_info.plan_id is
    'Plan within the contract, three digits; null for contracts that have no plans (HCPP). [layout]';
comment on column cpsc_contract_info.organization_type is
    'Kind of contract in words. [layout]';
comment on column cpsc_contract_info.plan_type is
    'Plan type in words: HMO/HMOPOS, Local PPO, Medicare Prescription Drug Plan. [layout]';
comment on column cpsc_contract_info.offers_part_d is
    'Yes where the plan covers drugs. [layout]';
comment on column cpsc_contract_info.snp_plan is
    'Yes for a special needs plan. [layout]';
comment on column cpsc_contract_info.eghp is
    'Yes for a plan that is sold to employer groups. [layout]';
comment on column cpsc_contract_info.organization_name is
    'Legal name of the organization. [layout]';
comment on column cpsc_contract_info.organization_marketing_name is
    'Name under which the organization sells. [layout]';
comment on column cpsc_contract_info.plan_name is
    'Plan as marketed. [layout]';
comment on column cpsc_contract_info.parent_organization is
    'Company that owns the organization. [layout]';
comment on column cpsc_contract_info.contract_effective_date is
    'Day on which the contract with CMS began. [layout]';

-- post-data
create unique index cpsc_contract_info_key on cpsc_contract_info (contract_id, plan_id) nulls not distinct;

-- check: yes and no are written so
select contract_id, plan_id, offers_part_d, snp_plan, eghp
from cpsc_contract_info
where offers_part_d not in ('Yes', 'No')
   or snp_plan not in ('Yes', 'No')
   or eghp not in ('Yes', 'No');
