-- derive
-- The rules that drug_cost applies. Each has a word, which the answer lists among its reasons, and a
-- source. The numbers that change from year to year are in benefit_year.
create table cost_rule (
    rule   text primary key,
    says   text not null,
    source text not null
);

insert into cost_rule values
    ('full_cost', 'What a fill costs before insurance: unit cost times quantity, and the pharmacy''s dispensing fee, to the cent; never less than the pharmacy''s floor price.',
     'CMS, Prescription Drug Plan Formulary, Pharmacy Network, and Pricing Information Files, record layout and methodology: UNIT_COST is the average over the plan''s retail pharmacies in its area, without the fee; FLOOR_PRICE is the least a pharmacy charges. That the floor holds for unit cost and fee together is our reading; 42 CFR 423.48.'),
    ('selected_fee', 'A drug whose price Medicare negotiated has a dispensing fee of its own; where the plan gives none, the brand fee.',
     'Inflation Reduction Act, section 11001; methodology of the files as for full_cost.'),
    ('brand_fee', 'A brand (FDA category NDA or BLA) has the brand fee.', 'Methodology of the files as for full_cost.'),
    ('generic_fee', 'A generic (ANDA, authorised generic) has the generic fee.', 'Methodology of the files as for full_cost.'),
    ('kind_assumed', 'The FDA''s directory does not tell whether the drug is a brand: tiers 1 and 2 are taken for generics, others for brands.',
     'Our assumption; it moves the fee only.'),
    ('quantity_assumed', 'No quantity was given: one unit a day, or what the plan''s quantity limit allows where that is less.',
     'Our assumption: the files name no usual quantity.'),
    ('quantity_limit', 'The quantity is above what the plan allows: without an exception the plan covers less.',
     '42 CFR 423.120(b)(2); basic drugs formulary file.'),
    ('prior_authorization', 'The plan must approve the drug first.', '42 CFR 423.120(b); basic drugs formulary file.'),
    ('step_therapy', 'Another drug must be tried first.', '42 CFR 423.120(b); basic drugs formulary file.'),
    ('price_of_other_supply', 'The plan has no price for this supply; that of the nearest one stands in.', 'Our assumption.'),
    ('price_unknown', 'The release has no price (monthly releases have none): dollars can be said, shares cannot.',
     'CMS posts the pricing file each quarter only.'),
    ('deductible', 'Before the deductible is met, the member pays a tier to which it applies in full.',
     '42 CFR 423.104(d)(1); DED_APPLIES_YN in the beneficiary cost file.'),
    ('deductible_crossed', 'The fill that meets the deductible: what is left of it, and the tier''s share of the rest.',
     '42 CFR 423.104(d)(1) and (2); Medicare Prescription Drug Benefit Manual, chapter 5.'),
    ('before_deductible', 'The deductible does not apply to the tier: its cost share before the deductible (coverage level 0) holds, or that of the initial phase where the file has none.',
     '42 CFR 423.104(e); COVERAGE_LEVEL 0 in the beneficiary cost file.'),
    ('no_deductible', 'The plan has no deductible: the initial phase begins with the first fill.', 'DEDUCTIBLE in the plan information file.'),
    ('initial', 'The tier''s copay or coinsurance (coverage level 1).', '42 CFR 423.104(d)(2); beneficiary cost file.'),
    ('catastrophic', 'Past the yearly cap the member pays nothing for covered drugs.',
     'Inflation Reduction Act, section 11201; SSA 1860D-2(b)(4); 42 CFR 423.104(d)(5).'),
    ('out_of_pocket_cap', 'This fill reaches the yearly cap: the member pays what is left of it.', 'As for catastrophic; amounts in benefit_year.'),
    ('not_above_price', 'A copay above the drug''s price is the price.', '42 CFR 423.104(g): members have access to the negotiated price.'),
    ('minimum', 'A coinsurance below the tier''s least amount is that amount.', 'COST_MIN_AMT columns of the beneficiary cost file.'),
    ('maximum', 'A coinsurance above the tier''s greatest amount is that amount.', 'COST_MAX_AMT columns of the beneficiary cost file.'),
    ('insulin', 'Insulin: no deductible; the lesser of the plan''s insulin copay and insulin coinsurance.',
     'Inflation Reduction Act, section 11406; SSA 1860D-2(b)(9); insulin beneficiary cost file.'),
    ('insulin_cap', 'Insulin: at most 35 dollars for a month''s supply, and from 2026 on at most 25 % of the price.',
     'Inflation Reduction Act, section 11406; SSA 1860D-2(b)(9)(D); amounts in benefit_year.'),
    ('vaccine', 'Adult vaccines cost the member nothing, whatever the phase.',
     'Inflation Reduction Act, section 11401; SSA 1860D-2(b)(8).'),
    ('selected_drug', 'Medicare negotiated the price; the unit cost is at most that price.',
     'Inflation Reduction Act, section 11001; SSA 1860D-2(d)(1)(D).'),
    ('daily_rate', 'Less than a month''s supply of a solid oral form, and the plan has no cost share of its own for it: the copay of a month by the day. The law exempts antibiotics and original packages, which the files do not tell.',
     '42 CFR 423.153(b)(4)(i).'),
    ('month_share', 'Less than a month''s supply, not of a solid oral form (or of a form that the FDA''s directory does not tell), and the plan has no cost share of its own for it: that of a month, undivided.',
     '42 CFR 423.153(b)(4)(i), which gives the daily rate to solid oral forms only.'),
    ('longer_supply', 'The supply lies between those that have cost shares: that of the next longer one, for 32 to 62 days of two months, for 63 to 102 days of three (which plans make 90 to 102 days long).',
     'Our reading: DAYS_SUPPLY in the beneficiary cost file is a code, 1 for a month, 4 for two, 2 for three; length of a three-month supply: PBP, section Rx.'),
    ('supply_too_long', 'More than 102 days: longer than any supply that the files have cost shares for.',
     'As for longer_supply.'),
    ('no_preferred', 'A preferred pharmacy was asked for, and the plan has none: all of its pharmacies are standard ones.',
     'COST_TYPE 0 in all preferred columns of the beneficiary cost file.'),
    ('insulin_unknown', 'The FDA''s directory does not list the drug, so that it may be an insulin: it is reckoned as none unless insulin => true is given.',
     'Our assumption; the insulin rules hold where it is one.'),
    ('vaccine_unknown', 'The FDA''s directory does not list the drug, so that it may be a vaccine: it is reckoned as none.',
     'Our assumption; a vaccine would be free.'),
    ('year_unknown', 'The law''s amounts for the plan''s year are not in benefit_year: no yearly cap and no insulin cap is applied.',
     'Amounts are set each year; see benefit_year.'),
    ('excluded_drug', 'Outside Part D by law, covered by the plan all the same: the tier''s share from the first fill; it counts neither to the deductible nor to the cap.',
     'SSA 1860D-2(e)(2); 42 CFR 423.100 (incurred costs) and 423.104(f)(1)(ii); excluded drugs formulary file.'),
    ('capped_benefit', 'The plan pays for the excluded drug up to a cap only, which the files do not tell.', 'CAPPED_BENEFIT_YN in the excluded drugs formulary file.'),
    ('indication', 'The plan covers the drug for some diseases only, and not for the one given.',
     'CMS, Indication-Based Formulary Design Beginning in Contract Year 2020 (memo of 29 August 2018); indication based coverage file.'),
    ('indication_unknown', 'The plan covers the drug for some diseases only; none was given.', 'As for indication.'),
    ('not_on_formulary', 'The plan does not cover the drug: the member pays in full, and it counts neither to the deductible nor to the cap.',
     '42 CFR 423.100 (incurred costs).'),
    ('not_in_network', 'The pharmacy is not in the plan''s network: the member pays in full.', '42 CFR 423.120(a) and 423.124.'),
    ('not_offered', 'The plan does not offer this supply at this kind of pharmacy (cost type 0, no row, or a blank for insulin): the member pays in full.',
     'COST_TYPE 0 in the beneficiary cost file.'),
    ('no_pharmacy', 'No pharmacy was given: any standard one (or any preferred one, where that was asked for), without dispensing fee and floor price.', 'Our assumption.'),
    ('network_unknown', 'No network is loaded for the plan: the pharmacy is taken for a standard one, without dispensing fee and floor price.', 'Our assumption.'),
    ('suppressed', 'CMS withholds the plan''s data.', 'PLAN_SUPPRESSED_YN in the plan information file.'),
    ('unknown_drug', 'No formulary of the release has the drug.', 'Basic drugs formulary file.');

