-- pre-data
create table bene_lis (
    person                uuid not null,
    idr_ltst_trans_flg    boolean not null,
    bene_lis_efctv_cd     varchar(1),
    bene_lis_copmt_lvl_cd varchar(1) not null,
    bene_lis_ptd_prm_pct  varchar(3),
    bene_rng_bgn_dt       date not null,
    bene_rng_end_dt       date not null
);

comment on table bene_lis is
    'Low income subsidy (Extra Help) of Part D, every version of every row that CMS sent. Ask subsidy_span, which has the versions that count. CMS Integrated Data Repository, BENE_LIS. [file]';
comment on column bene_lis.person is
    'Who: BENE_SK as a keyed hash, made before the row reaches Postgres. Kept to join bene_enrollment. [file]';
comment on column bene_lis.idr_ltst_trans_flg is
    'True (Y) for the version that counts, false (N) for one that a later row replaced. Kept to leave replaced rows out. [file]';
comment on column bene_lis.bene_lis_efctv_cd is
    'Whether the subsidy is in effect: Y yes, N no, U unknown. Kept because a row alone does not mean a subsidy. Codes as CMS''s Beneficiary FHIR Data server has them. [file]';
comment on column bene_lis.bene_lis_copmt_lvl_cd is
    'What the person pays of a drug: 1 the high copay, 2 the low copay, 3 nothing, 4 15 %. Kept because the price that a member sees follows from it. CMS Plan Communications User Guide; 1 and 4 occur among synthetic people. [layout]';
comment on column bene_lis.bene_lis_ptd_prm_pct is
    'Share of the Part D premium that the subsidy pays, percent, three digits: 025, 050, 075, 100. Kept because the premium that a member sees follows from it. [file]';
comment on column bene_lis.bene_rng_bgn_dt is
    'First day of the subsidy. Kept to answer what held on a day. [file]';
comment on column bene_lis.bene_rng_end_dt is
    'Last day of the subsidy; 9999-12-31, as CMS writes it, where no end is known. Kept with the first day. [file]';

-- post-data
create unique index bene_lis_key on bene_lis (person, bene_rng_bgn_dt) where idr_ltst_trans_flg;

-- check: the premium share is a percentage
select bene_lis_ptd_prm_pct, count(*)
from bene_lis
where bene_lis_ptd_prm_pct !~ '^(0[0-9][0-9]|100)$'
group by bene_lis_ptd_prm_pct;
