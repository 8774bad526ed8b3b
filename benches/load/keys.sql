-- Keys and indexes of row a's peer, one after the other: what kiln's tables have, on CMS's own columns.
set maintenance_work_mem = '256MB';
alter table geographic_locator add primary key (county_code);
create unique index plan_information_key
    on plan_information (contract_id, plan_id, segment_id, county_code) nulls not distinct;
create index plan_information_county_code on plan_information (county_code)
    where county_code is not null;
create index plan_information_pdp_region_code on plan_information (pdp_region_code)
    where pdp_region_code is not null;
create index plan_information_ma_region_code on plan_information (ma_region_code)
    where ma_region_code is not null;
create index plan_information_formulary_id on plan_information (formulary_id);
alter table basic_drugs_formulary add primary key (formulary_id, ndc);
create index basic_drugs_formulary_rxcui on basic_drugs_formulary (rxcui, formulary_id);
alter table beneficiary_cost
    add primary key (contract_id, plan_id, segment_id, coverage_level, tier, days_supply);
create unique index insulin_beneficiary_cost_key
    on insulin_beneficiary_cost (contract_id, plan_id, segment_id, tier, days_supply)
    nulls not distinct;
alter table excluded_drugs_formulary add primary key (contract_id, plan_id, rxcui);
alter table indication_based_coverage add primary key (contract_id, plan_id, rxcui, disease);
create unique index pharmacy_networks_key
    on pharmacy_networks (contract_id, plan_id, segment_id, pharmacy_number);
create unique index pricing_key on pricing (contract_id, plan_id, segment_id, ndc, days_supply);

analyze geographic_locator, plan_information, basic_drugs_formulary, beneficiary_cost,
    insulin_beneficiary_cost, excluded_drugs_formulary, indication_based_coverage, pharmacy_networks, pricing;