comment on table cost_rule is
    'Rules that drug_cost and rank_plans apply: one row a rule.';
comment on column cost_rule.rule is
    'The word in the reasons that drug_cost gives.';
comment on column cost_rule.says is
    'What the rule does.';
comment on column cost_rule.source is
    'Where it is from.';

-- One row a kind of pharmacy, so that a question names the kind and not one of sixteen columns.
create view cost_share as
select b.contract_id, b.plan_id, b.segment_id, b.coverage_level, b.tier, b.days_supply,
       s.channel, s.cost_type, s.amount, s.least_amount, s.greatest_amount,
       b.tier_specialty_yn as is_specialty, b.ded_applies_yn as deductible_applies
from beneficiary_cost b
cross join lateral (values
    ('preferred retail', cost_type_pref, cost_amt_pref, cost_min_amt_pref, cost_max_amt_pref),
    ('standard retail', cost_type_nonpref, cost_amt_nonpref, cost_min_amt_nonpref,
     cost_max_amt_nonpref),
    ('preferred mail', cost_type_mail_pref, cost_amt_mail_pref, cost_min_amt_mail_pref,
     cost_max_amt_mail_pref),
    ('standard mail', cost_type_mail_nonpref, cost_amt_mail_nonpref, cost_min_amt_mail_nonpref,
     cost_max_amt_mail_nonpref)
) as s (channel, cost_type, amount, least_amount, greatest_amount);

