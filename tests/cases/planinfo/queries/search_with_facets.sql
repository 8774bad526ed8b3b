-- What is sold in 92672, and how many plans would each choice leave, when the premium may be 50 dollars at most?
with found as (
    select search_plans(zip => '92672', premium_max => 50, sort => 'premium') as answer
)
select 'plan' as what, concat_ws('-', card ->> 'contract_id', card ->> 'plan_id', card ->> 'segment_id') as value,
       card ->> 'premium' as says, place
from found, json_array_elements(answer -> 'plans') with ordinality as page (card, place)
union all
select 'total', null, answer ->> 'total', null from found
union all
select facet, counted ->> 'value', counted ->> 'count', place
from found, json_each(answer -> 'facets') as each (facet, counts),
     json_array_elements(counts) with ordinality as one (counted, place)
order by what, place;
