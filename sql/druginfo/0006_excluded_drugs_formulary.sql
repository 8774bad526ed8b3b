-- pre-data
create table excluded_drugs_formulary (
    contract_id           text not null,
    plan_id               text not null,
    rxcui                 text not null,
    tier                  smallint,
    quantity_limit_yn     boolean not null,
    quantity_limit_amount numeric(12,4),
    quantity_limit_days   smallint,
    prior_auth_yn         boolean not null,
    step_therapy_yn       boolean not null,
    capped_benefit_yn     boolean not null,
    gap_cov               text
);

comment on table excluded_drugs_formulary is
    'Drugs outside Part D by law that an enhanced plan covers all the same: one row a plan and drug, for all segments. Part D release, excluded drugs formulary file. [file]';
comment on column excluded_drugs_formulary.contract_id is
    'CMS contract; with plan_id joins plan_information, whatever the segment. [file]';
comment on column excluded_drugs_formulary.plan_id is
    'Plan within the contract, three digits. [file]';
comment on column excluded_drugs_formulary.rxcui is
    'RxNorm concept of the drug, digits kept as text. There is no NDC, and no row in pricing. [file]';
comment on column excluded_drugs_formulary.tier is
    'Cost sharing tier; joins beneficiary_cost.tier. [file]';
comment on column excluded_drugs_formulary.quantity_limit_yn is
    'True where the plan limits the quantity. CMS writes 1 and 0 here, Y and N in all other flags. [file]';
comment on column excluded_drugs_formulary.quantity_limit_amount is
    'Units (tablets, millilitres …) allowed in quantity_limit_days. Null without a limit. [file]';
comment on column excluded_drugs_formulary.quantity_limit_days is
    'Days for which quantity_limit_amount is allowed. Null without a limit. [file]';
comment on column excluded_drugs_formulary.prior_auth_yn is
    'True (Y) where the plan must approve the drug first. [file]';
comment on column excluded_drugs_formulary.step_therapy_yn is
    'True (Y) where another drug must be tried first. [file]';
comment on column excluded_drugs_formulary.capped_benefit_yn is
    'True (Y) where the plan pays up to a cap only. [file]';
comment on column excluded_drugs_formulary.gap_cov is
    'Coverage of the drug in the gap, CMS''s code as written. In files of the 2023 vintage only; null since CMS dropped the column. [layout]';

-- post-data
alter table excluded_drugs_formulary add primary key (contract_id, plan_id, rxcui);

-- check: RXCUI is digits
select contract_id, plan_id, rxcui
from excluded_drugs_formulary
where rxcui !~ '^[0-9]{1,8}$';

-- check: a quantity limit has an amount and days, and nothing else has
select contract_id, plan_id, rxcui, quantity_limit_yn
from excluded_drugs_formulary
where quantity_limit_yn <> (quantity_limit_amount is not null)
   or quantity_limit_yn <> (quantity_limit_days is not null);
