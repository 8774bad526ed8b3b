-- pre-data
create table insulin_beneficiary_cost (
    contract_id                   text not null,
    plan_id                       text not null,
    segment_id                    text not null,
    tier                          smallint,
    days_supply                   smallint not null,
    copay_amt_pref_insln          numeric(10,2),
    copay_amt_nonpref_insln       numeric(10,2),
    copay_amt_mail_pref_insln     numeric(10,2),
    copay_amt_mail_nonpref_insln  numeric(10,2),
    coin_amt_pref_insln           numeric(8,4),
    coin_amt_nonpref_insln        numeric(8,4),
    coin_amt_mail_pref_insln      numeric(8,4),
    coin_amt_mail_nonpref_insln   numeric(8,4)
);

comment on table insulin_beneficiary_cost is
    'What a member pays for insulin, which no deductible precedes: by plan, tier and days of supply. Overrides beneficiary_cost for insulin. Part D release, insulin beneficiary cost file. [file]';
comment on column insulin_beneficiary_cost.contract_id is
    'CMS contract; with plan_id and segment_id the plan key, joins plan_information. [file]';
comment on column insulin_beneficiary_cost.plan_id is
    'Plan within the contract, three digits. [file]';
comment on column insulin_beneficiary_cost.segment_id is
    'Segment of the plan, three digits; 000 where the plan has none. [file]';
comment on column insulin_beneficiary_cost.tier is
    'Cost sharing tier. Null where CMS writes a full stop: the row holds for all tiers (defined standard plans). [layout]';
comment on column insulin_beneficiary_cost.days_supply is
    'A code, not days: 1 is 30 days, 2 is 90 days, 3 is other, 4 is 60 days. [file]';
comment on column insulin_beneficiary_cost.copay_amt_pref_insln is
    'Copay at a preferred retail pharmacy, US dollars for the whole supply. Null: not offered; 0.00: free. [file]';
comment on column insulin_beneficiary_cost.copay_amt_nonpref_insln is
    'Copay at a other (standard) retail pharmacy, US dollars for the whole supply. Null: not offered; 0.00: free. [file]';
comment on column insulin_beneficiary_cost.copay_amt_mail_pref_insln is
    'Copay at a preferred mail order pharmacy, US dollars for the whole supply. Null: not offered; 0.00: free. [file]';
comment on column insulin_beneficiary_cost.copay_amt_mail_nonpref_insln is
    'Copay at a other (standard) mail order pharmacy, US dollars for the whole supply. Null: not offered; 0.00: free. [file]';
comment on column insulin_beneficiary_cost.coin_amt_pref_insln is
    'Coinsurance at a preferred retail pharmacy, a fraction (0.25 is 25 %). Null: not offered; 0.00: free. Null too in vintages without the column. [file]';
comment on column insulin_beneficiary_cost.coin_amt_nonpref_insln is
    'Coinsurance at a other (standard) retail pharmacy, a fraction (0.25 is 25 %). Null: not offered; 0.00: free. Null too in vintages without the column. [file]';
comment on column insulin_beneficiary_cost.coin_amt_mail_pref_insln is
    'Coinsurance at a preferred mail order pharmacy, a fraction (0.25 is 25 %). Null: not offered; 0.00: free. Null too in vintages without the column. [file]';
comment on column insulin_beneficiary_cost.coin_amt_mail_nonpref_insln is
    'Coinsurance at a other (standard) mail order pharmacy, a fraction (0.25 is 25 %). Null: not offered; 0.00: free. Null too in vintages without the column. [file]';

-- post-data
-- A plan may have one row for all tiers, its tier null: a second one is a repeat.
create unique index insulin_beneficiary_cost_key
    on insulin_beneficiary_cost (contract_id, plan_id, segment_id, tier, days_supply)
    nulls not distinct;

-- check: days of supply is a code that CMS defines
select contract_id, plan_id, segment_id, tier, days_supply
from insulin_beneficiary_cost
where days_supply not in (1, 2, 3, 4);

-- check: coinsurance is a fraction, not a percentage
select contract_id, plan_id, segment_id, tier, days_supply
from insulin_beneficiary_cost
where coin_amt_pref_insln not between 0 and 1
   or coin_amt_nonpref_insln not between 0 and 1
   or coin_amt_mail_pref_insln not between 0 and 1
   or coin_amt_mail_nonpref_insln not between 0 and 1;

-- check: no copay is below zero
select contract_id, plan_id, segment_id, tier, days_supply
from insulin_beneficiary_cost
where least(copay_amt_pref_insln, copay_amt_nonpref_insln,
            copay_amt_mail_pref_insln, copay_amt_mail_nonpref_insln) < 0;
