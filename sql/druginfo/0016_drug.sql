-- derive
-- Names come from the FDA. The formulary's NDC is a proxy for all products of an RxNorm concept, and
-- often one that is no longer sold in that package: then another package of the product has its names.
create table drug as
with listed as (
    select b.ndc, min(b.rxcui) as rxcui, count(*)::integer as formularies,
           coalesce(bool_or(b.selected_drug_yn), false) as is_selected
    from basic_drugs_formulary b
    group by b.ndc
    union all
    select null, e.rxcui, 0, false
    from (select distinct rxcui from excluded_drugs_formulary) as e
    where not exists (select from basic_drugs_formulary b where b.rxcui = e.rxcui)
), package as (
    select k.ndc, k.productid, k.directory, k.startmarketingdate
    from ndc_package k
    where left(k.ndc, 9) in (select left(l.ndc, 9) from listed l)
), named as (
    -- The finished directory before the unfinished, the package itself before another, the newest listing.
    select distinct on (l.ndc) l.ndc, k.productid, k.directory,
           case when k.ndc = l.ndc then 'package' else 'product' end as fda_match
    from listed l
    join package k on left(k.ndc, 9) = left(l.ndc, 9)
    order by l.ndc, k.directory, k.ndc = l.ndc desc, k.startmarketingdate desc nulls last,
             k.productid desc
)
select l.rxcui,
       l.ndc,
       p.productndc as product_ndc,
       nullif(concat_ws(' ', p.proprietaryname, p.proprietarynamesuffix), '') as name,
       p.nonproprietaryname as generic_name,
       p.dosageformname as dosage_form,
       p.routename as route,
       (select string_agg(concat_ws(' ', s.amount, s.unit), '; ' order by s.nth)
        from unnest(string_to_array(p.active_numerator_strength, '; '),
                    string_to_array(p.active_ingred_unit, '; '))
             with ordinality as s (amount, unit, nth)) as strength,
       p.substancename as substance,
       p.labelername as labeler,
       p.deaschedule as dea_schedule,
       p.marketingcategoryname as marketing_category,
       case when p.marketingcategoryname in ('NDA', 'BLA') then true
            when p.marketingcategoryname in ('ANDA', 'NDA AUTHORIZED GENERIC') then false
       end as is_brand,
       (concat_ws(' ', p.nonproprietaryname, p.substancename) ~* '\minsulin\M') as is_insulin,
       (p.producttypename = 'VACCINE') as is_vaccine,
       l.is_selected,
       l.formularies,
       n.fda_match
from listed l
left join named n on n.ndc = l.ndc
left join ndc_product p on p.productid = n.productid and p.directory = n.directory;

-- is_insulin of a drug that the FDA's directory lacks is unknown, not false.
update drug set is_insulin = null where fda_match is null;

alter table drug
    alter column rxcui set not null,
    alter column is_selected set not null,
    alter column formularies set not null;
create unique index drug_key on drug (rxcui, ndc) nulls not distinct;
create unique index drug_ndc on drug (ndc);
create index drug_product on drug (left(ndc, 9));
create index drug_name on drug (lower(name) text_pattern_ops);
create index drug_generic_name on drug (lower(generic_name) text_pattern_ops);

comment on table drug is
    'Drugs that any plan of the release covers: one row a formulary NDC, and one without NDC for each RxNorm concept that plans cover outside Part D only. Names, form and strength are the FDA''s where its directory lists the package or another package of the product. Derived. [file]';
comment on column drug.rxcui is
    'RxNorm concept of the drug, digits kept as text; joins basic_drugs_formulary.rxcui. [file]';
comment on column drug.ndc is
    'National drug code, 11 digits: the formulary''s proxy for the concept. Null for a drug that only excluded_drugs_formulary has. [file]';
comment on column drug.product_ndc is
    'The FDA''s product code, with its hyphen. Null where the directory has neither package nor product. [file]';
comment on column drug.name is
    'Brand name with its suffix. Null where the directory has none. [layout]';
