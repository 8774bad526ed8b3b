-- derive
create table plan_county as
select l.county_code, p.plan, 'county'::text as sold_by
from plan_information l
join plan p using (contract_id, plan_id, segment_id)
where l.county_code is not null
union
select g.county_code, p.plan, 'ma region'
from plan_information l
join plan p using (contract_id, plan_id, segment_id)
join geographic_locator g on g.ma_region_code = l.ma_region_code
where l.county_code is null and p.kind = 'regional'
union
select g.county_code, p.plan, 'pdp region'
from plan_information l
join plan p using (contract_id, plan_id, segment_id)
join geographic_locator g on g.pdp_region_code = l.pdp_region_code
where l.county_code is null and p.kind = 'pdp';

alter table plan_county
    add primary key (county_code, plan),
    alter column sold_by set not null;
create index plan_county_plan on plan_county (plan);

comment on table plan_county is
    'Where each plan is sold: one row a plan and county, regions spelt out as counties. Derived from plan_information and geographic_locator. [file]';
comment on column plan_county.county_code is
    'SSA county code; joins geographic_locator.county_code and ssa_fips_county.ssacounty. [file]';
comment on column plan_county.plan is
    'The plan in one word; joins plan.plan. [file]';
comment on column plan_county.sold_by is
    'Why the plan is sold there: county (named by the plan), ma region or pdp region (sold in the whole region). [file]';

-- Month by month through deductible, initial phase and cap, as drug_cost reckons each fill. What a plan
-- does not cover or price is reckoned at the mean price of the county's other plans, so that a plan
-- does not look cheap for what it leaves out.
create function rank_plans(
    basket jsonb,
    zip text,
    pharmacy text default null,
    county_fips text default null,
    by_mail boolean default null
) returns table (
    rank integer,
    plan text,
    plan_name text,
    contract_name text,
    kind text,
    snp text,
    deductible numeric,
    premium_year numeric,
    drugs_year numeric,
    total_year numeric,
    months numeric[],
    cap_month integer,
    channel text,
    not_covered text[],
    unpriced text[],
    premium_part_c_year numeric,
    premium_part_d_year numeric,
    unknown text[]
)
language plpgsql stable parallel safe
as $$
#variable_conflict use_column
declare
    ssa_codes text[];
    plans text[];
    places text[] := '{}';
    names text[] := '{}';
    paid numeric[] := '{}';
    cap_months integer[] := '{}';
    channels text[] := '{}';
    uncovered text[] := '{}';
    without_price text[] := '{}';
    unreckoned    integer[] := '{}';
    r record;
    item integer;
    month integer;
    is_due integer[];
    sums numeric[];
    month_paid numeric;
    month_counted numeric;
    spent numeric;
    left_of_deductible numeric;
    pays numeric;
    capped_in integer;