comment on view cost_share is
    'beneficiary_cost, one row a kind of pharmacy. [file]';
comment on column cost_share.contract_id is
    'CMS contract; with plan_id and segment_id the plan key, joins plan. [file]';
comment on column cost_share.plan_id is
    'Plan within the contract, three digits. [file]';
comment on column cost_share.segment_id is
    'Segment of the plan, three digits. [file]';
comment on column cost_share.coverage_level is
    'Phase of the benefit: 0 before the deductible is met, 1 initial coverage, 2 coverage gap (2023 vintage), 3 catastrophic. [file]';
comment on column cost_share.tier is
    'Cost sharing tier. [file]';
comment on column cost_share.days_supply is
    'A code, not days: 1 is 30 days, 2 is 90 days, 3 is other, 4 is 60 days. [file]';
comment on column cost_share.channel is
    'Kind of pharmacy: preferred retail, standard retail, preferred mail, standard mail. [file]';
comment on column cost_share.cost_type is
    'What amount is: 0 not offered, 1 US dollars, 2 a fraction of the price. [file]';
comment on column cost_share.amount is
    'Cost share: US dollars for the whole supply, or a fraction. [file]';
comment on column cost_share.least_amount is
    'Least that a member pays, US dollars; 0 where none is set. [layout]';
comment on column cost_share.greatest_amount is
    'Most that a member pays, US dollars; 0 where none is set. [layout]';
comment on column cost_share.is_specialty is
    'True for a specialty tier. [file]';
comment on column cost_share.deductible_applies is
    'True where the deductible applies to the tier. [file]';

create function share_of(
    cost_type smallint, amount numeric, least_amount numeric, greatest_amount numeric, price numeric
) returns numeric
language sql immutable parallel safe
as $$
    select case
        when cost_type = 1 then round(least(amount, price), 2)
        when cost_type = 2 and price is not null then
            least(greatest(round(amount * price, 2), nullif(least_amount, 0)),
                  nullif(greatest_amount, 0), price)
    end
$$;

comment on function share_of is
    'What a member pays of a price, US dollars, by cost type: dollars or a fraction between a least and a greatest amount (0: none set), and never more than the price. Null where it is not offered, or a fraction of an unknown price.';

-- What drug_cost and rank_plans both need to know of a fill, for any number of plans at once: price and
-- cost shares, with every rule applied that does not depend on what the member has spent so far.
create function fill_terms(
    plans text[], drug text, pharmacy text, days_supply integer, quantity numeric,
    by_mail boolean, disease text, insulin boolean
) returns table (
    plan text, status text, rxcui text, ndc text, tier smallint, channel text, units numeric,
    unit_cost numeric, dispensing_fee numeric, full_cost numeric, deductible numeric,
    deductible_applies boolean, cap numeric, cost_type smallint, amount numeric,
    least_amount numeric, greatest_amount numeric, before_share numeric, initial_share numeric,
    reasons text[]
)
language plpgsql stable parallel safe
-- One plan for all calls: to plan this query takes several times as long as to run it.
set plan_cache_mode = force_generic_plan
set jit = off
as $$
#variable_conflict use_column
declare
    -- A three-month supply has 90 to 102 days, as plans file it in the PBP.
    longest constant integer := 102;
    -- Null: longer than any supply that has a cost share. 3, other supplies, is for less than a month.
    supply_code constant smallint := case
        when fill_terms.days_supply between 28 and 31 then 1
        when fill_terms.days_supply between 32 and 62 then 4
        when fill_terms.days_supply between 63 and longest then 2
        when fill_terms.days_supply < 28 then 3 end;
    -- The supply whose price and fee hold: the files know 30, 60 and 90 days.
    priced_days constant smallint := case
        when fill_terms.days_supply <= 31 then 30
        when fill_terms.days_supply <= 62 then 60
        else 90 end;
    months constant numeric := case
        when fill_terms.days_supply between 63 and longest then 3
        else ceil(fill_terms.days_supply / 31.0) end;
    digits constant text := replace(fill_terms.drug, '-', '');
    -- A kind of pharmacy in place of one: preferred, or standard (also null).
    is_kind constant boolean := coalesce(fill_terms.pharmacy, 'standard') in ('preferred', 'standard');
    is_preferred constant boolean := coalesce(fill_terms.pharmacy = 'preferred', false);
    number constant text := right(fill_terms.pharmacy, 10);
    known drug;
    pharmacies integer[];
    is_solid_oral boolean;
