-- pre-data
create table zip_county (
    zip    text not null,
    fips   text not null,
    county text,
    state  text
);

comment on table zip_county is
    'Counties that a postal code lies in: one row a postal code and county; a quarter of the postal codes lie in more than one. [file]';
comment on column zip_county.zip is
    'Postal code, five digits. [file]';
comment on column zip_county.fips is
    'FIPS county code; joins county.county_fips. [file]';
comment on column zip_county.county is
    'Name of the county; Unknown for American Samoa. [file]';
comment on column zip_county.state is
    'State, two letters. [file]';

-- post-data
alter table zip_county add primary key (zip, fips);
create index zip_county_fips on zip_county (fips);

-- check: postal code and county have five digits
select zip, fips
from zip_county
where zip !~ '^[0-9]{5}$'
   or fips !~ '^[0-9]{5}$';
