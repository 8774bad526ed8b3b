-- derive
create table subsidy_span (
    person                uuid not null,
    copay_level           smallint not null,
    premium_share_percent smallint,
    begin_date            date not null,
    end_date              date
);

comment on table subsidy_span is
    'Who has a low income subsidy (Extra Help) of Part D, and when: the versions of bene_lis that count and are in effect (BENE_LIS_EFCTV_CD Y). On a day: where daterange(begin_date, end_date, ''[]'') @> day.';
comment on column subsidy_span.person is
    'Who, a keyed hash; joins enrolment_span.';
comment on column subsidy_span.copay_level is
    'What the person pays of a drug: 1 the high copay, 2 the low copay, 3 nothing, 4 15 %. CMS Plan Communications User Guide.';
comment on column subsidy_span.premium_share_percent is
    'Percent of the Part D premium that the subsidy pays.';
comment on column subsidy_span.begin_date is
    'First day of the subsidy.';
comment on column subsidy_span.end_date is
    'Last day of the subsidy; null where no end is known, as in enrolment_span.';

insert into subsidy_span
select person,
       bene_lis_copmt_lvl_cd::smallint,
       bene_lis_ptd_prm_pct::smallint,
       bene_rng_bgn_dt,
       nullif(bene_rng_end_dt, date '9999-12-31')
from bene_lis
where idr_ltst_trans_flg
  and bene_lis_efctv_cd = 'Y';

alter table subsidy_span add primary key (person, begin_date);
