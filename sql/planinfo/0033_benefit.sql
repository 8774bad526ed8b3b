-- derive
-- The planner knows nothing of tables that are minutes old.
analyze benefit_stay;

-- $40, $12.50, $1,735: as people write money.
create function dollars(amount numeric) returns text
    language sql immutable parallel safe
    return '$' || replace(to_char(amount, 'FM999,999,990.00'), '.00', '');
comment on function dollars(numeric) is 'US dollars in words: $40, $12.50, $1,735.';

create function percent(fraction numeric) returns text
    language sql immutable parallel safe
    return trim_scale(fraction * 100)::text || '%';
comment on function percent(numeric) is 'A fraction in words: 20% for 0.2.';

-- A sum and its range: $0–$40, 20%–50%, one figure where both are the same.
create function span_words(low text, high text) returns text
    language sql immutable parallel safe
    return case when low is distinct from high then coalesce(low || '–' || high, low, high) else low end;
comment on function span_words(text, text) is 'Least and most in words: $0–$40, or one figure where both are the same or one is missing.';

create table benefit as
with field as (
    select service.section, role, name, service_no
    from benefit_service as service,
         jsonb_each(fields) as said (role, names),
         jsonb_array_elements_text(names) as name
),
-- In the network: every column of the list that the file fills, brought to its service and role.
said as (
    select plan.plan_no, field.service_no, field.role, filled.value
    from pbp_section
    join plan on plan.year = pbp_section.year
             and plan.contract_id = pbp_section.contract_id
             and plan.plan_id = pbp_section.plan_id
             and plan.segment_id = lpad(pbp_section.segment_id, 3, '0')
    cross join lateral jsonb_each_text(pbp_section.fields) as filled (name, value)
    join field on field.section = pbp_section.section and field.name = filled.name
),
period (code, words) as (values
    ('1', 'every three years'), ('2', 'every two years'), ('3', 'a year'), ('4', 'every six months'),
    ('5', 'every three months'), ('7', 'a month'), ('8', 'a benefit period'), ('9', 'a stay')
),
inside as (
    select plan_no, service_no, 'in' as network,
           max(value) filter (where role = 'offered') as offered,
           max(value) filter (where role = 'offered_yn') as offered_yn,
           max(value) filter (where role = 'other_name') as other_name,
           max(value) filter (where role = 'copay_yn') as copay_yn,
           max(value) filter (where role = 'coinsurance_yn') as coinsurance_yn,
           min(value::numeric) filter (where role = 'copay_min') as copay_min,
           max(value::numeric) filter (where role = 'copay_max') as copay_max,
           min(value::numeric) filter (where role = 'coinsurance_min') as coinsurance_min,
           max(value::numeric) filter (where role = 'coinsurance_max') as coinsurance_max,
           max(value::numeric) filter (where role = 'deductible') as deductible,
           (max(value::numeric) filter (where role = 'limit_count'))::integer as limit_count,
           max(value) filter (where role = 'limit_per') as limit_per,
           max(value::numeric) filter (where role = 'maximum') as maximum,
           max(value) filter (where role = 'maximum_per') as maximum_per,
           -- The maximum of another category covers this one where its type is 1.
           max(value) filter (where role = 'shared_if') = '1' as shared,
           max(value::numeric) filter (where role = 'shared_maximum') as shared_maximum,
           max(value) filter (where role = 'shared_maximum_per') as shared_maximum_per,
           max(value::numeric) filter (where role = 'member_maximum') as member_maximum,
           max(value) filter (where role = 'member_maximum_per') as member_maximum_per,
           max(value) filter (where role = 'authorization') as authorization_yn,
           max(value) filter (where role = 'referral') as referral_yn,
           max(value) filter (where role = 'waived_if_admitted') as waived_yn,
           max(value) filter (where role = 'free_if') as free_yn,
           max(value) filter (where role = 'stay_period') as stay_period
    from said
    group by plan_no, service_no
),
-- Services that share one amount: the combined supplemental benefits of section D, of which a plan
-- files up to five. A service in several has that of the first.
combined as (
    select distinct on (plan.plan_no, listed.service_no)
           plan.plan_no, listed.service_no,
           (pbp_section.fields ->> ('pbp_d_combo_max_plan_ben_amt_' || n))::numeric as maximum,
           pbp_section.fields ->> ('pbp_d_combo_max_plan_period_' || n) as maximum_per,
           coalesce(pbp_section.fields ->> ('pbp_d_combo_grp_name_' || n), 'combined benefits') as maximum_with
    from pbp_section
    join plan on plan.year = pbp_section.year
             and plan.contract_id = pbp_section.contract_id
             and plan.plan_id = pbp_section.plan_id
             and plan.segment_id = lpad(pbp_section.segment_id, 3, '0')
    cross join generate_series(1, 5) as n
    cross join lateral string_to_table(pbp_section.fields ->> ('pbp_d_combo_nmc_cats_' || n), ';') as code
    join benefit_service as listed on listed.service_code = code
    where pbp_section.section = 'section_d'
      and (pbp_section.fields ->> ('pbp_d_combo_max_plan_ben_amt_' || n))::numeric > 0
    order by plan.plan_no, listed.service_no, n
),
-- Out of the network: groups of services that cost the same, each with its list of services.
grouped as (
    select plan.plan_no, listed.service_no, way.network, way.p, pbp_section.fields
    from (values ('section_c_oon', 'out', 'pbp_c_oon_outpt_',
                  'pbp_c_oon_out_mc_bendesc_cats', 'pbp_c_oon_out_nmc_bendesc_cats'),
                 ('section_c_pos', 'pos', 'pbp_c_pos_outpt_',
                  'pbp_c_pos_outpt_mc_bencats', 'pbp_c_pos_outpt_nmc_bencats'))
         as way (section, network, p, covered, extra)
    join pbp_section on pbp_section.section = way.section
    join plan on plan.year = pbp_section.year
             and plan.contract_id = pbp_section.contract_id
             and plan.plan_id = pbp_section.plan_id
             and plan.segment_id = lpad(pbp_section.segment_id, 3, '0')
    cross join lateral string_to_table(concat(pbp_section.fields ->> covered, ';', pbp_section.fields ->> extra), ';') as code
    join benefit_service as listed on listed.service_code = code
),
outside as (
    select plan_no, service_no, network,
           min(fields ->> (p || 'copay_yn')) as copay_yn,
           min(fields ->> (p || 'coins_yn')) as coinsurance_yn,
           min((fields ->> (p || 'copay_min_amt'))::numeric) as copay_min,
           max((fields ->> (p || 'copay_max_amt'))::numeric) as copay_max,
           min((fields ->> (p || 'coins_min_pct'))::numeric) as coinsurance_min,
           max((fields ->> (p || 'coins_max_pct'))::numeric) as coinsurance_max,
           max(coalesce(fields ->> (p || 'ded_amt'), fields ->> (p || 'deduct_amt'))::numeric) as deductible,
           max((fields ->> (p || 'maxplan_amt'))::numeric) as maximum,
           max(fields ->> (p || 'maxplan_per')) as maximum_per
    from grouped
    group by plan_no, service_no, network
    union all
    -- Stays out of the network are not in a group; section C asks about each.
    select distinct plan_no, service_no, network, '1', null, null::numeric, null::numeric, null::numeric,
           null::numeric, null::numeric, null::numeric, null
    from benefit_stay join benefit_service using (service_code)
    where network <> 'in'
),
answer as (
    select * from inside
    union all
    select plan_no, service_no, network, null, null, null, copay_yn, coinsurance_yn, copay_min, copay_max,
           coinsurance_min, coinsurance_max, deductible, null, null, maximum, maximum_per,
           null, null, null, null, null, null, null, null, null, null
    from outside
),
tier_words as (
    select plan_no, service_code, network, tier, min(basis) as basis, count(distinct basis) as bases,
           min(amount) filter (where cost = 'copay') as copay_min,
           max(amount) filter (where cost = 'copay') as copay_max,
           min(amount) filter (where cost = 'coinsurance') as coinsurance_min,
           max(amount) filter (where cost = 'coinsurance') as coinsurance_max,
           string_agg(distinct_words, '; ' order by day_from nulls first) as words
    from (
        select distinct plan_no, service_code, network, tier, basis, cost, amount, day_from,
               case when basis = 'medicare' then 'what Original Medicare charges'
                    else case when cost = 'copay' then dollars(amount) else percent(amount) || ' coinsurance' end
                         || case when basis = 'stay' then ' a stay'
                                 when day_from = day_to then ', day ' || day_from
                                 when day_to = 999 then ' a day, from day ' || day_from
                                 else ' a day, days ' || day_from || '–' || day_to end
               end as distinct_words
        from benefit_stay
        -- Medicare's copay and Medicare's coinsurance are one answer.
        where not (basis = 'medicare' and cost = 'coinsurance'
                   and (plan_no, service_code, network, tier) in (
                       select plan_no, service_code, network, tier
                       from benefit_stay where basis = 'medicare' and cost = 'copay'))
    ) as interval_words
    group by plan_no, service_code, network, tier
),
stay as (
    select plan_no, service_code, network,
           min(copay_min) as copay_min, max(copay_max) as copay_max,
           min(coinsurance_min) as coinsurance_min, max(coinsurance_max) as coinsurance_max,
           case when min(basis) = max(basis) and max(bases) = 1 then min(basis) end as basis,
           case when count(*) = 1 then min(words)
                else string_agg('tier ' || tier || ': ' || words, '. ' order by tier) end as words
    from tier_words
    group by plan_no, service_code, network
),
priced as (
    select answer.plan_no, answer.service_no, answer.network, service.service_code, service.category,
           coalesce(answer.other_name, service.service) as service, service.limit_unit,
           case when service.medicare_covered then 'medicare'
                when answer.network <> 'in' then 'mandatory'
                when offered in ('2', '4') then 'mandatory'
                when offered = '3' then 'optional'
                when offered is null and offered_yn = '1' and not service.fields ? 'offered' then 'mandatory'
                else 'no' end as offered,
           answer.copay_yn, answer.coinsurance_yn,
           answer.copay_min, answer.copay_max, answer.coinsurance_min, answer.coinsurance_max,
           stay.words as stay_words, stay.basis,
           stay.copay_min as stay_copay_min, stay.copay_max as stay_copay_max,
           stay.coinsurance_min as stay_coinsurance_min, stay.coinsurance_max as stay_coinsurance_max,
           case answer.stay_period when '2' then ' (each year)'
                                   when '3' then case when stay.basis = 'stay' then '' else ' (each stay)' end
                                   when '1' then ' (each benefit period)' else '' end as stay_period,
           -- Asked about copay and coinsurance, and neither has an amount for this service.
           coalesce(answer.free_yn = '1'
               or answer.copay_yn = '2' and answer.coinsurance_yn = '2'
               or service.service_code not in ('1a', '1b', '2')
                  and (answer.copay_yn is not null or answer.coinsurance_yn is not null)
                  and coalesce(answer.copay_min, answer.copay_max, answer.coinsurance_min, answer.coinsurance_max) is null,
               false) as is_free,
           answer.deductible, answer.limit_count, answer.limit_per,
           coalesce(case when shared then shared_maximum end, answer.maximum, combined.maximum)
               as maximum,
           case when coalesce(case when shared then shared_maximum end, answer.maximum) is null
                     and combined.maximum is not null
                then combined.maximum_per
                else coalesce(case when shared then shared_maximum_per end, answer.maximum_per)
           end as maximum_per,
           case when coalesce(case when shared then shared_maximum end, answer.maximum) is null
                then combined.maximum_with end as maximum_with,
           answer.member_maximum, answer.member_maximum_per,
           authorization_yn, referral_yn, waived_yn
    from answer
    join benefit_service as service using (service_no)
    left join stay on stay.plan_no = answer.plan_no and stay.network = answer.network
                  and stay.service_code = service.service_code
    left join combined on combined.plan_no = answer.plan_no and combined.service_no = answer.service_no
                      and answer.network = 'in'
),
valued as (
    select plan_no, service_no, network, service_code, category, service, offered, limit_unit, basis, stay_words,
           stay_period, is_free,
           case when is_free then 0 else coalesce(copay_min, stay_copay_min) end as copay_min,
           case when is_free then 0 else coalesce(copay_max, copay_min, stay_copay_max) end as copay_max,
           coalesce(coinsurance_min / 100, stay_coinsurance_min) as coinsurance_min,
           coalesce(coinsurance_max / 100, coinsurance_min / 100, stay_coinsurance_max) as coinsurance_max,
           nullif(deductible, 0) as deductible,
           nullif(limit_count, 0) as limit_count,
           (select words from period where code = limit_per) as limit_per,
           nullif(maximum, 0) as maximum,
           (select words from period where code = maximum_per) as maximum_per,
           maximum_with,
           nullif(member_maximum, 0) as member_maximum,
           (select words from period where code = member_maximum_per) as member_maximum_per,
           authorization_yn = '1' as authorization_required,
           referral_yn = '1' as referral_required,
           waived_yn = '1' as waived_if_admitted
    from priced
)
select valued.plan_no,
       plan.year,
       plan.contract_id,
       plan.plan_id,
       plan.segment_id,
       service_code,
       network,
       service_no,
       category,
       service,
       offered,
       given.copay_min::numeric(9,2) as copay_min,
       given.copay_max::numeric(9,2) as copay_max,
       given.coinsurance_min::numeric(4,3) as coinsurance_min,
       given.coinsurance_max::numeric(4,3) as coinsurance_max,
       case when offered <> 'no' and stay_words is not null then basis end as cost_basis,
       given.deductible::numeric(9,2) as deductible,
       given.limit_count,
       case when given.limit_count is not null then limit_unit end as limit_unit,
       given.limit_per,
       given.maximum::numeric(10,2) as maximum,
       given.maximum_per,
       given.member_maximum::numeric(10,2) as member_maximum,
       given.member_maximum_per,
       given.authorization_required,
       given.referral_required,
       given.waived_if_admitted,
       case when offered = 'no' then 'Not offered'
            else case when offered = 'optional' then 'For an extra premium: ' else '' end
                 || concat_ws('; ',
                        coalesce(stay_words || stay_period,
                            nullif(concat_ws(' or ',
                                span_words(dollars(given.copay_min), dollars(given.copay_max)) || ' copay',
                                span_words(percent(given.coinsurance_min), percent(given.coinsurance_max))
                                    || ' coinsurance'), ''),
                            'cost not told')
                        || case when given.waived_if_admitted then ', waived if admitted' else '' end,
                        dollars(given.deductible) || ' deductible first',
                        given.limit_count || ' '
                            || case when given.limit_count = 1 then rtrim(limit_unit, 's') else limit_unit end
                            || coalesce(' ' || given.limit_per, ''),
                        'up to ' || dollars(given.maximum) || coalesce(' ' || given.maximum_per, '')
                            || coalesce(' together with other services (' || given.maximum_with || ')', ''))
       end as words,
       given.maximum_with
