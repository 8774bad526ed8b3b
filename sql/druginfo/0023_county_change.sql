-- derive
-- Counties that changed their FIPS code or their name and stayed what they were: one row each. Files
-- are of different years and go by the one or the other. Add a row when the Census Bureau announces one.
create table county_change (
    state              text not null,
    county_fips_before text not null,
    name_before        text not null,
    county_fips        text not null,
    name               text not null,
    since              smallint not null
);

insert into county_change (state, county_fips_before, name_before, county_fips, name, since)
values
    ('AK', '02270', 'Wade Hampton', '02158', 'Kusilvak', 2015),
    ('SD', '46113', 'Shannon', '46102', 'Oglala Lakota', 2015);

alter table county_change add primary key (county_fips_before);

comment on table county_change is
    'Counties that have a new FIPS code or a new name, with the old one: files of different years go by either. Counties that were cut otherwise (Connecticut''s planning regions of 2022) are not here: they need newer county and postal code files. Fixed: the Census Bureau''s list of changes to counties.';
comment on column county_change.state is
    'State, two letters; joins state.state.';
comment on column county_change.county_fips_before is
    'FIPS county code until then.';
comment on column county_change.name_before is
    'Name until then, without the word County.';
comment on column county_change.county_fips is
    'FIPS county code since.';
comment on column county_change.name is
    'Name since, without the word County.';
comment on column county_change.since is
    'Year of the change.';
