-- pre-data
create table geographic_locator (
    county_code     text not null,
    statename       text,
    county          text,
    ma_region_code  text,
    ma_region       text,
    pdp_region_code text,
    pdp_region      text
);

comment on table geographic_locator is
    'One row a county: the regions in which regional Medicare Advantage plans and stand-alone drug plans are sold there. Part D release, geographic locator file. [file]';
comment on column geographic_locator.county_code is
    'SSA county code, five characters with leading zeros. Not FIPS; some counties have two (Los Angeles 05200 and 05210). [file]';
comment on column geographic_locator.statename is
    'State or territory in words, as CMS spells it. [file]';
comment on column geographic_locator.county is
    'County in words, without the word county. Not unique: join by county_code. [file]';
comment on column geographic_locator.ma_region_code is
    'Medicare Advantage region, two characters with leading zero; joins plan_information.ma_region_code (R contracts). Null in the territories. [layout]';
comment on column geographic_locator.ma_region is
    'Medicare Advantage region in words. [file]';
comment on column geographic_locator.pdp_region_code is
    'Prescription drug plan region, two characters with leading zero; joins plan_information.pdp_region_code (S contracts). [file]';
comment on column geographic_locator.pdp_region is
    'Prescription drug plan region in words. [file]';

-- post-data
-- 3,279 rows: a scan by region is cheaper than an index on it.
alter table geographic_locator add primary key (county_code);

-- check: a county code has five characters, its leading zeros kept
select county_code from geographic_locator where county_code !~ '^[0-9A-Z]{5}$';