begin
    if jsonb_typeof(rank_plans.basket) is distinct from 'array'
       or jsonb_array_length(rank_plans.basket) = 0 then
        raise exception 'a basket is an array of drugs' using errcode = 'invalid_parameter_value',
            hint = '[{"drug": "00002143380", "days_supply": 30, "quantity": 2}]';
    end if;
    if jsonb_array_length(rank_plans.basket) > 100 then
        raise exception 'a basket of % drugs', jsonb_array_length(rank_plans.basket)
            using errcode = 'invalid_parameter_value', hint = 'at most 100';
    end if;
    if exists (
        select from jsonb_array_elements(rank_plans.basket) b
        where coalesce(b->>'days_supply', '30') not in ('30', '60', '90')
           or coalesce(b->>'drug', b->>'ndc', b->>'rxcui') is null
    ) then
        raise exception 'each drug of a basket has drug and days_supply'
            using errcode = 'invalid_parameter_value',
                  hint = 'drug is an NDC or an RXCUI; days_supply is 30, 60 or 90';
    end if;
    select array_agg(distinct s.county_ssa) into ssa_codes
    from ssa_county s
    where case when rank_plans.county_fips is null
               then s.county_fips in (select z.fips from zip_place z where z.zip = rank_plans.zip)
               else s.county_fips = rank_plans.county_fips end;
    if ssa_codes is null and rank_plans.county_fips is not null then
        raise exception 'no county % is known', rank_plans.county_fips
            using errcode = 'invalid_parameter_value', hint = 'a county is five digits, its FIPS code';
    end if;
    if ssa_codes is null then
        raise exception 'no county of ZIP code % is known', rank_plans.zip
            using errcode = 'invalid_parameter_value',
                  hint = 'give county_fips, five digits';
    end if;
    select array_agg(distinct c.plan) into plans
    from plan_county c
    join plan p on p.plan = c.plan and not p.is_suppressed
    where c.county_code = any (ssa_codes);

    for r in
        with item as (
            select nth, coalesce(b->>'drug', b->>'ndc', b->>'rxcui') as drug,
                   coalesce((b->>'days_supply')::integer, 30) as days,
                   (b->>'quantity')::numeric as quantity,
                   b->>'disease' as disease, (b->>'insulin')::boolean as insulin
            from jsonb_array_elements(rank_plans.basket) with ordinality as t (b, nth)
        ), quoted as (
            select i.nth, i.drug, i.days, f.*,
                   coalesce(f.full_cost, round(avg(f.full_cost) over (partition by i.nth), 2), 0)
                       as price
            from item i
            cross join lateral fill_terms(plans, i.drug, rank_plans.pharmacy, i.days, i.quantity,
                                          rank_plans.by_mail, i.disease, i.insulin) f
        ), shared as (
            select q.*, q.days / 30 as every,
                   'excluded_drug' = any (q.reasons) as is_excluded,
                   coalesce(q.before_share, share_of(q.cost_type, q.amount, q.least_amount,
                                                     q.greatest_amount, q.price), 0) as before,
                   coalesce(q.initial_share, share_of(q.cost_type, q.amount, q.least_amount,
                                                      q.greatest_amount, q.price), 0) as initial
            from quoted q
        ), judged as (
            select q.*, q.status = 'covered' and not q.is_excluded as is_counted,
                   case when q.status = 'covered' then q.initial else q.price end as uncounted
            from shared q
        )
        select q.plan,
               min(q.deductible) as deductible,
               coalesce(min(q.cap), 'infinity') as cap,
               bool_or(q.is_counted and q.deductible_applies) as takes_deductible,
               -- What counts to the cap after the deductible, what it is before, and what never
               -- counts, by how many months a fill lasts.
               array[coalesce(sum(q.initial) filter (where q.is_counted and q.every = 1), 0),
                     coalesce(sum(q.initial) filter (where q.is_counted and q.every = 2), 0),
                     coalesce(sum(q.initial) filter (where q.is_counted and q.every = 3), 0)] as after_sums,
               array[coalesce(sum(q.before) filter (where q.is_counted and q.every = 1), 0),
                     coalesce(sum(q.before) filter (where q.is_counted and q.every = 2), 0),
                     coalesce(sum(q.before) filter (where q.is_counted and q.every = 3), 0)] as before_sums,
               array[coalesce(sum(q.uncounted) filter (where not q.is_counted and q.every = 1), 0),
                     coalesce(sum(q.uncounted) filter (where not q.is_counted and q.every = 2), 0),
                     coalesce(sum(q.uncounted) filter (where not q.is_counted and q.every = 3), 0)] as other_sums,
               count(*)::integer as items,
               min(q.channel) as channel,
               array_agg(q.every order by q.nth) as every,
               array_agg(q.price order by q.nth) as prices,
               array_agg(q.is_counted order by q.nth) as are_counted,
               array_agg(q.deductible_applies order by q.nth) as take_deductible,
               array_agg(q.cost_type order by q.nth) as types,
               array_agg(q.amount order by q.nth) as amounts,
               array_agg(q.least_amount order by q.nth) as leasts,
               array_agg(q.greatest_amount order by q.nth) as greatests,
               array_agg(q.before order by q.nth) as befores,
               array_agg(q.initial order by q.nth) as initials,
               string_agg(q.drug, ' ' order by q.nth) filter (where q.status <> 'covered')
                   as not_covered,
               string_agg(q.drug, ' ' order by q.nth) filter (where q.full_cost is null) as unpriced,
               count(*) filter (where q.status <> 'covered' and q.price = 0)::integer as unreckoned
        from judged q
        group by q.plan
    loop
        spent := 0;
        left_of_deductible := r.deductible;
        capped_in := null;
        for month in 0..11 loop
            is_due := array[1, (month % 2 = 0)::integer, (month % 3 = 0)::integer];
            month_paid := r.other_sums[1] + is_due[2] * r.other_sums[2] + is_due[3] * r.other_sums[3];
            if capped_in is null then
                sums := case when left_of_deductible <= 0 then r.after_sums else r.before_sums end;
                month_counted := sums[1] + is_due[2] * sums[2] + is_due[3] * sums[3];
                if (left_of_deductible <= 0 or not r.takes_deductible)
                   and spent + month_counted < r.cap then
                    -- Most months: neither deductible nor cap is in reach.
                    spent := spent + month_counted;
                else
                    month_counted := 0;
                    for item in 1..r.items loop
                        continue when month % r.every[item] <> 0 or not r.are_counted[item];
                        if left_of_deductible <= 0 then
                            pays := r.initials[item];
                        elsif not r.take_deductible[item] then
                            pays := r.befores[item];
                        elsif r.prices[item] <= left_of_deductible then
                            pays := r.prices[item];
                            left_of_deductible := left_of_deductible - pays;
                        else
                            pays := left_of_deductible
                                + share_of(r.types[item], r.amounts[item], r.leasts[item],
                                           r.greatests[item], r.prices[item] - left_of_deductible);
                            left_of_deductible := 0;
                        end if;
                        if spent + pays >= r.cap then
                            month_counted := month_counted + r.cap - spent;
                            capped_in := month + 1;
                            exit;
                        end if;
                        spent := spent + pays;
                        month_counted := month_counted + pays;
                    end loop;
                end if;
                month_paid := month_paid + month_counted;
            end if;
            paid := paid || month_paid;
        end loop;
        names := names || r.plan;
        cap_months := cap_months || capped_in;
        channels := channels || r.channel;
        uncovered := uncovered || coalesce(r.not_covered, '');
        without_price := without_price || coalesce(r.unpriced, '');
        unreckoned := unreckoned || r.unreckoned;
    end loop;

    return query
    -- A plan of which a premium or the law's amounts are not known comes behind all that are known. A drug that a plan leaves out and that nobody has a price for costs nothing here: such a plan
    -- comes behind all that are reckoned in full.
    select (row_number() over (order by x.unknown is not null, unreckoned[y.nth],
                                        coalesce(p.premium_total, p.premium) * 12 + y.drugs nulls last,
                                        p.plan))::integer,
           p.plan, p.plan_name, p.contract_name, p.kind, p.snp, coalesce(p.deductible, 0),
           p.premium_total * 12, y.drugs, p.premium_total * 12 + y.drugs, y.months,
           cap_months[y.nth], channels[y.nth],
           string_to_array(nullif(uncovered[y.nth], ''), ' '),
           string_to_array(nullif(without_price[y.nth], ''), ' '),
           p.premium_part_c * 12, p.premium * 12, x.unknown
    from (
        select n.nth::integer, n.name, paid[n.nth * 12 - 11:n.nth * 12] as months,
               (select sum(m) from unnest(paid[n.nth * 12 - 11:n.nth * 12]) as m) as drugs
        from unnest(names) with ordinality as n (name, nth)
    ) as y
    join plan p on p.plan = y.name
    cross join lateral (
        select nullif(array_remove(array[
            case when p.premium_part_c is null and p.kind <> 'pdp' then 'part_c_premium' end,
            case when p.premium is null then 'part_d_premium' end,
            case when not exists (select from benefit_year b
                                  where b.contract_year = p.contract_year)
                 then 'benefit_year' end
        ], null), '{}') as unknown
    ) as x
    order by 1;