begin
    if cardinality(fill_terms.plans) > 20000 then
        raise exception '% plans', cardinality(fill_terms.plans)
            using errcode = 'invalid_parameter_value', hint = 'at most 20,000; a release has some 8,000';
    end if;
    if coalesce(fill_terms.days_supply, 0) not between 1 and 365 then
        raise exception 'days_supply is % days', fill_terms.days_supply
            using errcode = 'invalid_parameter_value', hint = 'from 1 to 365; 30, 60 and 90 are usual';
    end if;
    if fill_terms.quantity <= 0 then
        raise exception 'quantity is %', fill_terms.quantity
            using errcode = 'invalid_parameter_value', hint = 'units of the drug in this fill';
    end if;
    if digits is null or digits !~ '^([0-9]{11}|[0-9]{1,8})$' then
        raise exception 'a drug is an NDC of 11 digits or an RXCUI of at most 8'
            using errcode = 'invalid_parameter_value';
    end if;
    -- The NDC itself, else another package of the product, else the concept.
    if length(digits) = 11 then
        select d.* into known from drug d where d.ndc = digits;
        if not found then
            select d.* into known from drug d where left(d.ndc, 9) = left(digits, 9)
            order by d.formularies desc, d.ndc limit 1;
        end if;
    else
        select d.* into known from drug d where d.rxcui = digits
        order by d.formularies desc, d.ndc limit 1;
    end if;
    is_solid_oral := coalesce(known.route ~* '\moral\M'
                              and known.dosage_form ~* '^(tablet|capsule|pill)', false);
    if not is_kind then
        if number !~ '^[0-9]{10}$' then
            raise exception 'a pharmacy is an NPI of ten digits, 10 and the NPI, preferred or standard'
                using errcode = 'invalid_parameter_value';
        end if;
        select array_agg(p.id) into pharmacies
        from network_pharmacy p where p.pharmacy_number = '10' || number;
    end if;

    return query
    with asked as materialized (
        select p.*, y.out_of_pocket_cap, y.insulin_month, y.insulin_share,
               y.contract_year is null as is_year_unknown
        from plan p
        left join benefit_year y on y.contract_year = p.contract_year
        where p.plan = any (fill_terms.plans)
    ), listed as (
        select a.plan, a.contract_id, a.plan_id, a.segment_id, a.pricing_plan_key,
               a.network_plan_key, a.is_suppressed, coalesce(a.deductible, 0) as deductible,
               a.out_of_pocket_cap, a.insulin_month, a.insulin_share, a.is_year_unknown,
               f.ndc, f.quantity_limit_amount, f.quantity_limit_days,
               f.ndc is not null as is_listed,
               e.rxcui is not null as is_excluded,
               coalesce(f.tier_level_value, e.tier) as tier,
               coalesce(f.prior_authorization_yn, e.prior_auth_yn) as prior_authorization,
               coalesce(f.step_therapy_yn, e.step_therapy_yn) as step_therapy,
               coalesce(f.selected_drug_yn, false) as is_selected,
               coalesce(e.capped_benefit_yn, false) as is_capped,
               coalesce(f.quantity_limit_amount, e.quantity_limit_amount)
                   * fill_terms.days_supply
                   / coalesce(f.quantity_limit_days, e.quantity_limit_days) as most_units,
               i.diseases,
               n.floor_price, n.brand_dispensing_fee_30, n.brand_dispensing_fee_60,
               n.brand_dispensing_fee_90, n.generic_dispensing_fee_30,
               n.generic_dispensing_fee_60, n.generic_dispensing_fee_90,
               n.selected_dispensing_fee_30, n.selected_dispensing_fee_60,
               n.selected_dispensing_fee_90,
               case when coalesce(fill_terms.by_mail,
                                  n.pharmacy_mail and not n.pharmacy_retail, false)
                    then case when is_preferred and a.has_preferred_mail or n.preferred_status_mail
                              then 'preferred mail' else 'standard mail' end
                    else case when is_preferred and a.has_preferred_retail
                                   or n.preferred_status_retail
                              then 'preferred retail' else 'standard retail' end end as channel,
               case when coalesce(fill_terms.by_mail,
                                  n.pharmacy_mail and not n.pharmacy_retail, false)
                    then n.pharmacy_mail else n.pharmacy_retail end as is_served,
               coalesce(fill_terms.insulin, known.is_insulin, false) as is_insulin
        from asked a
        left join lateral (
            select b.* from basic_drugs_formulary b
            where b.rxcui = known.rxcui and b.formulary_id = a.formulary_id
            order by b.ndc = known.ndc desc, b.ndc limit 1
        ) as f on true
        left join excluded_drugs_formulary e
            on f.ndc is null and e.contract_id = a.contract_id and e.plan_id = a.plan_id
           and e.rxcui = known.rxcui
        left join lateral (
            select array_agg(c.disease) as diseases from indication_based_coverage c
            where c.contract_id = a.contract_id and c.plan_id = a.plan_id and c.rxcui = known.rxcui
        ) as i on true
        left join lateral (
            select t.*
            from unnest(pharmacies) as f (id)
            join pharmacy_networks k on k.plan_key = a.network_plan_key and k.block = f.id / 256
            join network_terms t on t.id = k.terms_keys[f.id]
            limit 1
        ) as n on true
    ), priced as materialized (
        select l.*, u.units, c.unit_cost, c.priced_as, g.fee, g.kind,
               case when c.unit_cost is not null then
                   greatest(round(c.unit_cost * u.units + coalesce(g.fee, 0), 2),
                            round(l.floor_price, 2)) end as full_cost
        from listed l
        cross join lateral (
            select coalesce(fill_terms.quantity,
                            round(least(fill_terms.days_supply, l.most_units), 3)) as units
        ) as u
        left join lateral (
            select x.unit_cost, i.days_supply as priced_as
            from pricing_item i
            join pricing x on x.plan_key = l.pricing_plan_key and x.item_key = i.id
            where i.ndc = l.ndc
            order by abs(i.days_supply - priced_days), i.days_supply limit 1
        ) as c on true
        cross join lateral (
            select case
                when l.is_selected then 'selected'
                when known.is_brand then 'brand'
                when not known.is_brand then 'generic'
                when l.tier <= 2 then 'assumed generic'
                else 'assumed brand' end as kind
        ) as k
        cross join lateral (
            select k.kind, case priced_days
                when 30 then case
                    when k.kind = 'selected' then coalesce(l.selected_dispensing_fee_30,
                                                           l.brand_dispensing_fee_30)
                    when k.kind like '%brand' then l.brand_dispensing_fee_30
                    else l.generic_dispensing_fee_30 end
                when 60 then case
                    when k.kind = 'selected' then coalesce(l.selected_dispensing_fee_60,
                                                           l.brand_dispensing_fee_60)
                    when k.kind like '%brand' then l.brand_dispensing_fee_60
                    else l.generic_dispensing_fee_60 end
                else case
                    when k.kind = 'selected' then coalesce(l.selected_dispensing_fee_90,
                                                           l.brand_dispensing_fee_90)
                    when k.kind like '%brand' then l.brand_dispensing_fee_90
                    else l.generic_dispensing_fee_90 end
            end as fee
        ) as g
    ), shared as (
        select p.*,
               s.cost_type, s.least_amount, s.greatest_amount, s.deductible_applies,
               s.days_supply <> supply_code as is_months_share,
               s.days_supply <> supply_code and is_solid_oral as is_daily,
               -- A month's copay by the day (42 CFR 423.153(b)(4)(i)).
               case when s.days_supply <> supply_code and is_solid_oral and s.cost_type = 1
                    then round(s.amount * fill_terms.days_supply / 30, 2)
                    else s.amount end as amount,
               z.cost_type as before_type, z.amount as before_amount,
               z.least_amount as before_least, z.greatest_amount as before_greatest,
               n.copay, n.coinsurance, n.tier is not null or n.days_supply is not null as has_insulin
        from priced p
        left join lateral (
            select c.* from cost_share c
            where c.contract_id = p.contract_id and c.plan_id = p.plan_id
              and c.segment_id = p.segment_id and c.coverage_level = 1 and c.tier = p.tier
              and c.channel = p.channel
              and (c.days_supply = supply_code
                   or c.days_supply = 1 and fill_terms.days_supply < 28)
            order by c.days_supply = supply_code desc limit 1
        ) as s on true
        left join cost_share z
            on z.contract_id = p.contract_id and z.plan_id = p.plan_id
           and z.segment_id = p.segment_id and z.coverage_level = 0 and z.tier = p.tier
           and z.channel = p.channel and z.days_supply = s.days_supply
        left join lateral (
            select i.tier, i.days_supply,
                   case p.channel when 'preferred retail' then i.copay_amt_pref_insln
                                  when 'standard retail' then i.copay_amt_nonpref_insln
                                  when 'preferred mail' then i.copay_amt_mail_pref_insln
                                  else i.copay_amt_mail_nonpref_insln end as copay,
                   case p.channel when 'preferred retail' then i.coin_amt_pref_insln
                                  when 'standard retail' then i.coin_amt_nonpref_insln
                                  when 'preferred mail' then i.coin_amt_mail_pref_insln
                                  else i.coin_amt_mail_nonpref_insln end as coinsurance
            from insulin_beneficiary_cost i
            where p.is_insulin and i.contract_id = p.contract_id and i.plan_id = p.plan_id
              and i.segment_id = p.segment_id and (i.tier = p.tier or i.tier is null)
              and i.days_supply = coalesce(s.days_supply, supply_code)
            order by i.tier nulls last limit 1
        ) as n on true
    ), judged as materialized (
        select s.*,
               s.is_insulin and s.is_listed as takes_insulin,
               coalesce(known.is_vaccine, false) and s.is_listed as takes_vaccine,
               case
                   when s.is_suppressed then 'suppressed'
                   when known.rxcui is null then 'unknown_drug'
                   when not s.is_listed and not s.is_excluded then 'not_on_formulary'
                   when s.diseases is not null and fill_terms.disease is not null
                        and not upper(fill_terms.disease) = any (s.diseases) then 'indication'
                   when not is_kind and s.network_plan_key is not null
                        and not coalesce(s.is_served, false) then 'not_in_network'
                   when s.is_insulin and s.has_insulin
                        and s.copay is null and s.coinsurance is null then 'not_offered'
                   when not (s.is_insulin and s.has_insulin)
                        and coalesce(s.cost_type, 0) = 0 then 'not_offered'
                   else 'covered'
               end as status
        from shared s
    ), reckoned as materialized (
        select j.*,
               -- Insulin and vaccines: the same share before and after the deductible.
               case
                   when j.takes_vaccine then 0
                   when j.takes_insulin then
                       least(case when j.has_insulin
                                  then least(case when j.is_daily
                                                  then round(j.copay * fill_terms.days_supply / 30, 2)
                                                  else j.copay end,
                                             round(j.coinsurance * j.full_cost, 2), j.full_cost)
                                  else share_of(j.cost_type, j.amount, j.least_amount,
                                                j.greatest_amount, j.full_cost) end,
                             j.insulin_month * months,
                             round(j.insulin_share * j.full_cost, 2))
               end as fixed_share
        from judged j
    )
    select r.plan, r.status, known.rxcui, r.ndc, r.tier, r.channel, r.units,
           r.unit_cost, case when r.unit_cost is not null then r.fee end, r.full_cost,
           r.deductible,
           r.deductible > 0 and r.is_listed and r.fixed_share is null
               and coalesce(r.deductible_applies, false),
           r.out_of_pocket_cap,
           case when r.takes_insulin and r.has_insulin
                then case when r.copay is not null then 1
                          when r.coinsurance is not null then 2 else 0 end::smallint
                else r.cost_type end,
           case when r.takes_insulin and r.has_insulin
                then coalesce(r.copay, r.coinsurance) else r.amount end,
           nullif(r.least_amount, 0), nullif(r.greatest_amount, 0),
           case
               when r.status <> 'covered' then null
               when r.fixed_share is not null then r.fixed_share
               when not r.is_listed or r.before_type is null then
                   share_of(r.cost_type, r.amount, r.least_amount, r.greatest_amount, r.full_cost)
               else share_of(r.before_type, r.before_amount, r.before_least, r.before_greatest,
                             r.full_cost)
           end,
           case
               when r.status <> 'covered' then null
               when r.fixed_share is not null then r.fixed_share
               else share_of(r.cost_type, r.amount, r.least_amount, r.greatest_amount, r.full_cost)
           end,
           array_remove(array[
               nullif(r.status, 'covered'),
               case when r.is_excluded then 'excluded_drug' end,
               case when r.is_capped then 'capped_benefit' end,
               case when r.diseases is not null and fill_terms.disease is null
                    then 'indication_unknown' end,
               case when r.prior_authorization then 'prior_authorization' end,
               case when r.step_therapy then 'step_therapy' end,
               case when fill_terms.quantity is null and known.rxcui is not null
                    then 'quantity_assumed' end,
               case when fill_terms.quantity > r.most_units then 'quantity_limit' end,
               case when r.unit_cost is not null then 'full_cost' when r.is_listed or r.is_excluded
                    then 'price_unknown' end,
               case when r.priced_as <> priced_days then 'price_of_other_supply' end,
               case when r.is_listed and r.is_year_unknown then 'year_unknown' end,
               case when r.is_listed and fill_terms.insulin is null and known.is_insulin is null
                    then 'insulin_unknown' end,
               case when r.is_listed and not coalesce(fill_terms.insulin, false)
                     and known.is_vaccine is null then 'vaccine_unknown' end,
               case when is_preferred and r.channel like 'standard%' then 'no_preferred' end,
               case when fill_terms.days_supply > longest then 'supply_too_long'
                    when fill_terms.days_supply between 32 and 55
                      or fill_terms.days_supply between 63 and 83
                      or fill_terms.days_supply > 93 then 'longer_supply' end,
               case when is_kind then 'no_pharmacy'
                    when r.network_plan_key is null then 'network_unknown' end,
               case when r.unit_cost is not null and r.fee is not null then case r.kind
                    when 'selected' then 'selected_fee' when 'brand' then 'brand_fee'
                    when 'generic' then 'generic_fee' else 'kind_assumed' end end,
               case when r.is_selected then 'selected_drug' end,
               case when r.status = 'covered' and r.is_daily and r.cost_type = 1
                    then 'daily_rate' end,
               case when r.status = 'covered' and r.is_months_share and not r.is_daily
                     and r.cost_type = 1 then 'month_share' end,
               case when r.status = 'covered' and r.takes_vaccine then 'vaccine' end,
               case when r.status = 'covered' and r.takes_insulin then 'insulin' end,
               case when r.status = 'covered' and r.takes_insulin
                     and r.fixed_share in (r.insulin_month * months,
                                           round(r.insulin_share * r.full_cost, 2))
                    then 'insulin_cap' end,
               case when r.status = 'covered' and r.fixed_share is null and r.cost_type = 1
                     and r.amount > r.full_cost then 'not_above_price' end,
               case when r.status = 'covered' and r.fixed_share is null and r.cost_type = 2
                     and round(r.amount * r.full_cost, 2) < nullif(r.least_amount, 0)
                    then 'minimum' end,
               case when r.status = 'covered' and r.fixed_share is null and r.cost_type = 2
                     and round(r.amount * r.full_cost, 2) > nullif(r.greatest_amount, 0)
                    then 'maximum' end
           ], null)
    from reckoned r;
