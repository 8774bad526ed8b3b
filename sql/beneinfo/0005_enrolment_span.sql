-- derive
create table enrolment_span (
    person      uuid not null,
    contract_id text not null,
    plan_id     text not null,
    part_c      boolean not null,
    part_d      boolean not null,
    begin_date  date not null,
    end_date    date
);

comment on table enrolment_span is
    'Which plan a person is in, and when: the versions of bene_enrollment that count. On a day: where daterange(begin_date, end_date, ''[]'') @> day.';
comment on column enrolment_span.person is
    'Who, a keyed hash; joins subsidy_span and person_county.';
comment on column enrolment_span.contract_id is
    'CMS contract; with plan_id joins the plans of planinfo and druginfo.';
comment on column enrolment_span.plan_id is
    'Plan within the contract, three characters.';
comment on column enrolment_span.part_c is
    'Whether it is the person''s Medicare Advantage plan: BENE_ENRLMT_PGM_TYPE_CD 1 or 3.';
comment on column enrolment_span.part_d is
    'Whether it is the person''s drug plan: BENE_ENRLMT_PGM_TYPE_CD 2 or 3.';
comment on column enrolment_span.begin_date is
    'First day in the plan.';
comment on column enrolment_span.end_date is
    'Last day in the plan; null where no end is known, for which CMS writes 9999-12-31. Not infinity, which several drivers cannot read, and not a year that arithmetic takes for real; a null end of a daterange is no end.';

insert into enrolment_span
select person, bene_cntrct_num, bene_pbp_num,
       bene_enrlmt_pgm_type_cd in ('1', '3'),
       bene_enrlmt_pgm_type_cd in ('2', '3'),
       bene_enrlmt_bgn_dt,
       nullif(bene_enrlmt_end_dt, date '9999-12-31')
from bene_enrollment
where idr_ltst_trans_flg;

alter table enrolment_span add primary key (person, begin_date, part_c, part_d);
create index enrolment_span_plan on enrolment_span (contract_id, plan_id);

-- check: every row of bene_enrollment that counts is a span
select counted.rows, spans.rows
from (select count(*) as rows from bene_enrollment where idr_ltst_trans_flg) as counted,
     (select count(*) as rows from enrolment_span) as spans
where counted.rows <> spans.rows;
