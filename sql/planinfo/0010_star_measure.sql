-- pre-data
create table star_measure (
    year                        smallint not null,
    contract_id                 text not null,
    organization_type           text,
    contract_name               text,
    organization_marketing_name text,
    parent_organization         text,
    fields                      jsonb not null
);

comment on table star_measure is
    'Star ratings, measure data: what was measured, one row a contract and year, a key of fields a measure. star_rating has the values typed. [file]';
comment on column star_measure.year is
    'Year of the star ratings, from the file''s name: published in October before, shown to people who choose a plan for that year. [file]';
comment on column star_measure.contract_id is
    'CMS contract: a letter and four digits. H local Medicare Advantage and cost, R regional, S stand-alone drug plan, E employer direct, X fallback. [file]';
comment on column star_measure.organization_type is
    'Kind of contract in words: Local CCP, Regional CCP, PDP, Demo. [file]';
comment on column star_measure.contract_name is
    'Legal name of the organization that holds the contract. [file]';
comment on column star_measure.organization_marketing_name is
    'Name under which the organization sells; CMS cuts it at 50 characters. [file]';
comment on column star_measure.parent_organization is
    'Company that owns the organization. [file]';
comment on column star_measure.fields is
    'Column name to value, one a measure: C01: Breast Cancer Screening. Where CMS writes names over several rows they are joined: HD1: domain | C01: measure | 01/01/2021 – 12/31/2021. Values are 74%, 92 or words such as Not enough data available. Text as CMS wrote it, blanks at the ends removed; fields that are empty are left out. [file]';

-- post-data
alter table star_measure add primary key (year, contract_id);

-- check: contracts have the form that joins need
select year, contract_id
from star_measure
where contract_id !~ '^[A-Z][0-9]{4}$';
