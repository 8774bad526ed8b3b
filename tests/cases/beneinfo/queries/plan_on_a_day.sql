-- Which plans was everybody in on the first of June 2024?
select contract_id, plan_id, part_c, part_d
from enrolment_span
where daterange(begin_date, end_date, '[]') @> date '2024-06-01'
order by contract_id, plan_id;
