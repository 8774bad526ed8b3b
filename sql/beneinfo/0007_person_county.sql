-- derive
create table person_county (
    person           uuid not null,
    year             smallint not null,
    ssa_county_code  text,
    fips_county_code text,
    has_a_and_b      boolean
);

comment on table person_county is
    'Where a person lived in a year, and so which plans could be chosen. From beneficiary.';
comment on column person_county.person is
    'Who, a keyed hash; joins enrolment_span where CMS gives one number in both.';
comment on column person_county.year is
    'The year.';
comment on column person_county.ssa_county_code is
    'County at the end of the year, SSA code of five digits; joins geographic_locator.county_code of druginfo. Null where the file has no such code.';
comment on column person_county.fips_county_code is
    'County in December, FIPS code of five digits. Null where the file has none; the SSA code then leads to it by planinfo''s ssa_fips_county.';
comment on column person_county.has_a_and_b is
    'Whether the person had Parts A and B in all twelve months, as a Medicare Advantage plan needs. Null where the file does not say.';

insert into person_county
select person, rfrnc_yr,
       case when bene_county_cd ~ '^[0-9]{5}$' then bene_county_cd
            when bene_county_cd ~ '^[0-9]{3}$' and state_code ~ '^[0-9]{2}$'
                then state_code || bene_county_cd
       end,
       case when fips_state_cnty_dec_cd ~ '^[0-9]{5}$' then fips_state_cnty_dec_cd end,
       a_mo_cnt = 12 and b_mo_cnt = 12
from beneficiary;

alter table person_county add primary key (person, year);
create index person_county_ssa on person_county (ssa_county_code, year);
