-- pre-data
create table zip_county (
    zip    text not null,
    fips   text not null,
    county text,
    state  text
);

comment on table zip_county is
    'Counties that a ZIP code lies in: one row a ZIP code and county, many to many. [file]';
comment on column zip_county.zip is
    'ZIP code, five digits with leading zeros. [file]';
comment on column zip_county.fips is
    'FIPS county code, five digits with leading zeros; joins ssa_fips_county.fipscounty. [file]';
comment on column zip_county.county is
    'County in words. [file]';
comment on column zip_county.state is
    'State or territory, two letters. [file]';

-- post-data
alter table zip_county add primary key (zip, fips);

-- check: ZIP and county codes are five digits, leading zeros kept
select zip, fips from zip_county where zip !~ '^[0-9]{5}$' or fips !~ '^[0-9]{5}$';
