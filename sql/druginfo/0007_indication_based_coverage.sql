-- pre-data
create table indication_based_coverage (
    contract_id text not null,
    plan_id     text not null,
    rxcui       text not null,
    disease     text not null
);

comment on table indication_based_coverage is
    'Drugs that a plan covers for some diseases only: one row a plan, drug and disease, for all segments. A drug without a row is covered for whatever it is approved for. Part D release, indication based coverage formulary file. [file]';
comment on column indication_based_coverage.contract_id is
    'CMS contract; with plan_id joins plan_information, whatever the segment. [file]';
comment on column indication_based_coverage.plan_id is
    'Plan within the contract, three digits. [file]';
comment on column indication_based_coverage.rxcui is
    'RxNorm concept of the drug; joins basic_drugs_formulary.rxcui. [file]';
comment on column indication_based_coverage.disease is
    'Disease for which the plan covers the drug, in capitals, as CMS writes it. [file]';

-- post-data
alter table indication_based_coverage add primary key (contract_id, plan_id, rxcui, disease);

-- check: RXCUI is digits and the disease is named
select contract_id, plan_id, rxcui, disease
from indication_based_coverage
where rxcui !~ '^[0-9]{1,8}$'
   or btrim(disease) = '';
