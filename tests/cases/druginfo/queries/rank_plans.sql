-- ZIP 99801 lies in Alder: four plans are sold there, and one that CMS suppresses. Each month 30 of a
-- generic, 20 of a brand and 10 of insulin, at pharmacy …012. By hand, fees as in drug_cost.sql:
--
-- R9003: no deductible: 2 + 40 + 35 = 77 a month, 924 a year.
-- H9001: deductible 200 on the brand (8 × 20 + 1.50 = 161.50); the generic is free, the insulin 30.
--   January 161.50 + 30; February 38.50 left, and 45 of the other 123: 83.50 + 30; then 45 + 30.
--   191.50 + 113.50 + 10 × 75 = 1,055; premiums 240 (Part D) and 378 (Part C).
-- S9002: deductible 615 on all but the insulin, which is 35: generic 0.12 × 30 + 0.50 = 4.10, brand
--   8.50 × 20 + 1.50 = 171.50. January to March 175.60 + 35 = 210.60 (88.20 are left); April 4.10, then
--   84.10 left, and 25 % of the other 87.40 = 21.85: 4.10 + 105.95 + 35 = 145.05; then
--   1.03 + 42.88 + 35 = 78.91. 631.80 + 145.05 + 631.28 = 1,408.13; premium 481.20.
-- H9006: generic and insulin free, without prices; the brand is not covered, reckoned at the mean of the
--   others, (161.50 + 171.50 + 165.00) / 3 = 166.00, the year 1,992; Part C premium 12,048.
select h.total_by_hand, r.total_year is not distinct from h.total_by_hand as agree, r.*
from rank_plans(
    '[{"drug": "99901000101", "quantity": 30},
      {"drug": "99902000301", "quantity": 20},
      {"drug": "900006", "quantity": 10}]',
    '99801', '1000000012') as r
left join (values
    ('R9003-001-000', 924.00), ('H9001-001-000', 1673.00), ('S9002-001-000', 1889.33),
    ('H9006-001-000', 14040.00)
) as h (plan, total_by_hand) on h.plan = r.plan
order by r.rank
