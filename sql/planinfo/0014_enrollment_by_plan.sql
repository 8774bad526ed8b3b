-- pre-data
create table enrollment_by_plan (
    period                      text not null,
    contract_id                 text not null,
    plan_id                     text,
    organization_type           text,
    plan_type                   text,
    offers_part_d               text,
    organization_name           text,
    organization_marketing_name text,
    plan_name                   text,
    parent_organization         text,
    contract_effective_date     date,
    enrollment                  integer,
    enrollment_words            text
);

comment on table enrollment_by_plan is
    'Members of every plan, one row a contract and plan. CMS, monthly enrollment by plan. [file]';
comment on column enrollment_by_plan.period is
    'Month that the figures are of, YYYY_MM, from the file''s name. [file]';
comment on column enrollment_by_plan.contract_id is
    'CMS contract: a letter and four digits; five digits for the oldest cost contracts (90091). [file]';
comment on column enrollment_by_plan.plan_id is
    'Plan within the contract, three digits. Null for contracts without plans. All segments of a plan are counted together. [file]';
comment on column enrollment_by_plan.organization_type is
    'Kind of contract in words. [file]';
comment on column enrollment_by_plan.plan_type is
    'Plan type in words. [file]';
comment on column enrollment_by_plan.offers_part_d is
    'Yes where the plan covers drugs, No where not. [file]';
comment on column enrollment_by_plan.organization_name is
    'Legal name of the organization. [file]';
comment on column enrollment_by_plan.organization_marketing_name is
    'Name under which the organization sells; CMS cuts it at 50 characters. [file]';
comment on column enrollment_by_plan.plan_name is
    'Plan as marketed. [file]';
comment on column enrollment_by_plan.parent_organization is
    'Company that owns the organization. [file]';
comment on column enrollment_by_plan.contract_effective_date is
    'Day on which the contract with CMS began. [file]';
comment on column enrollment_by_plan.enrollment is
    'Members of the plan. [file]';
comment on column enrollment_by_plan.enrollment_words is
    'An asterisk where CMS withholds the number: 10 or fewer. [file]';

-- post-data
create unique index enrollment_by_plan_key on enrollment_by_plan (contract_id, plan_id) nulls not distinct;

-- check: a number is withheld by an asterisk and by no other word
select contract_id, plan_id, enrollment_words
from enrollment_by_plan
where enrollment_words <> '*';
