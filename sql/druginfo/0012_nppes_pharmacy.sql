-- pre-data
create table nppes_pharmacy (
    npi                               text not null,
    entity_type_code                  text,
    organization_name                 text,
    last_name                         text,
    first_name                        text,
    other_organization_name           text,
    other_organization_name_type_code text,
    address_1                         text,
    address_2                         text,
    city                              text,
    state                             text,
    zip5                              text,
    phone                             text,
    enumeration_date                  date,
    last_update_date                  date,
    deactivation_date                 date,
    reactivation_date                 date,
    taxonomy_1                        text,
    taxonomy_2                        text,
    taxonomy_3                        text,
    taxonomy_4                        text,
    taxonomy_5                        text,
    taxonomy_6                        text,
    taxonomy_7                        text,
    taxonomy_8                        text,
    taxonomy_9                        text,
    taxonomy_10                       text,
    taxonomy_11                       text,
    taxonomy_12                       text,
    taxonomy_13                       text,
    taxonomy_14                       text,
    taxonomy_15                       text
);

comment on table nppes_pharmacy is
    'Pharmacies among the providers of the United States: one row an NPI of which any taxonomy code begins with 3336. National Plan and Provider Enumeration System (NPPES), monthly data dissemination, npidata_pfile; other providers are filtered out. [layout]';
comment on column nppes_pharmacy.npi is
    'National Provider Identifier, ten digits. A pharmacy_number in pharmacy_networks is 10 and the NPI. [layout]';
comment on column nppes_pharmacy.entity_type_code is
    '1 a person, 2 an organisation. Null once the NPI is deactivated. [layout]';
comment on column nppes_pharmacy.organization_name is
    'Legal name of an organisation; null for a person. [layout]';
comment on column nppes_pharmacy.last_name is
    'Family name of a person who is the pharmacy; null for an organisation. [layout]';
comment on column nppes_pharmacy.first_name is
    'Given name of such a person; null for an organisation. [layout]';
comment on column nppes_pharmacy.other_organization_name is
    'Name that the pharmacy trades under, where it is another than the legal one. [layout]';
comment on column nppes_pharmacy.other_organization_name_type_code is
    'What the other name is: 3 doing business as, 4 former legal name, 5 other. [layout]';
comment on column nppes_pharmacy.address_1 is
    'Street address of the pharmacy, first line. [layout]';
comment on column nppes_pharmacy.address_2 is
    'Street address of the pharmacy, second line. [layout]';
comment on column nppes_pharmacy.city is
    'City of the pharmacy. [layout]';
comment on column nppes_pharmacy.state is
    'State of the pharmacy, two letters. [layout]';
comment on column nppes_pharmacy.zip5 is
    'ZIP code of the pharmacy, five digits: the first five of the five or nine that NPPES holds. [layout]';
comment on column nppes_pharmacy.phone is
    'Telephone of the pharmacy, digits without punctuation. [layout]';
comment on column nppes_pharmacy.enumeration_date is
    'Day on which the NPI was given. [layout]';
comment on column nppes_pharmacy.last_update_date is
    'Day on which the entry last changed. [layout]';
comment on column nppes_pharmacy.deactivation_date is
    'Day on which the NPI was withdrawn; null while it is valid. [layout]';
comment on column nppes_pharmacy.reactivation_date is
    'Day on which a withdrawn NPI became valid again. [layout]';
comment on column nppes_pharmacy.taxonomy_1 is
    'First taxonomy code. Pharmacies: 3336C0003X community, 3336C0002X clinic, 3336C0004X compounding, 3336H0001X home infusion, 3336I0012X institutional, 3336L0003X long-term care, 3336M0002X mail order, 3336M0003X managed care, 3336N0007X nuclear, 3336S0011X specialty, 333600000X pharmacy. [layout]';
comment on column nppes_pharmacy.taxonomy_2 is
    'Taxonomy code number 2, coded as taxonomy_1. [layout]';
comment on column nppes_pharmacy.taxonomy_3 is
    'Taxonomy code number 3, coded as taxonomy_1. [layout]';
comment on column nppes_pharmacy.taxonomy_4 is
    'Taxonomy code number 4, coded as taxonomy_1. [layout]';
comment on column nppes_pharmacy.taxonomy_5 is
    'Taxonomy code number 5, coded as taxonomy_1. [layout]';
comment on column nppes_pharmacy.taxonomy_6 is
    'Taxonomy code number 6, coded as taxonomy_1. [layout]';
comment on column nppes_pharmacy.taxonomy_7 is
    'Taxonomy code number 7, coded as taxonomy_1. [layout]';
comment on column nppes_pharmacy.taxonomy_8 is
    'Taxonomy code number 8, coded as taxonomy_1. [layout]';
comment on column nppes_pharmacy.taxonomy_9 is
    'Taxonomy code number 9, coded as taxonomy_1. [layout]';
comment on column nppes_pharmacy.taxonomy_10 is
    'Taxonomy code number 10, coded as taxonomy_1. [layout]';
comment on column nppes_pharmacy.taxonomy_11 is
    'Taxonomy code number 11, coded as taxonomy_1. [layout]';
comment on column nppes_pharmacy.taxonomy_12 is
    'Taxonomy code number 12, coded as taxonomy_1. [layout]';
comment on column nppes_pharmacy.taxonomy_13 is
    'Taxonomy code number 13, coded as taxonomy_1. [layout]';
comment on column nppes_pharmacy.taxonomy_14 is
    'Taxonomy code number 14, coded as taxonomy_1. [layout]';
comment on column nppes_pharmacy.taxonomy_15 is
    'Taxonomy code number 15, coded as taxonomy_1. [layout]';

-- post-data
alter table nppes_pharmacy add primary key (npi);
create index nppes_pharmacy_zip5 on nppes_pharmacy (zip5);

-- check: an NPI is ten digits, and its last is the check digit
-- Luhn over the nine digits before with 80840 in front, for which 24 stands (45 CFR 162.406): every
-- other digit is doubled, and of a doubled one the digits' sum counts.
select npi
from nppes_pharmacy
where case
    when npi !~ '^[0-9]{10}$' then true
    else (24 + translate(substr(npi, 1, 1), '0123456789', '0246813579')::integer
             + substr(npi, 2, 1)::integer
             + translate(substr(npi, 3, 1), '0123456789', '0246813579')::integer
             + substr(npi, 4, 1)::integer
             + translate(substr(npi, 5, 1), '0123456789', '0246813579')::integer
             + substr(npi, 6, 1)::integer
             + translate(substr(npi, 7, 1), '0123456789', '0246813579')::integer
             + substr(npi, 8, 1)::integer
             + translate(substr(npi, 9, 1), '0123456789', '0246813579')::integer
             + substr(npi, 10, 1)::integer) % 10 <> 0
    end
limit 10;

-- check: every row is a pharmacy's
select npi
from nppes_pharmacy
where not concat_ws(' ', taxonomy_1, taxonomy_2, taxonomy_3, taxonomy_4, taxonomy_5, taxonomy_6,
                    taxonomy_7, taxonomy_8, taxonomy_9, taxonomy_10, taxonomy_11, taxonomy_12,
                    taxonomy_13, taxonomy_14, taxonomy_15) ~ '\m3336'
limit 10;
