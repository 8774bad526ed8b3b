-- pre-data
-- 307 million rows: every byte of a row is 0.3 GB. CMS's twenty columns are some 5,500 plans, 70,000
-- pharmacies and some thousand sets of terms; the loader keeps each in a table of its own and
-- writes three keys a row: 64 bytes with the key's index, where the columns themselves took 166.
-- View plan_pharmacy gives CMS's columns back.
create table pharmacy_networks (
    pharmacy_key integer  not null,
    terms_key    integer  not null,
    plan_key     smallint not null
);

comment on table pharmacy_networks is
    'Pharmacies in a plan''s network and what they are paid to dispense: one row a plan and pharmacy, as keys into network_plan, network_pharmacy and network_terms; view plan_pharmacy has CMS''s columns. Part D release, pharmacy networks file, six parts. [layout]';
comment on column pharmacy_networks.pharmacy_key is
    'Pharmacy and ZIP code; joins network_pharmacy.id. Given anew in every build. [layout]';
comment on column pharmacy_networks.terms_key is
    'Terms between plan and pharmacy; joins network_terms.id. Given anew in every build. [layout]';
comment on column pharmacy_networks.plan_key is
    'Plan; joins network_plan.id. Given anew in every build. [layout]';

create table network_plan (
    id                          smallint not null,
    contract_id                 text not null,
    plan_id                     text not null,
    segment_id                  text not null
);

comment on table network_plan is
    'Plans that the pharmacy networks file names: one row a plan. Table plan has all plans. [layout]';
comment on column network_plan.id is
    'Number of the plan in this build; pharmacy_networks.plan_key. [layout]';
comment on column network_plan.contract_id is
    'CMS contract; with plan_id and segment_id the plan key, joins plan_information. [layout]';
comment on column network_plan.plan_id is
    'Plan within the contract, three digits. [layout]';
comment on column network_plan.segment_id is
    'Segment of the plan, three digits; 000 where the plan has none. [layout]';

create table network_pharmacy (
    id                          integer not null,
    pharmacy_number             text not null,
    pharmacy_zipcode            text
);

comment on table network_pharmacy is
    'Pharmacies that the pharmacy networks file names: one row a number and ZIP code. Each plan reports the ZIP code, so a number may have two. Table pharmacy has one row a pharmacy. [layout]';
comment on column network_pharmacy.id is
    'Number of the pharmacy in this build; pharmacy_networks.pharmacy_key. [layout]';
comment on column network_pharmacy.pharmacy_number is
    'Pharmacy, twelve digits: 10 and the ten digits of its NPI (substr(pharmacy_number, 3)). Name and address are in NPPES. [layout]';
comment on column network_pharmacy.pharmacy_zipcode is
    'ZIP code of the pharmacy, five digits with leading zeros. [layout]';

create table network_terms (
    id                          integer not null,
    preferred_status_retail     boolean,
    preferred_status_mail       boolean,
    pharmacy_retail             boolean,
    pharmacy_mail               boolean,
    in_area_flag                boolean,
    floor_price                 numeric(10,4),
    brand_dispensing_fee_30     numeric(10,4),
    brand_dispensing_fee_60     numeric(10,4),
    brand_dispensing_fee_90     numeric(10,4),
    generic_dispensing_fee_30   numeric(10,4),
    generic_dispensing_fee_60   numeric(10,4),
    generic_dispensing_fee_90   numeric(10,4),
    selected_dispensing_fee_30  numeric(10,4),
    selected_dispensing_fee_60  numeric(10,4),
    selected_dispensing_fee_90  numeric(10,4)
);

comment on table network_terms is
    'Sets of terms that plans have with pharmacies: one row a set, which many plans and pharmacies share. [layout]';
comment on column network_terms.id is
    'Number of the set in this build; pharmacy_networks.terms_key. [layout]';
comment on column network_terms.preferred_status_retail is
    'True (Y) where the pharmacy is preferred for retail: the pref columns of beneficiary_cost apply, else nonpref. [layout]';
comment on column network_terms.preferred_status_mail is
    'True (Y) where the pharmacy is preferred for mail order: the mail_pref columns of beneficiary_cost apply, else mail_nonpref. [layout]';
comment on column network_terms.pharmacy_retail is
    'True (Y) where the pharmacy serves the plan at retail. [layout]';
comment on column network_terms.pharmacy_mail is
    'True (Y) where the pharmacy serves the plan by mail order. [layout]';
comment on column network_terms.in_area_flag is
    'True (1) where the pharmacy lies in the plan''s service area, false (0) elsewhere. [layout]';
comment on column network_terms.floor_price is
    'Least that the pharmacy is paid for a fill under the plan, US dollars. Null in monthly releases, which lack the column. [layout]';
