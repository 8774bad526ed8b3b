-- pre-data
create table enrollment_cpsc (
    contract_id      text not null,
    plan_id          text,
    ssa_code         text,
    fips_code        text,
    state            text,
    county           text,
    enrollment       integer,
    enrollment_words text
);

comment on table enrollment_cpsc is
    'Members of every plan by the county they live in, which need not be one where the plan is sold: one row a contract, plan and county. CMS, monthly enrollment by contract, plan, state and county. [layout]';
comment on column enrollment_cpsc.contract_id is
    'CMS contract: a letter and four digits. [layout]';
comment on column enrollment_cpsc.plan_id is
    'Plan within the contract, three digits; null for contracts that have no plans (HCPP). [layout]';
comment on column enrollment_cpsc.ssa_code is
    'SSA county code of where the members live; null where CMS does not know. [layout]';
comment on column enrollment_cpsc.fips_code is
    'FIPS county code of where the members live; null where CMS does not know. [layout]';
comment on column enrollment_cpsc.state is
    'State, two letters. [layout]';
comment on column enrollment_cpsc.county is
    'Name of the county. [layout]';
comment on column enrollment_cpsc.enrollment is
    'Members of the plan who live in the county. [layout]';
comment on column enrollment_cpsc.enrollment_words is
    'An asterisk where CMS withholds the number: 10 or fewer. [layout]';

-- post-data
-- HCPP contracts (90091) have no plans, and members whose county is pending have no code.
create unique index enrollment_cpsc_key
    on enrollment_cpsc (contract_id, plan_id, ssa_code, fips_code, state, county) nulls not distinct;
create index enrollment_cpsc_county on enrollment_cpsc (fips_code) where enrollment is not null;

-- check: a number is withheld by an asterisk and by no other word (a sample)
select contract_id, plan_id, enrollment_words
from (select * from enrollment_cpsc limit 100000) as sample
where enrollment_words <> '*';
