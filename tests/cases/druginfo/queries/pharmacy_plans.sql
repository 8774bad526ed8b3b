-- In three parts of the file, under one ZIP code; in two, under two; and in none.
select f.npi, p.*
from (values ('1000000012'), ('1000000053'), ('1000000061')) as f (npi)
cross join lateral pharmacy_plans(f.npi) as p
order by f.npi, p.plan
