-- pre-data
-- 307 million rows: every byte of a row is 0.3 GB. CMS's twenty columns are some 5,500 plans, 70,000
-- pharmacies and some thousand sets of terms; the loader keeps each in a table of its own and gives it a
-- number. A plan has most of the pharmacies, so that a row of this table has the terms of up to 256 of
-- them side by side: an array whose subscript is the pharmacy's number. That is 5 bytes a row of CMS's,
-- where three numbers and their key's index took 65 and the columns themselves 166. View plan_pharmacy
-- gives CMS's columns back.
create table pharmacy_networks (
    block      integer   not null,
    piece      integer   not null,
    plan_key   smallint  not null,
    terms_keys integer[] not null
);

comment on table pharmacy_networks is
    'Pharmacies in a plan''s network and what they are paid to dispense: one row a plan and block of 256 pharmacies, with an array of keys into network_terms. Ask view plan_pharmacy, which has CMS''s columns, one row a plan and pharmacy. Part D release, pharmacy networks file, six parts. [layout]';
comment on column pharmacy_networks.block is
    'Pharmacies that the row has: those whose network_pharmacy.block is the same. [layout]';
comment on column pharmacy_networks.piece is
    'Tells rows of one plan and block apart: pharmacies far from each other are in rows of their own; from 16 on, those of a plan that came again elsewhere in the files. Given anew in every build. [layout]';
comment on column pharmacy_networks.plan_key is
    'Plan; joins network_plan.id. Given anew in every build. [layout]';
comment on column pharmacy_networks.terms_keys is
    'Terms between the plan and each pharmacy; the one of pharmacy N is terms_keys[N], N being network_pharmacy.id, and joins network_terms.id. 0, or no such element, where the pharmacy is not in this row. Given anew in every build. [layout]';

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
    pharmacy_zipcode            text,
    block                       integer generated always as (id / 256) stored
);

comment on table network_pharmacy is
    'Pharmacies that the pharmacy networks file names: one row a number and ZIP code. Each plan reports the ZIP code, so a number may have two. Table pharmacy has one row a pharmacy. [layout]';
comment on column network_pharmacy.id is
    'Number of the pharmacy in this build; its place in pharmacy_networks.terms_keys. [layout]';
comment on column network_pharmacy.block is
    'id / 256: which rows of pharmacy_networks have the pharmacy. [layout]';
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
    'Number of the set in this build; an element of pharmacy_networks.terms_keys. [layout]';
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
join network_pharmacy f on f.block = n.block
join network_terms t on t.id = n.terms_keys[f.id];

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
-- A plan's pharmacies, or one of them. Which plans have a pharmacy is one look-up a plan, some 5,500 at
-- most: pharmacy_plans().
create unique index pharmacy_networks_key
    on pharmacy_networks (plan_key, block, piece) with (fillfactor = 100);
alter table network_plan add primary key (id);
create unique index network_plan_key on network_plan (contract_id, plan_id, segment_id);
alter table network_pharmacy add primary key (id);
create unique index network_pharmacy_key
    on network_pharmacy (pharmacy_number, pharmacy_zipcode) nulls not distinct;
create index network_pharmacy_block on network_pharmacy (block);
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

-- check: no plan has a pharmacy twice
-- The loader refuses a second row where it gathers a plan's; here are those that it gathered apart.
with apart as materialized (
    select distinct plan_key, block from pharmacy_networks where piece >= 16
)
select p.contract_id, p.plan_id, p.segment_id, f.pharmacy_number
from apart
join pharmacy_networks n using (plan_key, block)
cross join lateral generate_subscripts(n.terms_keys, 1) as place (pharmacy_key)
join network_plan p on p.id = n.plan_key
join network_pharmacy f on f.id = place.pharmacy_key
where n.terms_keys[place.pharmacy_key] <> 0
group by p.id, p.contract_id, p.plan_id, p.segment_id, f.id, f.pharmacy_number
having count(*) > 1
limit 10;

-- check: no plan has a pharmacy twice, under two ZIP codes
-- A hundred of the numbers with two ZIP codes are looked at.
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
where (select count(*)
       from unnest(twice.ids) as f (id)
       join pharmacy_networks n on n.plan_key = p.id and n.block = f.id / 256
       where n.terms_keys[f.id] <> 0) > 1;

-- check: in the first rows and in a sample of pages, every key has its entry
-- Not a scan: at 307 million rows three joins take minutes.
select n.plan_key, n.block, place.pharmacy_key, n.terms_keys[place.pharmacy_key] as terms_key
from (
    (select * from pharmacy_networks limit 100)
    union all
    (select * from pharmacy_networks tablesample system (0.1) repeatable (1) limit 1000)
) as n
cross join lateral generate_subscripts(n.terms_keys, 1) as place (pharmacy_key)
left join network_plan p on p.id = n.plan_key
left join network_pharmacy f on f.id = place.pharmacy_key and f.block = n.block
left join network_terms t on t.id = n.terms_keys[place.pharmacy_key]
where n.terms_keys[place.pharmacy_key] <> 0 and (p.id is null or f.id is null or t.id is null);