comment on column network_terms.brand_dispensing_fee_30 is
    'Fee for dispensing 30 days of a brand drug, US dollars. [layout]';
comment on column network_terms.brand_dispensing_fee_60 is
    'Fee for dispensing 60 days of a brand drug, US dollars. [layout]';
comment on column network_terms.brand_dispensing_fee_90 is
    'Fee for dispensing 90 days of a brand drug, US dollars. [layout]';
comment on column network_terms.generic_dispensing_fee_30 is
    'Fee for dispensing 30 days of a generic drug, US dollars. [layout]';
comment on column network_terms.generic_dispensing_fee_60 is
    'Fee for dispensing 60 days of a generic drug, US dollars. [layout]';
comment on column network_terms.generic_dispensing_fee_90 is
    'Fee for dispensing 90 days of a generic drug, US dollars. [layout]';
comment on column network_terms.selected_dispensing_fee_30 is
    'Fee for dispensing 30 days of a drug whose price Medicare negotiated, US dollars. Null where CMS writes a full stop (the brand fee then holds), and in files of the 2023 vintage, which lack the column. [layout]';
comment on column network_terms.selected_dispensing_fee_60 is
    'Fee for dispensing 60 days of a drug whose price Medicare negotiated, US dollars. Null where CMS writes a full stop (the brand fee then holds), and in files of the 2023 vintage, which lack the column. [layout]';
comment on column network_terms.selected_dispensing_fee_90 is
    'Fee for dispensing 90 days of a drug whose price Medicare negotiated, US dollars. Null where CMS writes a full stop (the brand fee then holds), and in files of the 2023 vintage, which lack the column. [layout]';

create view plan_pharmacy as
select p.contract_id,
       p.plan_id,
       p.segment_id,
       f.pharmacy_number,
       f.pharmacy_zipcode,
       t.preferred_status_retail,
       t.preferred_status_mail,
       t.pharmacy_retail,
       t.pharmacy_mail,
       t.in_area_flag,
       t.floor_price,
       t.brand_dispensing_fee_30,
       t.brand_dispensing_fee_60,
       t.brand_dispensing_fee_90,
       t.generic_dispensing_fee_30,
       t.generic_dispensing_fee_60,
       t.generic_dispensing_fee_90,
       t.selected_dispensing_fee_30,
       t.selected_dispensing_fee_60,
       t.selected_dispensing_fee_90,
       substr(f.pharmacy_number, 3) as npi
from pharmacy_networks n
join network_plan p on p.id = n.plan_key
join network_pharmacy f on f.id = n.pharmacy_key
join network_terms t on t.id = n.terms_key;

comment on view plan_pharmacy is
    'Pharmacies in a plan''s network and what they are paid to dispense, in CMS''s columns: one row a plan and pharmacy. Ask by plan, or by plan and pharmacy; pharmacy_plans() says which plans have a pharmacy; any other question over all plans is a scan of 307 million rows. [layout]';
comment on column plan_pharmacy.contract_id is
    'CMS contract; with plan_id and segment_id the plan key, joins plan_information. [layout]';
comment on column plan_pharmacy.plan_id is
    'Plan within the contract, three digits. [layout]';
comment on column plan_pharmacy.segment_id is
    'Segment of the plan, three digits; 000 where the plan has none. [layout]';
comment on column plan_pharmacy.pharmacy_number is
    'Pharmacy, twelve digits: 10 and the ten digits of its NPI (substr(pharmacy_number, 3)). Name and address are in NPPES. [layout]';
comment on column plan_pharmacy.pharmacy_zipcode is
    'ZIP code of the pharmacy, five digits with leading zeros. [layout]';
comment on column plan_pharmacy.preferred_status_retail is
    'True (Y) where the pharmacy is preferred for retail: the pref columns of beneficiary_cost apply, else nonpref. [layout]';
comment on column plan_pharmacy.preferred_status_mail is
    'True (Y) where the pharmacy is preferred for mail order: the mail_pref columns of beneficiary_cost apply, else mail_nonpref. [layout]';
comment on column plan_pharmacy.pharmacy_retail is
    'True (Y) where the pharmacy serves the plan at retail. [layout]';
comment on column plan_pharmacy.pharmacy_mail is
    'True (Y) where the pharmacy serves the plan by mail order. [layout]';
comment on column plan_pharmacy.in_area_flag is
    'True (1) where the pharmacy lies in the plan''s service area, false (0) elsewhere. [layout]';
comment on column plan_pharmacy.floor_price is
    'Least that the pharmacy is paid for a fill under the plan, US dollars. Null in monthly releases, which lack the column. [layout]';
