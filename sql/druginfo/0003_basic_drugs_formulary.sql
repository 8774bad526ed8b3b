-- pre-data
create table basic_drugs_formulary (
    formulary_id           text not null,
    formulary_version      text,
    contract_year          smallint,
    rxcui                  text,
    ndc                    text not null,
    tier_level_value       smallint,
    quantity_limit_yn      boolean not null,
    quantity_limit_amount  numeric(12,4),
    quantity_limit_days    smallint,
    prior_authorization_yn boolean not null,
    step_therapy_yn        boolean not null,
    selected_drug_yn       boolean
);

comment on table basic_drugs_formulary is
    'Drugs that a formulary covers, with tier and restrictions: one row a formulary and drug. Part D release, basic drugs formulary file. [file]';
comment on column basic_drugs_formulary.formulary_id is
    'Formulary, eight digits with leading zeros; joins plan_information.formulary_id. Several plans share one. [file]';
comment on column basic_drugs_formulary.formulary_version is
    'Version of the formulary, a number kept as text. One version a formulary in a release. [file]';
comment on column basic_drugs_formulary.contract_year is
    'Plan year, four digits. [file]';
comment on column basic_drugs_formulary.rxcui is
    'RxNorm concept of the drug, digits kept as text. How an app should find a drug. [file]';
comment on column basic_drugs_formulary.ndc is
    'National drug code, 11 digits without hyphens. A proxy: one NDC stands for all products of the RxNorm concept, so a product''s own NDC need not be here; joins pricing.ndc. [layout]';
comment on column basic_drugs_formulary.tier_level_value is
    'Cost sharing tier, from 1; joins beneficiary_cost.tier. [file]';
comment on column basic_drugs_formulary.quantity_limit_yn is
    'True (Y) where the plan limits the quantity. [file]';
comment on column basic_drugs_formulary.quantity_limit_amount is
    'Units (tablets, millilitres …) allowed in quantity_limit_days. Null without a limit. [file]';
comment on column basic_drugs_formulary.quantity_limit_days is
    'Days for which quantity_limit_amount is allowed. Null without a limit. [file]';
comment on column basic_drugs_formulary.prior_authorization_yn is
    'True (Y) where the plan must approve the drug first. [file]';
comment on column basic_drugs_formulary.step_therapy_yn is
    'True (Y) where another drug must be tried first. [file]';
comment on column basic_drugs_formulary.selected_drug_yn is
    'True (Y) for a drug whose price Medicare negotiated. Null in files of the 2023 vintage, which lack the column. [layout]';

-- post-data
-- The key serves a plan's look-up by NDC; the index serves one by RXCUI and
-- the reverse question, which formularies cover a drug.
alter table basic_drugs_formulary add primary key (formulary_id, ndc);
create index basic_drugs_formulary_rxcui on basic_drugs_formulary (rxcui, formulary_id);

-- check: formulary, NDC and RXCUI are digits, leading zeros kept
select formulary_id, rxcui, ndc
from basic_drugs_formulary
where formulary_id !~ '^[0-9]{8}$'
   or ndc !~ '^[0-9]{11}$'
   or rxcui !~ '^[0-9]{1,8}$';

-- check: a formulary is of one version and one contract year
select formulary_id
from basic_drugs_formulary
group by formulary_id
having min(formulary_version) <> max(formulary_version)
    or min(contract_year) <> max(contract_year);

-- check: a quantity limit has an amount and days, and nothing else has
select formulary_id, ndc, quantity_limit_yn, quantity_limit_amount, quantity_limit_days
from basic_drugs_formulary
where quantity_limit_yn <> (quantity_limit_amount is not null)
   or quantity_limit_yn <> (quantity_limit_days is not null);