end
$$;

comment on function rank_plans is
    'Plans of a county, the cheapest year first: premiums and what the member pays for a basket of drugs, month by month from January through deductible, initial phase and yearly cap, in US dollars. Takes: basket, a JSON array of at most 100 {"drug": NDC or RXCUI, "days_supply": 30, 60 or 90, "quantity": units a fill, "disease", "insulin"}, of which only drug is needed; zip, with all of its counties unless county_fips names one (a ZIP code that is not known is an error); pharmacy, its NPI, or preferred or standard for any such ones, without fee (null: standard); by_mail. Gives for each plan: its rank, deductible, premium_year (Part C and Part D), drugs_year and their sum; months, twelve amounts; cap_month, the month in which the yearly cap is reached; channel; not_covered, drugs of the basket that the plan does not cover there; unpriced, drugs without a price in the release; premium_part_c_year and premium_part_d_year, each premium by itself; unknown, what the files do not tell of the plan (part_c_premium, part_d_premium; benefit_year, where the law''s amounts of its year are missing and no yearly cap is applied): such plans rank behind all others, and their sums are null where a premium is missing. Drugs not covered or unpriced are reckoned at the mean price of the county''s other plans. The cap counts what the member pays; where an enhanced plan pays more than the standard benefit would, the law counts that too, and the true cap comes earlier.';
