-- pre-data
create table ssa_fips_county (
    county     text,
    state      text not null,
    ssacounty  text not null,
    fipscounty text not null,
    cbsa       text,
    cbsaname   text,
    ssastate   text generated always as (left(ssacounty, 2)) stored,
    fipsstate  text generated always as (left(fipscounty, 2)) stored
);

comment on table ssa_fips_county is
    'County codes of the Social Security Administration, which CMS uses, and of the Census Bureau (FIPS), which everybody else uses: one row an SSA county, or two where it stands for two FIPS counties. NBER from CMS, the newest year that has landed: 2017, and later ones with other headings. Counties that have one of the codes alone are left out. [file]';
comment on column ssa_fips_county.county is
    'County in capitals, without the word county. [file]';
comment on column ssa_fips_county.state is
    'State or territory, two letters. [file]';
comment on column ssa_fips_county.ssacounty is
    'SSA county code, five characters with leading zeros; joins plan_information.county_code and geographic_locator.county_code. Los Angeles has two: 05200 and 05210. [file]';
comment on column ssa_fips_county.fipscounty is
    'FIPS county code, five digits with leading zeros; joins zip_county.fips. [file]';
comment on column ssa_fips_county.cbsa is
    'Core-based statistical area of the county, five digits; null outside of any. [file]';
comment on column ssa_fips_county.cbsaname is
    'Core-based statistical area in words. [file]';
comment on column ssa_fips_county.ssastate is
    'SSA state code, two digits: the first two of ssacounty. [file]';
comment on column ssa_fips_county.fipsstate is
    'FIPS state code, two digits: the first two of fipscounty. [file]';

-- post-data
alter table ssa_fips_county add primary key (ssacounty, fipscounty);
create index ssa_fips_county_fipscounty on ssa_fips_county (fipscounty);

-- check: both codes are five characters, leading zeros kept
select ssacounty, fipscounty
from ssa_fips_county
where ssacounty !~ '^[0-9A-Z]{5}$' or fipscounty !~ '^[0-9]{5}$';
