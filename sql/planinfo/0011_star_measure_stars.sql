-- pre-data
create table star_measure_stars (
    year                        smallint not null,
    contract_id                 text not null,
    organization_type           text,
    contract_name               text,
    organization_marketing_name text,
    parent_organization         text,
    fields                      jsonb not null
);

comment on table star_measure_stars is
    'Star ratings, measure stars: the stars that each measure earned, one row a contract and year. star_rating has them typed. [file]';
comment on column star_measure_stars.year is
    'Year of the star ratings, from the file''s name: published in October before, shown to people who choose a plan for that year. [file]';
comment on column star_measure_stars.contract_id is
    'CMS contract: a letter and four digits. H local Medicare Advantage and cost, R regional, S stand-alone drug plan, E employer direct, X fallback. [file]';
comment on column star_measure_stars.organization_type is
    'Kind of contract in words: Local CCP, Regional CCP, PDP, Demo. [file]';
comment on column star_measure_stars.contract_name is
    'Legal name of the organization that holds the contract. [file]';
comment on column star_measure_stars.organization_marketing_name is
    'Name under which the organization sells; CMS cuts it at 50 characters. [file]';
comment on column star_measure_stars.parent_organization is
    'Company that owns the organization. [file]';
comment on column star_measure_stars.fields is
    'Column name to stars, one a measure: 1 to 5, or words. Text as CMS wrote it, blanks at the ends removed; fields that are empty are left out. [file]';

-- post-data
alter table star_measure_stars add primary key (year, contract_id);

-- check: contracts have the form that joins need
select year, contract_id
from star_measure_stars
where contract_id !~ '^[A-Z][0-9]{4}$';