end
$$;

comment on function fill_terms is
    'What drug_cost and rank_plans both need to know of a fill, one row a plan: price, cost shares before the deductible and after, and the rules that brought them about. For apps: drug_cost.';

create function drug_cost(
    plan text,
    ndc text,
    pharmacy text,
    days_supply integer default 30,
    phase text default 'initial',
    quantity numeric default null,
    by_mail boolean default null,
    deductible_left numeric default null,
    spent numeric default null,
    disease text default null,
    insulin boolean default null,
    out covered boolean,
    out status text,
    out rxcui text,
    out formulary_ndc text,
    out tier smallint,
    out channel text,
    out units numeric,
    out unit_cost numeric,
    out dispensing_fee numeric,
    out full_cost numeric,
    out cost_type smallint,
    out amount numeric,
    out member_pays numeric,
    out plan_pays numeric,
    out counts numeric,
    out reasons text[]
)
language plpgsql stable parallel safe
as $$
#variable_conflict use_column
declare
    f record;
    left_of_deductible numeric;
    takes_deductible boolean;
begin
    if drug_cost.phase is null
       or drug_cost.phase not in ('deductible', 'initial', 'catastrophic') then
        raise exception 'a phase is deductible, initial or catastrophic, not %', drug_cost.phase
            using errcode = 'invalid_parameter_value';
    end if;
    select * into f
    from fill_terms(array[drug_cost.plan], drug_cost.ndc, drug_cost.pharmacy,
                    drug_cost.days_supply, drug_cost.quantity, drug_cost.by_mail,
                    drug_cost.disease, drug_cost.insulin);
    if not found then
        raise exception 'no plan % in this release', drug_cost.plan
            using errcode = 'invalid_parameter_value',
                  hint = 'contract, plan and segment with hyphens: H1671-001-000';
    end if;
    status := f.status;
    covered := f.status = 'covered';
    rxcui := f.rxcui;
    formulary_ndc := f.ndc;
    tier := f.tier;
    channel := f.channel;
    units := f.units;
    unit_cost := f.unit_cost;
    dispensing_fee := f.dispensing_fee;
    full_cost := f.full_cost;
    cost_type := f.cost_type;
    amount := f.amount;
    reasons := f.reasons;
    if not covered then
        member_pays := full_cost;
        plan_pays := 0;
        counts := 0;
        return;
    end if;
    -- Excluded drugs know no phases.
    if 'excluded_drug' = any (reasons) then
        member_pays := f.initial_share;
        plan_pays := full_cost - member_pays;
        counts := 0;
        return;
    end if;
    left_of_deductible := coalesce(drug_cost.deductible_left, f.deductible);
    takes_deductible := drug_cost.phase = 'deductible' and f.deductible_applies
                        and left_of_deductible > 0;
    if drug_cost.phase = 'catastrophic' then
        member_pays := 0;
        reasons := reasons || 'catastrophic'::text;
    elsif drug_cost.phase = 'deductible' and f.deductible = 0 then
        member_pays := f.initial_share;
        reasons := reasons || '{no_deductible,initial}'::text[];
    elsif takes_deductible and full_cost > left_of_deductible then
        member_pays := left_of_deductible
            + share_of(f.cost_type, f.amount, f.least_amount, f.greatest_amount,
                       full_cost - left_of_deductible);
        reasons := array_remove(reasons, 'not_above_price') || 'deductible_crossed'::text;
    elsif takes_deductible then
        member_pays := full_cost;
        reasons := array_remove(reasons, 'not_above_price') || 'deductible'::text;
    elsif drug_cost.phase = 'deductible' and not f.deductible_applies
          and not reasons && '{insulin,vaccine}'::text[] then
        member_pays := f.before_share;
        reasons := reasons || 'before_deductible'::text;
    else
        member_pays := f.initial_share;
        if not reasons && '{insulin,vaccine}'::text[] then
            reasons := reasons || 'initial'::text;
        end if;
    end if;
    if drug_cost.spent is not null and drug_cost.phase <> 'catastrophic' and f.cap is not null
       and member_pays > greatest(f.cap - drug_cost.spent, 0) then
        member_pays := greatest(f.cap - drug_cost.spent, 0);
        reasons := reasons || case when member_pays = 0 then 'catastrophic'
                                   else 'out_of_pocket_cap' end;
    end if;
    member_pays := round(member_pays, 2);
    plan_pays := full_cost - member_pays;
    counts := member_pays;
end
$$;

comment on function drug_cost is
    'What one fill of a drug costs a member of a plan at a pharmacy, in US dollars, with the rules that were applied (cost_rule says each, with its source). Takes: plan as contract-plan-segment (H1671-001-000); ndc, eleven digits with or without hyphens, or an RXCUI; pharmacy, its NPI, or preferred or standard for any such one, without fee (null: standard); days_supply (30, 60 and 90 are priced; between them the cost share of the next longer one holds); phase: deductible, initial or catastrophic; quantity in units of the drug (null: one a day, or the plan''s limit); by_mail (null: as the pharmacy serves, retail first); deductible_left (null: all of it) and spent, in dollars, where the fill may cross the deductible or the yearly cap; disease, for drugs covered for some only; insulin, where the FDA''s directory does not know the drug. Gives: covered and status; the formulary''s RXCUI and NDC, tier, kind of pharmacy; units, unit_cost, dispensing_fee, full_cost; cost_type (1 dollars, 2 fraction) and amount of the tier; member_pays and plan_pays; counts, what of it counts to the yearly cap; reasons. Amounts are null where the release has no price.';
