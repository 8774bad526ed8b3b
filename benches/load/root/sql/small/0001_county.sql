-- pre-data
create table county (
    county      text not null,
    contract_id text not null,
    plan_id     text not null,
    enrolled    integer
);

comment on table county is 'Made-up members of a plan in a county.';
comment on column county.county is 'County, five digits.';
comment on column county.contract_id is 'CMS contract.';
comment on column county.plan_id is 'Plan within the contract.';
comment on column county.enrolled is 'Members.';

-- post-data
alter table county add primary key (county, contract_id, plan_id);
