-- pre-data
-- 307 million rows: every byte of a row is 0.3 GB. Columns stand in file order,
-- for booleans and short text and numeric values align on one byte: no order
-- saves anything.
create table pharmacy_networks (
    contract_id                 text not null,
    plan_id                     text not null,
    segment_id                  text not null,
    pharmacy_number             text not null,
    pharmacy_zipcode            text,
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

comment on table pharmacy_networks is
    'Pharmacies in a plan''s network and what they are paid to dispense: one row a plan and pharmacy. Part D release, pharmacy networks file, six parts. [layout]';
comment on column pharmacy_networks.contract_id is
    'CMS contract; with plan_id and segment_id the plan key, joins plan_information. [layout]';
comment on column pharmacy_networks.plan_id is
    'Plan within the contract, three digits. [layout]';
comment on column pharmacy_networks.segment_id is
    'Segment of the plan, three digits; 000 where the plan has none. [layout]';
comment on column pharmacy_networks.pharmacy_number is
    'Pharmacy, twelve digits: 10 and the ten digits of its NPI (substr(pharmacy_number, 3)). Name and address are in NPPES. [layout]';
comment on column pharmacy_networks.pharmacy_zipcode is
    'ZIP code of the pharmacy, five digits with leading zeros. [layout]';
comment on column pharmacy_networks.preferred_status_retail is
    'True (Y) where the pharmacy is preferred for retail: the pref columns of beneficiary_cost apply, else nonpref. [layout]';
comment on column pharmacy_networks.preferred_status_mail is
    'True (Y) where the pharmacy is preferred for mail order: the mail_pref columns of beneficiary_cost apply, else mail_nonpref. [layout]';
comment on column pharmacy_networks.pharmacy_retail is
    'True (Y) where the pharmacy serves the plan at retail. [layout]';
comment on column pharmacy_networks.pharmacy_mail is
    'True (Y) where the pharmacy serves the plan by mail order. [layout]';
comment on column pharmacy_networks.in_area_flag is
    'True (1) where the pharmacy lies in the plans service area, false (0) elsewhere. [layout]';
comment on column pharmacy_networks.floor_price is
    'Lowest price at which the pharmacy sells a drug under the plan, US dollars. Null in monthly releases, which lack the column. [layout]';
comment on column pharmacy_networks.brand_dispensing_fee_30 is
    'Fee for dispensing 30 days of a brand drug, US dollars. [layout]';
comment on column pharmacy_networks.brand_dispensing_fee_60 is
    'Fee for dispensing 60 days of a brand drug, US dollars. [layout]';
comment on column pharmacy_networks.brand_dispensing_fee_90 is
    'Fee for dispensing 90 days of a brand drug, US dollars. [layout]';
comment on column pharmacy_networks.generic_dispensing_fee_30 is
    'Fee for dispensing 30 days of a generic drug, US dollars. [layout]';
comment on column pharmacy_networks.generic_dispensing_fee_60 is
    'Fee for dispensing 60 days of a generic drug, US dollars. [layout]';
comment on column pharmacy_networks.generic_dispensing_fee_90 is
    'Fee for dispensing 90 days of a generic drug, US dollars. [layout]';
comment on column pharmacy_networks.selected_dispensing_fee_30 is
    'Fee for dispensing 30 days of a drug whose price Medicare negotiated, US dollars. Null where CMS writes a full stop (the brand fee then holds), and in files of the 2023 vintage, which lack the column. [layout]';
comment on column pharmacy_networks.selected_dispensing_fee_60 is
    'Fee for dispensing 60 days of a drug whose price Medicare negotiated, US dollars. Null where CMS writes a full stop (the brand fee then holds), and in files of the 2023 vintage, which lack the column. [layout]';
comment on column pharmacy_networks.selected_dispensing_fee_90 is
    'Fee for dispensing 90 days of a drug whose price Medicare negotiated, US dollars. Null where CMS writes a full stop (the brand fee then holds), and in files of the 2023 vintage, which lack the column. [layout]';

-- post-data
-- The one index that this table can afford: a plan's pharmacies, or one of them.
-- All plans of a pharmacy would need a second index of this size.
alter table pharmacy_networks add primary key (contract_id, plan_id, segment_id, pharmacy_number);

-- check: in the first rows and in a sample of pages, a pharmacy number is 10 and an NPI
-- Not a scan: at 307 million rows a regular expression on each takes minutes.
select contract_id, plan_id, segment_id, pharmacy_number
from (
    (select * from pharmacy_networks limit 10000)
    union all
    (select * from pharmacy_networks tablesample system (0.1) repeatable (1) limit 100000)
) as looked_at
where pharmacy_number !~ '^10[0-9]{10}$';
