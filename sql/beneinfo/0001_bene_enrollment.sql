-- pre-data
-- Lengths are CMS's own, and are kept so that no other field fits in by mistake.
create table bene_enrollment (
    person                  uuid not null,
    idr_ltst_trans_flg      boolean not null,
    bene_cntrct_num         varchar(5) not null,
    bene_pbp_num            varchar(3) not null,
    bene_cvrg_type_cd       varchar(2),
    bene_enrlmt_pgm_type_cd varchar(4) not null,
    bene_enrlmt_bgn_dt      date not null,
    bene_enrlmt_end_dt      date
);

comment on table bene_enrollment is
    'Enrolment of people in Medicare Advantage and Part D plans, every version of every row that CMS sent. Ask enrolment_span, which has the versions that count. CMS Integrated Data Repository, BENE_MAPD_ENRLMT. [file]';
comment on column bene_enrollment.person is
    'Who: BENE_SK as a keyed hash, made before the row reaches Postgres. Kept to tell people apart and to join bene_lis. [file]';
comment on column bene_enrollment.idr_ltst_trans_flg is
    'True (Y) for the version that counts, false (N) for one that a later row replaced. Kept to leave replaced rows out. [file]';
comment on column bene_enrollment.bene_cntrct_num is
    'CMS contract. Kept because the plan is what an app asks for; joins contract_id of planinfo and druginfo. Synthetic people are in contracts Z0001 to Z0010. [file]';
comment on column bene_enrollment.bene_pbp_num is
    'Plan within the contract, three characters. Kept with the contract. Synthetic plans are written -01 to -10. [file]';
comment on column bene_enrollment.bene_cvrg_type_cd is
    'Type of plan: 3 coordinated care, 4 medical savings account, 5 private fee-for-service, 6 PACE, 11 drug plan, 14 Medicare-Medicaid plan. Kept because switching rules differ by it. Codes as CMS publishes them with its Beneficiary FHIR Data server (BENE_CVRG_TYPE_CD). [layout]';
comment on column bene_enrollment.bene_enrlmt_pgm_type_cd is
    'What the plan covers: 1 Part C, 2 Part D, 3 both. Kept because one person may have a plan for each. Codes as CMS''s Beneficiary FHIR Data server reads them. [layout]';
comment on column bene_enrollment.bene_enrlmt_bgn_dt is
    'First day in the plan. Kept to answer which plan a person was in on a day. [file]';
comment on column bene_enrollment.bene_enrlmt_end_dt is
    'Last day in the plan; 9999-12-31, as CMS writes it, where no end is known. Kept with the first day. [file]';

-- post-data
-- CMS keys rows by person, first day and programme, and versions by when they were replaced.
create unique index bene_enrollment_key
    on bene_enrollment (person, bene_enrlmt_bgn_dt, bene_enrlmt_pgm_type_cd)
    where idr_ltst_trans_flg;

-- check: contract and plan keep their letters and leading zeros
select bene_cntrct_num, bene_pbp_num, count(*)
from bene_enrollment
where bene_cntrct_num !~ '^[A-Z][0-9]{4}$'
   or bene_pbp_num !~ '^[-0-9][0-9]{2}$'
group by bene_cntrct_num, bene_pbp_num;

-- check: the programme is Part C, Part D or both
select bene_enrlmt_pgm_type_cd, count(*)
from bene_enrollment
where idr_ltst_trans_flg
  and bene_enrlmt_pgm_type_cd not in ('1', '2', '3')
group by bene_enrlmt_pgm_type_cd;
