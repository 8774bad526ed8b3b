-- What does PBP itself say a primary care visit costs?
select contract_id, plan_id, segment_id, line,
    fields ->> 'pbp_b7a_copay_amt_mc_min' as copay_min, fields ->> 'pbp_b7a_coins_pct_mc_min' as coinsurance_min
from pbp_section
where section = 'b7_health_prof'
order by line;
