-- pre-data
-- Lengths are CMS's own, and are kept so that no other field fits in by mistake.
create table beneficiary (
    person                 uuid not null,
    state_code             varchar(2),
    bene_county_cd         varchar(5),
    mbi                    uuid,
    rfrnc_yr               smallint not null,
    a_mo_cnt               smallint,
    b_mo_cnt               smallint,
    fips_state_cnty_dec_cd varchar(5)
);

comment on table beneficiary is
    'One row a person and year: eight of the 210 columns of CMS''s yearly beneficiary file (Research Identifiable File). Names, numbers, address, birth, death, sex, race and reasons of entitlement are dropped by the loader: no table or question here needs them. [file]';
comment on column beneficiary.person is
    'Who: BENE_ID as a keyed hash, made before the row reaches Postgres. Kept to tell people apart and to follow one over years; joins enrolment_span.person where CMS gives one number in both (its synthetic files of today do not). [file]';
comment on column beneficiary.state_code is
    'State of residence, SSA code of two digits (22 Massachusetts). Kept because plans are sold by county, and the county code may need it. [file]';
comment on column beneficiary.bene_county_cd is
    'County of residence at the end of the year, SSA code: five digits with the state''s, or three that stand behind state_code. Kept because plans are sold by county. [file]';
comment on column beneficiary.mbi is
    'The Medicare number (MBI) as a keyed hash, made before the row reaches Postgres; joins bene_mbi.mbi. Kept because it is how an app finds the person. [file]';
comment on column beneficiary.rfrnc_yr is
    'Year that the row speaks of. Kept as a part of the key. [file]';
comment on column beneficiary.a_mo_cnt is
    'Months of the year with Part A, 0 to 12. Kept because a Medicare Advantage plan needs Parts A and B. [file]';
comment on column beneficiary.b_mo_cnt is
    'Months of the year with Part B, 0 to 12. Kept because a Medicare Advantage plan needs Parts A and B. [file]';
comment on column beneficiary.fips_state_cnty_dec_cd is
    'County of residence in December, FIPS code of five digits; blank in many rows. Kept because ZIP codes and maps go by FIPS. [file]';

-- post-data
alter table beneficiary add primary key (person, rfrnc_yr);
create index beneficiary_mbi on beneficiary (mbi);

-- check: a year has twelve months
select rfrnc_yr, count(*)
from beneficiary
where a_mo_cnt not between 0 and 12
   or b_mo_cnt not between 0 and 12
group by rfrnc_yr;
