-- The tables of row a's peer: CMS's own columns of 2026, one table a file, in fitting types. Where CMS
-- writes a full stop among numbers (COPY knows one null text only), the column stays text.
create table geographic_locator (
    county_code     text not null,
    statename       text,
    county          text,
    ma_region_code  text,
    ma_region       text,
    pdp_region_code text,
    pdp_region      text
);

create table plan_information (
    contract_id        text not null,
    plan_id            text not null,
    segment_id         text not null,
    contract_name      text,
    plan_name          text,
    formulary_id       text,
    premium            numeric(10,2),
    deductible         numeric(10,2),
    ma_region_code     text,
    pdp_region_code    text,
    state              text,
    county_code        text,
    snp                text,
    plan_suppressed_yn boolean not null
);

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
    ded_applies_yn            boolean not null
);

create table insulin_beneficiary_cost (
    contract_id                   text not null,
    plan_id                       text not null,
    segment_id                    text not null,
    tier                          text,
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
    capped_benefit_yn     boolean not null
);

create table indication_based_coverage (
    contract_id text not null,
    plan_id     text not null,
    rxcui       text not null,
    disease     text not null
);

create table pharmacy_networks (
    contract_id                text not null,
    plan_id                    text not null,
    segment_id                 text not null,
    pharmacy_number            text not null,
    pharmacy_zipcode           text,
    preferred_status_retail    boolean,
    preferred_status_mail      boolean,
    pharmacy_retail            boolean,
    pharmacy_mail              boolean,
    in_area_flag               boolean,
    floor_price                numeric(10,4),
    brand_dispensing_fee_30    numeric(10,4),
    brand_dispensing_fee_60    numeric(10,4),
    brand_dispensing_fee_90    numeric(10,4),
    generic_dispensing_fee_30  numeric(10,4),
    generic_dispensing_fee_60  numeric(10,4),
    generic_dispensing_fee_90  numeric(10,4),
    selected_dispensing_fee_30 text,
    selected_dispensing_fee_60 text,
    selected_dispensing_fee_90 text
);

create table pricing (
    contract_id text not null,
    plan_id     text not null,
    segment_id  text not null,
    ndc         text not null,
    days_supply smallint not null,
    unit_cost   numeric(12,6)
);
