-- pre-data
create table star_summary (
    year                        smallint not null,
    contract_id                 text not null,
    organization_type           text,
    contract_name               text,
    organization_marketing_name text,
    parent_organization         text,
    snp                         text,
    fields                      jsonb not null
);

comment on table star_summary is
    'Star ratings, summary: one row a contract and year, with the Part C, Part D and overall rating in fields. star_rating has them typed. [file]';
comment on column star_summary.year is
    'Year of the star ratings, from the file''s name: published in October before, shown to people who choose a plan for that year. [file]';
comment on column star_summary.contract_id is
    'CMS contract: a letter and four digits. H local Medicare Advantage and cost, R regional, S stand-alone drug plan, E employer direct, X fallback. [file]';
comment on column star_summary.organization_type is
    'Kind of contract in words: Local CCP, Regional CCP, PDP, Demo. [file]';
comment on column star_summary.contract_name is
    'Legal name of the organization that holds the contract. [file]';
comment on column star_summary.organization_marketing_name is
    'Name under which the organization sells; CMS cuts it at 50 characters. [file]';
comment on column star_summary.parent_organization is
    'Company that owns the organization. [file]';
comment on column star_summary.snp is
    'Yes where the contract has a special needs plan. [file]';
comment on column star_summary.fields is
    'The columns whose names hold the year: 2024 Part C Summary, 2024 Part D Summary, 2024 Overall, and the share of members in disaster areas, 2022 Disaster %. Text as CMS wrote it, blanks at the ends removed; fields that are empty are left out. [file]';

-- post-data
alter table star_summary add primary key (year, contract_id);

-- check: contracts have the form that joins need
select year, contract_id
from star_summary
where contract_id !~ '^[A-Z][0-9]{4}$';