comment on column drug.generic_name is
    'Generic name, as the labeler writes it. [file]';
comment on column drug.dosage_form is
    'Dosage form in words. [file]';
comment on column drug.route is
    'Route of administration in words. [layout]';
comment on column drug.strength is
    'Strength and unit of each substance, in the order of substance. [file]';
comment on column drug.substance is
    'Active substances, separated by semicolons. [file]';
comment on column drug.labeler is
    'Company under whose code the product is sold. [file]';
comment on column drug.dea_schedule is
    'Controlled substances schedule, CI to CV; null where not controlled. [file]';
comment on column drug.marketing_category is
    'Under what the FDA lets it be sold: NDA, BLA, ANDA … [file]';
comment on column drug.is_brand is
    'True for a brand (NDA, BLA), false for a generic (ANDA, authorised generic), null where the FDA''s category does not tell. Decides the dispensing fee. [layout]';
comment on column drug.is_insulin is
    'True where generic name or substance is an insulin; null where the FDA''s directory does not list the drug. CMS''s files do not say. Decides the insulin rules. [layout]';
comment on column drug.is_vaccine is
    'True where the FDA lists the product as a vaccine; null where its directory does not list the drug. [layout]';
comment on column drug.is_selected is
    'True where any formulary marks the price as negotiated by Medicare. [file]';
comment on column drug.formularies is
    'Formularies that cover the NDC; 0 for a drug without NDC. [file]';
comment on column drug.fda_match is
    'Where the names are from: package (the NDC itself is listed), product (another package of the product), null (neither is listed). [file]';

create view formulary_drug as
select b.formulary_id, b.contract_year, b.rxcui, b.ndc,
       d.name, d.generic_name, d.dosage_form, d.strength, d.labeler,
       b.tier_level_value as tier, b.quantity_limit_amount, b.quantity_limit_days,
       b.prior_authorization_yn as prior_authorization, b.step_therapy_yn as step_therapy,
       coalesce(b.selected_drug_yn, false) as is_selected, d.is_brand, d.is_insulin
from basic_drugs_formulary b
join drug d on d.ndc = b.ndc;

comment on view formulary_drug is
    'Drugs that a formulary covers, with names: one row a formulary and drug. [file]';
comment on column formulary_drug.formulary_id is
    'Formulary, eight digits with leading zeros; joins plan.formulary_id. [file]';
comment on column formulary_drug.contract_year is
    'Plan year, four digits. [file]';
comment on column formulary_drug.rxcui is
    'RxNorm concept of the drug. [file]';
comment on column formulary_drug.ndc is
    'National drug code, 11 digits: a proxy for the concept. [file]';
comment on column formulary_drug.name is
    'Brand name; null where the FDA''s directory has none. [layout]';
comment on column formulary_drug.generic_name is
    'Generic name. [file]';
comment on column formulary_drug.dosage_form is
    'Dosage form in words. [file]';
comment on column formulary_drug.strength is
    'Strength and unit of each substance. [file]';
comment on column formulary_drug.labeler is
    'Company under whose code the product is sold. [file]';
comment on column formulary_drug.tier is
    'Cost sharing tier, from 1. [file]';
comment on column formulary_drug.quantity_limit_amount is
    'Units allowed in quantity_limit_days; null without a limit. [file]';
comment on column formulary_drug.quantity_limit_days is
    'Days for which quantity_limit_amount is allowed; null without a limit. [file]';
comment on column formulary_drug.prior_authorization is
    'True where the plan must approve the drug first. [file]';
comment on column formulary_drug.step_therapy is
    'True where another drug must be tried first. [file]';
comment on column formulary_drug.is_selected is
    'True where Medicare negotiated the price. [file]';
comment on column formulary_drug.is_brand is
    'True for a brand, false for a generic, null where unknown. [layout]';
comment on column formulary_drug.is_insulin is
    'True for insulin, null where unknown. [layout]';
