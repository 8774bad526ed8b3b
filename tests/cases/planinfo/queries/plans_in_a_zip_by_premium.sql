-- What can a person who lives in 92672 buy (the postal code lies in two counties), cheapest first?
select p.bid_id, p.plan_name, p.plan_type, p.premium_total, array_agg(c.county_fips order by c.county_fips) as counties
from zip_county as z
join plan_county as c on c.county_fips = z.fips
join plan as p using (plan_no)
where z.zip = '92672'
  and not c.is_employer
  and c.sold_by <> 'contract area'
group by p.plan_no, p.bid_id, p.plan_name, p.plan_type, p.premium_total
order by p.premium_total nulls last, p.bid_id;
