-- ZIP 99803 lies in Cedar, one FIPS county with two SSA codes. A dear drug each month and 90 of a
-- generic each quarter, no pharmacy: no fees. By hand:
--
-- R9003: 33 % of 149 × 30 = 4,470 is 1,475.10; the generic has no price for 90 days, that of 30 days
--   stands in: 0.15 × 90 = 13.50, copay 6. January 1,481.10; February what is left of the cap: 618.90.
-- S9002: 140 × 30 = 4,200: 615 and 25 % of 3,585 = 1,511.25; generic 25 % of 0.11 × 90 = 9.90: 2.48.
--   January 1,513.73; February 586.27; premium 481.20.
-- H9005: CMS does not ship its formulary: nothing is covered, nothing counts to the cap. Means of the
--   other two: 4,335 × 12 + 11.70 × 4 = 52,066.80; Part D premium 66, but the landscape
--   does not list it: the sum is not known.
select h.total_by_hand, r.total_year is not distinct from h.total_by_hand as agree, r.*
from rank_plans(
    '[{"rxcui": "900005", "quantity": 30}, {"ndc": "99901000101", "days_supply": 90, "quantity": 90}]',
    '99803') as r
left join (values
    ('R9003-001-000', 2100.00), ('S9002-001-000', 2581.20), ('H9005-003-002', null)
) as h (plan, total_by_hand) on h.plan = r.plan
order by r.rank
