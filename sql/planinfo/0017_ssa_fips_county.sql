-- pre-data
create table ssa_fips_county (
    county     text,
    state      text not null,
    ssacounty  text not null,
    fipscounty text not null,
    cbsa       text,
    cbsaname   text,
    ssastate   text not null generated always as (left(ssacounty, 2)) stored,
    fipsstate  text not null generated always as (left(fipscounty, 2)) stored
);

comment on table ssa_fips_county is
    'SSA county codes and the FIPS codes they stand for: one row an SSA code, or two where it stands for two FIPS counties. States, the District of Columbia and Puerto Rico; no other territory. NBER from CMS, the newest year that has landed: 2017, and later ones with other headings. Counties that have one of the codes alone are left out. [file]';
comment on column ssa_fips_county.county is
    'Name of the county in capitals; STATEWIDE in a row that stands for the state. [file]';
comment on column ssa_fips_county.state is
    'State, two letters. [file]';
comment on column ssa_fips_county.ssacounty is
    'SSA county code, five digits: CMS''s own numbering, in plan_information and service_area. [file]';
comment on column ssa_fips_county.fipscounty is
    'FIPS county code, five digits: the Census Bureau''s numbering. Los Angeles (06037) has two SSA codes. [file]';
comment on column ssa_fips_county.cbsa is
    'Core based statistical area, five digits; null outside of any. [file]';
comment on column ssa_fips_county.cbsaname is
    'Name of the core based statistical area. [file]';
comment on column ssa_fips_county.ssastate is
    'SSA state code, two digits: the first two of ssacounty. [file]';
comment on column ssa_fips_county.fipsstate is
    'FIPS state code, two digits: the first two of fipscounty. [file]';

-- post-data
alter table ssa_fips_county add primary key (ssacounty, fipscounty);
create index ssa_fips_county_fips on ssa_fips_county (fipscounty);

-- check: codes have five digits
select ssacounty, fipscounty
from ssa_fips_county
where ssacounty !~ '^[0-9]{5}$'
   or fipscounty !~ '^[0-9]{5}$';