from valued
join plan using (plan_no)
-- What is not offered has no price.
left join lateral (
    select valued.copay_min, valued.copay_max, valued.coinsurance_min, valued.coinsurance_max,
           valued.deductible, valued.limit_count, valued.limit_per, valued.maximum, valued.maximum_per,
           valued.maximum_with, valued.member_maximum, valued.member_maximum_per, valued.authorization_required,
           valued.referral_required, valued.waived_if_admitted
    where offered <> 'no'
) as given on true
order by valued.plan_no, service_no, network;

alter table benefit add primary key (plan_no, service_code, network);
create index benefit_plan on benefit (contract_id, plan_id, segment_id);
create index benefit_service_cost on benefit (service_code, network, copay_min) where offered <> 'no';

comment on table benefit is
    'What a member of a plan pays for a service, in words and in numbers: one row a plan, service and network. From the PBP columns that benefit_service names; out of the network from the groups of section C. No row: the plan gave no answer (PACE, MSA and cost plans file no cost sharing; stand-alone drug plans have none). [file]';
comment on column benefit.plan_no is 'Plan; joins plan.plan_no.';
comment on column benefit.year is 'Plan year.';
comment on column benefit.contract_id is 'CMS contract; with plan_id and segment_id the plan key.';
comment on column benefit.plan_id is 'Plan within the contract, three digits.';
comment on column benefit.segment_id is 'Segment of the plan, three digits; 000 where the plan has none.';
comment on column benefit.service_code is 'Service category, as the PBP writes it (7d physician specialist); joins benefit_service.service_code.';
comment on column benefit.network is 'in: from providers in the plan''s network; out: out of it (PPO); pos: out of it, under the point of service option of an HMO.';
comment on column benefit.service_no is 'Order in which to show services; joins benefit_service.service_no.';
comment on column benefit.category is 'Group of the service: Doctors, Hospital, Dental …';
comment on column benefit.service is 'Service in words; where the PBP lets the plan name it (13d, 7b2 …), the plan''s name for it.';
comment on column benefit.offered is 'medicare: Medicare covers it, so the plan must; mandatory: the plan adds it for all members (PBP code 2, and 4 both); optional: for members who pay an extra premium (3); no: not offered.';
comment on column benefit.copay_min is 'Least copay, US dollars for a visit or what cost_basis says; 0 where the plan asks for nothing. Null: no copay (see coinsurance) or not told.';
comment on column benefit.copay_max is 'Most copay, US dollars; as copay_min where there is one copay.';
comment on column benefit.coinsurance_min is 'Least coinsurance, a fraction of the price (0.2 is 20 %). Null: none or not told.';
comment on column benefit.coinsurance_max is 'Most coinsurance, a fraction of the price.';
comment on column benefit.cost_basis is 'For stays: day or stay, what the copay is for; medicare: what Original Medicare charges; null where intervals differ (see benefit_stay) and for all other services.';
comment on column benefit.deductible is 'Deductible of this service alone, US dollars. Null: none. The plan''s deductible is plan.deductible_medical.';
comment on column benefit.limit_count is 'How often the plan covers it in limit_per. Null: no limit told.';
comment on column benefit.limit_unit is 'What limit_count counts: visits, trips, pairs …';
comment on column benefit.limit_per is 'Time in which limit_count holds: a year, every two years …';
comment on column benefit.maximum is 'Most that the plan pays in maximum_per, US dollars. Null: no limit told. A maximum that several services share stands at each.';
comment on column benefit.maximum_per is 'Time in which maximum holds.';
comment on column benefit.member_maximum is 'Most that the member pays for this service in member_maximum_per, US dollars. Null: none but the plan''s own maximum.';
comment on column benefit.member_maximum_per is 'Time in which member_maximum holds.';
comment on column benefit.authorization_required is 'True: the plan must approve first (prior authorization). Null: not asked.';
comment on column benefit.referral_required is 'True: a referral by a doctor is needed. Null: not asked.';
comment on column benefit.waived_if_admitted is 'True: nothing is paid when the visit ends in admission to hospital.';
comment on column benefit.words is 'All of it in one line for a page: $40 copay; $325 a day, days 1–6; $0 a day, days 7–90 (each stay).';
comment on column benefit.maximum_with is 'Where several services share maximum (the combined supplemental benefits of section D): the name that the plan gives the group. Null: the maximum is for this service, or for those whose dental or other category shares it.';

-- check: the PBP columns of combined benefits have the names of this year
select wanted.name
from (values ('pbp_d_combo_nmc_cats_1'), ('pbp_d_combo_max_plan_ben_amt_1'),
             ('pbp_d_combo_max_plan_period_1'), ('pbp_d_combo_grp_name_1')) as wanted (name)
where exists (select from pbp_section where section = 'section_d' and fields ->> 'pbp_d_combo_supp_ben_yn' = '1')
  and not exists (select from pbp_section where section = 'section_d' and fields ? wanted.name);

-- check: least is not above most
select plan_no, service_code, network
from benefit
where copay_min > copay_max or coinsurance_min > coinsurance_max;

-- check: coinsurance is a fraction
select plan_no, service_code, network, coinsurance_max
from benefit
where coinsurance_min < 0 or coinsurance_max > 1;

-- check: what is offered has words, and what is not has no price
select plan_no, service_code, network
from benefit
where words is null
   or offered = 'no' and coalesce(copay_min, coinsurance_min) is not null;
