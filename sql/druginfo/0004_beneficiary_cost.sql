-- pre-data
create table beneficiary_cost (
    contract_id               text not null,
    plan_id                   text not null,
    segment_id                text not null,
    coverage_level            smallint not null,
    tier                      smallint not null,
    days_supply               smallint not null,
    cost_type_pref            smallint,
    cost_amt_pref             numeric(12,4),
    cost_min_amt_pref         numeric(12,4),
    cost_max_amt_pref         numeric(12,4),
    cost_type_nonpref         smallint,
    cost_amt_nonpref          numeric(12,4),
    cost_min_amt_nonpref      numeric(12,4),
    cost_max_amt_nonpref      numeric(12,4),
    cost_type_mail_pref       smallint,
    cost_amt_mail_pref        numeric(12,4),
    cost_min_amt_mail_pref    numeric(12,4),
    cost_max_amt_mail_pref    numeric(12,4),
    cost_type_mail_nonpref    smallint,
    cost_amt_mail_nonpref     numeric(12,4),
    cost_min_amt_mail_nonpref numeric(12,4),
    cost_max_amt_mail_nonpref numeric(12,4),
    tier_specialty_yn         boolean not null,
    ded_applies_yn            boolean not null,
    gap_cov_tier              text
);

comment on table beneficiary_cost is
    'What a member pays, by plan, phase of the benefit, tier and days of supply, at four kinds of pharmacy. Part D release, beneficiary cost file. [file]';
comment on column beneficiary_cost.contract_id is
    'CMS contract; with plan_id and segment_id the plan key, joins plan_information. [file]';
comment on column beneficiary_cost.plan_id is
    'Plan within the contract, three digits. [file]';
comment on column beneficiary_cost.segment_id is
    'Segment of the plan, three digits; 000 where the plan has none. [file]';
comment on column beneficiary_cost.coverage_level is
    'Phase of the benefit: 0 before the deductible is met, 1 initial coverage, 2 coverage gap (2023 vintage), 3 catastrophic. A tier to which the deductible applies has no row at level 0: the member pays in full. [layout]';
comment on column beneficiary_cost.tier is
    'Cost sharing tier; joins basic_drugs_formulary.tier_level_value. [file]';
comment on column beneficiary_cost.days_supply is
    'A code, not days: 1 is 30 days, 2 is 90 days, 3 is other, 4 is 60 days. pricing.days_supply holds days. [layout]';
comment on column beneficiary_cost.cost_type_pref is
    'What cost_amt_pref is, at a preferred retail pharmacy: 0 not offered, 1 US dollars, 2 a fraction of the price. [file]';
comment on column beneficiary_cost.cost_amt_pref is
    'Cost share at a preferred retail pharmacy: US dollars where cost_type_pref is 1, a fraction where it is 2 (0.25 is 25 %), without meaning where it is 0. [file]';
comment on column beneficiary_cost.cost_min_amt_pref is
    'Least that a member pays at a preferred retail pharmacy, US dollars; 0 where none is set. [layout]';
comment on column beneficiary_cost.cost_max_amt_pref is
    'Most that a member pays at a preferred retail pharmacy, US dollars; 0 where none is set. [layout]';
comment on column beneficiary_cost.cost_type_nonpref is
    'What cost_amt_nonpref is, at a other (standard) retail pharmacy: 0 not offered, 1 US dollars, 2 a fraction of the price. [file]';
comment on column beneficiary_cost.cost_amt_nonpref is
    'Cost share at a other (standard) retail pharmacy: US dollars where cost_type_nonpref is 1, a fraction where it is 2 (0.25 is 25 %), without meaning where it is 0. [file]';
comment on column beneficiary_cost.cost_min_amt_nonpref is
    'Least that a member pays at a other (standard) retail pharmacy, US dollars; 0 where none is set. [layout]';
comment on column beneficiary_cost.cost_max_amt_nonpref is
    'Most that a member pays at a other (standard) retail pharmacy, US dollars; 0 where none is set. [layout]';
comment on column beneficiary_cost.cost_type_mail_pref is
    'What cost_amt_mail_pref is, at a preferred mail order pharmacy: 0 not offered, 1 US dollars, 2 a fraction of the price. [file]';
comment on column beneficiary_cost.cost_amt_mail_pref is
    'Cost share at a preferred mail order pharmacy: US dollars where cost_type_mail_pref is 1, a fraction where it is 2 (0.25 is 25 %), without meaning where it is 0. [file]';
comment on column beneficiary_cost.cost_min_amt_mail_pref is
    'Least that a member pays at a preferred mail order pharmacy, US dollars; 0 where none is set. [layout]';
comment on column beneficiary_cost.cost_max_amt_mail_pref is
    'Most that a member pays at a preferred mail order pharmacy, US dollars; 0 where none is set. [layout]';
comment on column beneficiary_cost.cost_type_mail_nonpref is
    'What cost_amt_mail_nonpref is, at a other (standard) mail order pharmacy: 0 not offered, 1 US dollars, 2 a fraction of the price. [file]';
comment on column beneficiary_cost.cost_amt_mail_nonpref is
    'Cost share at a other (standard) mail order pharmacy: US dollars where cost_type_mail_nonpref is 1, a fraction where it is 2 (0.25 is 25 %), without meaning where it is 0. [file]';
comment on column beneficiary_cost.cost_min_amt_mail_nonpref is
    'Least that a member pays at a other (standard) mail order pharmacy, US dollars; 0 where none is set. [layout]';
comment on column beneficiary_cost.cost_max_amt_mail_nonpref is
    'Most that a member pays at a other (standard) mail order pharmacy, US dollars; 0 where none is set. [layout]';
comment on column beneficiary_cost.tier_specialty_yn is
    'True (Y) for a specialty tier. [file]';
comment on column beneficiary_cost.ded_applies_yn is
    'True (Y) where the deductible applies to the tier. [file]';
comment on column beneficiary_cost.gap_cov_tier is
    'Coverage of the tier in the gap: 1 full, 2 partial, 3 none. In files of the 2023 vintage only; null since CMS dropped the column. [layout]';

-- post-data
alter table beneficiary_cost
    add primary key (contract_id, plan_id, segment_id, coverage_level, tier, days_supply);

-- check: phase, days of supply and cost types are codes that CMS defines
select contract_id, plan_id, segment_id, coverage_level, tier, days_supply
from beneficiary_cost
where coverage_level not in (0, 1, 2, 3)
   or days_supply not in (1, 2, 3, 4)
   or cost_type_pref not in (0, 1, 2)
   or cost_type_nonpref not in (0, 1, 2)
   or cost_type_mail_pref not in (0, 1, 2)
   or cost_type_mail_nonpref not in (0, 1, 2);

-- check: coinsurance is a fraction, not a percentage
select contract_id, plan_id, segment_id, coverage_level, tier, days_supply
from beneficiary_cost
where (cost_type_pref = 2 and cost_amt_pref not between 0 and 1)
   or (cost_type_nonpref = 2 and cost_amt_nonpref not between 0 and 1)
   or (cost_type_mail_pref = 2 and cost_amt_mail_pref not between 0 and 1)
   or (cost_type_mail_nonpref = 2 and cost_amt_mail_nonpref not between 0 and 1);

-- check: no cost is below zero
select contract_id, plan_id, segment_id, coverage_level, tier, days_supply
from beneficiary_cost
where least(cost_amt_pref, cost_amt_nonpref, cost_amt_mail_pref, cost_amt_mail_nonpref) < 0;
