-- pre-data
create table star_disenrollment (
    year                        smallint not null,
    contract_id                 text not null,
    organization_marketing_name text,
    contract_name               text,
    parent_organization         text,
    fields                      jsonb not null
);

comment on table star_disenrollment is
    'Star ratings, reasons for leaving: the share of those who left a contract and gave the reason, one row a contract and year. star_rating has them typed. [file]';
comment on column star_disenrollment.year is
    'Year of the star ratings, from the file''s name: published in October before, shown to people who choose a plan for that year. [file]';
comment on column star_disenrollment.contract_id is
    'CMS contract: a letter and four digits. H local Medicare Advantage and cost, R regional, S stand-alone drug plan, E employer direct, X fallback. [file]';
comment on column star_disenrollment.organization_marketing_name is
    'Name under which the organization sells; CMS cuts it at 50 characters. [file]';
comment on column star_disenrollment.contract_name is
    'Legal name of the organization that holds the contract. [file]';
comment on column star_disenrollment.parent_organization is
    'Company that owns the organization. [file]';
comment on column star_disenrollment.fields is
    'Reason to share, as 19%, or words such as Not Available. Text as CMS wrote it, blanks at the ends removed; fields that are empty are left out. [file]';

-- post-data
alter table star_disenrollment add primary key (year, contract_id);

-- check: contracts have the form that joins need
select year, contract_id
from star_disenrollment
where contract_id !~ '^[A-Z][0-9]{4}$';
