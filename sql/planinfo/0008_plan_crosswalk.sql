-- pre-data
create table plan_crosswalk (
    year                       smallint not null,
    previous_contract_id       text not null,
    previous_plan_id           text not null,
    previous_plan_name         text,
    previous_snp_type          text,
    previous_snp_institutional text,
    current_contract_id        text not null,
    current_plan_id            text not null,
    current_plan_name          text,
    current_snp_type           text,
    current_snp_institutional  text,
    status                     text not null
);

comment on table plan_crosswalk is
    'What became of the plans of the year before: one row a pair of plans, or a new or ended plan. Contract and plan, without segment. CMS, Part C and D plan crosswalk. [layout]';
comment on column plan_crosswalk.year is
    'Contract year into which the row leads: the file of 2026 tells what became of the plans of 2025. [layout]';
comment on column plan_crosswalk.previous_contract_id is
    'Contract in the year before; NEW where the plan is new. [layout]';
comment on column plan_crosswalk.previous_plan_id is
    'Plan in the year before, three digits; NEW where the plan is new. [layout]';
comment on column plan_crosswalk.previous_plan_name is
    'Plan as marketed in the year before. [layout]';
comment on column plan_crosswalk.previous_snp_type is
    'Kind of special needs plan in the year before: Dual-Eligible, Institutional, Chronic or Disabling Condition. [layout]';
comment on column plan_crosswalk.previous_snp_institutional is
    'Kind of institutional special needs plan in the year before. [layout]';
comment on column plan_crosswalk.current_contract_id is
    'Contract in the year; TERMINATED where the plan has ended. [layout]';
comment on column plan_crosswalk.current_plan_id is
    'Plan in the year, three digits; TERMINATED where the plan has ended. [layout]';
comment on column plan_crosswalk.current_plan_name is
    'Plan as marketed in the year. [layout]';
comment on column plan_crosswalk.current_snp_type is
    'Kind of special needs plan in the year: Dual-Eligible, Institutional, Chronic or Disabling Condition. [layout]';
comment on column plan_crosswalk.current_snp_institutional is
    'Kind of institutional special needs plan in the year. [layout]';
comment on column plan_crosswalk.status is
    'What became of the plan: Renewal Plan, Renewal Plan with SAE (area expanded), Renewal Plan with SAR (area reduced), Consolidated Renewal Plan, New Plan, Initial Contract, Terminated/Non-renewed Contract. It alone tells that a plan has ended: some postings keep the ids on both sides. [layout]';

-- post-data
create index plan_crosswalk_current on plan_crosswalk (current_contract_id, current_plan_id);
create unique index plan_crosswalk_key
    on plan_crosswalk (previous_contract_id, previous_plan_id, current_contract_id, current_plan_id,
        year, status);

-- check: ids have the form that joins need, or say that the plan is new or has ended
select previous_contract_id, previous_plan_id, current_contract_id, current_plan_id
from plan_crosswalk
where not (previous_contract_id ~ '^[A-Z][0-9]{4}$' and previous_plan_id ~ '^[0-9]{3}$'
           or previous_contract_id = 'NEW')
   or not (current_contract_id ~ '^[A-Z][0-9]{4}$' and current_plan_id ~ '^[0-9]{3}$'
           or current_contract_id = 'TERMINATED');

-- check: a plan is not new and ended at once
select year, status
from plan_crosswalk
where previous_contract_id = 'NEW'
  and current_contract_id = 'TERMINATED';
