-- derive
-- The planner knows nothing of tables that are minutes old.
analyze plan, benefit_service;

-- What a stay in hospital or in a nursing facility costs, day by day. The names of the columns
-- follow one pattern, so they are made from it: copay/amt or coins/pct for {cost} and {unit}, the
-- tier of hospitals for {tier}, the interval for {no}.
create table benefit_stay as
with pattern (section, network, service_code, tiers, yn, medicare, stay, intervals, amount, day_from, day_to) as (
    select section, 'in', service_code, 3,
           p || '{cost}_yn',
           p || 'mc_{cost}_cstshr_yn_t{tier}',
           p || '{cost}_mcs_{unit}_t{tier}',
           p || '{cost}_mcs_int_num_t{tier}',
           p || '{cost}_mcs_{unit}_int{no}_t{tier}',
           p || '{cost}_mcs_bgnd_int{no}_t{tier}',
           p || '{cost}_mcs_endd_int{no}_t{tier}'
    from (values ('b1a_inpat_hosp', '1a', 'pbp_b1a_'),
                 ('b1b_inpat_hosp', '1b', 'pbp_b1b_'),
                 ('b2_snf',         '2',  'pbp_b2_')) as place (section, service_code, p)
    union all
    select 'section_c', network, service_code, 1,
           p || '{cost}_' || yn,
           p || '{cost}_' || k || '_mc_cost_yn',
           p || '{cost}_' || k || stay,
           p || '{cost}_' || k || '_intrvl_num',
           p || '{cost}_' || k || '_{unit}_i{no}',
           p || '{cost}_' || k || '_bgnd_i{no}',
           p || '{cost}_' || k || '_endd_i{no}'
    from (values ('out', 'pbp_c_oon_'), ('pos', 'pbp_c_pos_')) as way (network, p),
         -- A copay for the whole stay has _ps_ in its name; a percentage has not (below).
         (values ('1a', 'ihs_yn', 'iha', '_ps_{unit}'),
                 ('1b', 'ihs_yn', 'iph', '_ps_{unit}'),
                 ('2',  'snf_yn', 'snf', '_{unit}')) as place (service_code, yn, k, stay)
),
question as (
    select section, network, service_code, tier, cost, no,
           made.*
    from pattern,
         (values ('copay', 'amt'), ('coins', 'pct')) as kind (cost, unit),
         generate_series(1, tiers) as tier,
         generate_series(0, 3) as no,
         lateral (
             select replace(yn, '{cost}', cost) as yn,
                    replace(replace(medicare, '{cost}', cost), '{tier}', tier::text) as medicare,
                    replace(replace(intervals, '{cost}', cost), '{tier}', tier::text) as intervals,
                    replace(replace(replace(replace(case when no = 0 and cost = 'coins' then replace(stay, '_ps_', '_')
                                                         when no = 0 then stay
                                                         else amount end,
                        '{cost}', cost), '{unit}', unit), '{tier}', tier::text), '{no}', no::text) as amount,
                    replace(replace(replace(day_from, '{cost}', cost), '{tier}', tier::text), '{no}', no::text) as day_from,
                    replace(replace(replace(day_to, '{cost}', cost), '{tier}', tier::text), '{no}', no::text) as day_to
         ) as made
),
answer as (
    select plan.plan_no, question.network, question.service_code, question.tier, question.cost, question.no,
           fields ->> question.yn as yn,
           fields ->> question.medicare as medicare,
           -- 1 no interval, 2 one, 3 two, 4 three.
           coalesce((fields ->> question.intervals)::integer - 1, 0) as intervals,
           (fields ->> question.amount)::numeric as amount,
           (fields ->> question.day_from)::integer as day_from,
           (fields ->> question.day_to)::integer as day_to,
           case when question.tier = 1 then 1
                else coalesce((fields ->> ('pbp_b' || question.service_code || '_cost_vary_tier_num'))::integer, 1)
           end as tiers
    from pbp_section
    join question on question.section = pbp_section.section
    join plan on plan.year = pbp_section.year
             and plan.contract_id = pbp_section.contract_id
             and plan.plan_id = pbp_section.plan_id
             and plan.segment_id = lpad(pbp_section.segment_id, 3, '0')
    where pbp_section.section in ('b1a_inpat_hosp', 'b1b_inpat_hosp', 'b2_snf', 'section_c')
)
select plan_no,
       service_code,
       network,
       tier::smallint,
       case cost when 'copay' then 'copay' else 'coinsurance' end as cost,
       case when medicare = '1' then 'medicare' when no = 0 then 'stay' else 'day' end as basis,
       case when medicare is distinct from '1' and no > 0 then day_from::smallint end as day_from,
       case when medicare is distinct from '1' and no > 0 then day_to::smallint end as day_to,
       case when medicare is distinct from '1'
            then case cost when 'copay' then amount else amount / 100 end end::numeric(10,2) as amount
from answer
where yn = '1'
  and tier <= greatest(tiers, 1)
  and case when medicare = '1' then no = 0
           -- A stay's own amount of 0 beside intervals is an answer that was filled in, not a price.
           when no = 0 then amount > 0 or (amount = 0 and intervals = 0)
           else no <= intervals and amount is not null end;

create index benefit_stay_plan_no on benefit_stay (plan_no, service_code, network);

comment on table benefit_stay is
    'What a member pays for a stay in hospital (1a acute, 1b psychiatric) or in a skilled nursing facility (2): one row a plan, network, tier of hospitals and interval of days. PBP tables b1a, b1b, b2 and section C. No row: nothing is paid, or the plan gave no answer (see benefit.words). [file]';
comment on column benefit_stay.plan_no is 'Plan; joins plan.plan_no.';
comment on column benefit_stay.service_code is '1a, 1b or 2; joins benefit_service.service_code.';
comment on column benefit_stay.network is 'in: in the plan''s network; out: out of it; pos: out of it, under the point of service option of an HMO.';
comment on column benefit_stay.tier is 'Tier of hospitals, 1 to 3; 1 where all hospitals cost the same.';
comment on column benefit_stay.cost is 'copay: amount is US dollars; coinsurance: amount is a fraction of the price.';
comment on column benefit_stay.basis is 'stay: for the whole stay; day: for each day from day_from to day_to; medicare: as Original Medicare charges, no amount.';
comment on column benefit_stay.day_from is 'First day of the interval, from 1; null unless by the day.';
comment on column benefit_stay.day_to is 'Last day of the interval; 999 no end. Null unless by the day.';
comment on column benefit_stay.amount is 'US dollars or a fraction (0.2 is 20 %), see cost; null where basis is medicare.';

-- check: an interval of days does not end before it begins
select plan_no, service_code, network, day_from, day_to
from benefit_stay
where day_to < day_from;