comment on column plan_pharmacy.brand_dispensing_fee_30 is
    'Fee for dispensing 30 days of a brand drug, US dollars. [layout]';
comment on column plan_pharmacy.brand_dispensing_fee_60 is
    'Fee for dispensing 60 days of a brand drug, US dollars. [layout]';
comment on column plan_pharmacy.brand_dispensing_fee_90 is
    'Fee for dispensing 90 days of a brand drug, US dollars. [layout]';
comment on column plan_pharmacy.generic_dispensing_fee_30 is
    'Fee for dispensing 30 days of a generic drug, US dollars. [layout]';
comment on column plan_pharmacy.generic_dispensing_fee_60 is
    'Fee for dispensing 60 days of a generic drug, US dollars. [layout]';
comment on column plan_pharmacy.generic_dispensing_fee_90 is
    'Fee for dispensing 90 days of a generic drug, US dollars. [layout]';
comment on column plan_pharmacy.selected_dispensing_fee_30 is
    'Fee for dispensing 30 days of a drug whose price Medicare negotiated, US dollars. Null where CMS writes a full stop (the brand fee then holds), and in files of the 2023 vintage, which lack the column. [layout]';
comment on column plan_pharmacy.selected_dispensing_fee_60 is
    'Fee for dispensing 60 days of a drug whose price Medicare negotiated, US dollars. Null where CMS writes a full stop (the brand fee then holds), and in files of the 2023 vintage, which lack the column. [layout]';
comment on column plan_pharmacy.selected_dispensing_fee_90 is
    'Fee for dispensing 90 days of a drug whose price Medicare negotiated, US dollars. Null where CMS writes a full stop (the brand fee then holds), and in files of the 2023 vintage, which lack the column. [layout]';
comment on column plan_pharmacy.npi is
    'National Provider Identifier of the pharmacy, ten digits; joins pharmacy.npi and nppes_pharmacy.npi. [layout]';

-- post-data
-- The one index that this table can afford: a plan's pharmacies, or one of them. Which plans have a
-- pharmacy is one look-up a plan, some 5,500 at most: pharmacy_plans(). Nothing is written after the load, so that
-- pages are filled to the brim: 20 bytes a row in place of 22.
create unique index pharmacy_networks_key
    on pharmacy_networks (plan_key, pharmacy_key) with (fillfactor = 100);
alter table network_plan add primary key (id);
create unique index network_plan_key on network_plan (contract_id, plan_id, segment_id);
alter table network_pharmacy add primary key (id);
create unique index network_pharmacy_key
    on network_pharmacy (pharmacy_number, pharmacy_zipcode) nulls not distinct;
create index network_pharmacy_npi on network_pharmacy (substr(pharmacy_number, 3));
create index network_pharmacy_pharmacy_zipcode on network_pharmacy (pharmacy_zipcode);
alter table network_terms add primary key (id);
create unique index network_terms_key on network_terms (
    preferred_status_retail,
    preferred_status_mail,
    pharmacy_retail,
    pharmacy_mail,
    in_area_flag,
    floor_price,
    brand_dispensing_fee_30,
    brand_dispensing_fee_60,
    brand_dispensing_fee_90,
    generic_dispensing_fee_30,
    generic_dispensing_fee_60,
    generic_dispensing_fee_90,
    selected_dispensing_fee_30,
    selected_dispensing_fee_60,
    selected_dispensing_fee_90
) nulls not distinct;

-- check: a pharmacy number is 10 and an NPI
select pharmacy_number from network_pharmacy where pharmacy_number !~ '^10[0-9]{10}$' limit 10;

-- check: no plan has a pharmacy twice, under two ZIP codes
-- The key's index shows it for all others; a hundred of the numbers with two ZIP codes are looked at.
select p.contract_id, p.plan_id, p.segment_id, twice.pharmacy_number
from (
    select pharmacy_number, array_agg(id) as ids
    from network_pharmacy
    group by pharmacy_number
    having count(*) > 1
    order by pharmacy_number
    limit 100
) as twice
cross join network_plan p
where (select count(*) from pharmacy_networks n
       where n.plan_key = p.id and n.pharmacy_key = any (twice.ids)) > 1;

-- check: in the first rows and in a sample of pages, every key has its entry
-- Not a scan: at 307 million rows three joins take minutes.
select n.plan_key, n.pharmacy_key, n.terms_key
from (
    (select * from pharmacy_networks limit 10000)
    union all
    (select * from pharmacy_networks tablesample system (0.1) repeatable (1) limit 100000)
) as n
left join network_plan p on p.id = n.plan_key
left join network_pharmacy f on f.id = n.pharmacy_key
left join network_terms t on t.id = n.terms_key
where p.id is null or f.id is null or t.id is null;
