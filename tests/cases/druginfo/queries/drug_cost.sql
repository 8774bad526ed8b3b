-- Every rule of drug_cost, and its edges. by_hand is reckoned from the files in ../input, as said beside
-- each fill; member_pays must be the same.
--
-- H9001-001-000: deductible 200 on tiers 3 to 5; pharmacy …012 is preferred (fees 1.50 brand, 0.50
-- generic, 2.25 selected), …020 standard (2.00, 1.00, none; floor price 4), …038 preferred mail (no
-- fees), …053 standard at retail and by mail (1.00).
-- S9002-001-000: defined standard, deductible 615, then 25 %; fees 1.50 and 0.50.
-- R9003-001-000: no deductible, copays; fees 1.00, 0.25, 3.00. H9006-001-000: free, no prices.
select f.nr, f.what, f.by_hand, c.member_pays, c.member_pays is not distinct from f.by_hand as agree,
       c.full_cost, c.plan_pays, c.counts, c.covered, c.status, c.rxcui, c.formulary_ndc, c.tier,
       c.channel, c.units, c.unit_cost, c.dispensing_fee, c.cost_type, c.amount, c.reasons
from (values
    -- 0.10 × 30 + 0.50 = 3.50; copay 0
    (1, 'generic, preferred, free', 0.00, 'H9001-001-000', '99901000101', '1000000012', 30, 'initial', 30, null::boolean, null::numeric, null::numeric, null),
    -- 0.10 × 30 + 1.00 = 4.00; copay 5, never above the price
    (2, 'copay above the price', 4.00, 'H9001-001-000', '99901000101', '1000000020', 30, 'initial', 30, null, null, null, null),
    -- 0.10 × 10 + 1.00 = 2.00, floor price 4
    (3, 'floor price', 4.00, 'H9001-001-000', '99901000101', '1000000020', 30, 'initial', 10, null, null, null, null),
    -- 0.50 × 30 + 1.00 = 16.00; tier 2 before the deductible: 15; 30 is more than the limit of 15 in 30 days
    (4, 'tier without deductible, before it is met', 15.00, 'H9001-001-000', '99901000201', '1000000020', 30, 'deductible', 30, null, null, null, null),
    -- the same afterwards: 12
    (5, 'tier without deductible, afterwards', 12.00, 'H9001-001-000', '99901000201', '1000000020', 30, 'initial', 30, null, null, null, null),
    -- 0.45 × 45 + 0.70 = 20.95; copay 21
    (6, '90 days: price, fee and copay of 90 days', 20.95, 'H9001-001-000', '99901000201', '1000000012', 90, 'initial', 45, null, null, null, null),
    -- 8 × 20 + 1.50 = 161.50, within the deductible of 200
    (7, 'deductible: in full', 161.50, 'H9001-001-000', '99902000301', '1000000012', 30, 'deductible', 20, null, null, null, null),
    -- 8 × 60 + 1.50 = 481.50; 200, then copay 45 of the other 281.50
    (8, 'the fill that meets the deductible', 245.00, 'H9001-001-000', '99902000301', '1000000012', 30, 'deductible', 60, null, null, null, null),
    -- 161.50; 50 left, then copay 45 of the other 111.50
    (9, 'a deductible of which 50 are left', 95.00, 'H9001-001-000', '99902000301', '1000000012', 30, 'deductible', 20, null, 50, null, null),
    -- 161.50; 150 left, then copay 45, but only 11.50 are left of the price
    (10, 'what is left of the price is less than the copay', 161.50, 'H9001-001-000', '99902000301', '1000000012', 30, 'deductible', 20, null, 150, null, null),
    -- nothing left: the copay
    (11, 'a deductible that is met', 45.00, 'H9001-001-000', '99902000301', '1000000012', 30, 'deductible', 20, null, 0, null, null),
    -- 8 × 30 + 2.00 = 242.00; copay 47
    (12, 'brand at a standard pharmacy', 47.00, 'H9001-001-000', '99902000301', '1000000020', 30, 'initial', 30, null, null, null, null),
    -- 12 × 2 + 1.50 = 25.50; 40 % = 10.20
    (13, 'coinsurance', 10.20, 'H9001-001-000', '99902000401', '1000000012', 30, 'initial', 2, null, null, null, null),
    -- 12 + 1.50 = 13.50; 40 % = 5.40, at least 10
    (14, 'coinsurance below its least amount', 10.00, 'H9001-001-000', '99902000401', '1000000012', 30, 'initial', 1, null, null, null, null),
    -- 12 × 30 + 1.50 = 361.50; 40 % = 144.60, at most 100
    (15, 'coinsurance above its greatest amount', 100.00, 'H9001-001-000', '99902000401', '1000000012', 30, 'initial', 30, null, null, null, null),
    -- 0.123456 × 30 = 3.70368, + 1.50 = 5.20; 40 % = 2.08, at least 10, never above 5.20
    (16, 'least amount above the price; brand assumed in tier 4', 5.20, 'H9001-001-000', '99908001301', '1000000012', 30, 'initial', 30, null, null, null, null),
    -- 0.20 × 30 + 0.50 = 6.50; copay 7
    (17, 'generic assumed in tier 2', 6.50, 'H9001-001-000', '99908001101', '1000000012', 30, 'initial', 30, null, null, null, null),
    -- 150 × 30 + 1.50 = 4,501.50; 28 % = 1,260.42
    (18, 'specialty, by RXCUI', 1260.42, 'H9001-001-000', '900005', '1000000012', 30, 'initial', 30, null, null, null, null),
    -- specialty is for 30 days only; 150 (the price of 30 days) × 90 + 2.00
    (19, 'a supply that the tier does not have', 13502.00, 'H9001-001-000', '900005', '1000000012', 90, 'initial', 90, null, null, null, null),
    -- 2,100 − 1,500
    (20, 'the fill that reaches the cap', 600.00, 'H9001-001-000', '900005', '1000000012', 30, 'initial', 30, null, null, 1500, null),
    (21, 'past the cap', 0.00, 'H9001-001-000', '900005', '1000000012', 30, 'initial', 30, null, null, 2100, null),
    (22, 'catastrophic phase', 0.00, 'H9001-001-000', '900005', '1000000012', 30, 'catastrophic', 30, null, null, null, null),
    -- 25 × 10 + 1.50 = 251.50; copay 30, 22 % = 55.33; no deductible
    (23, 'insulin: copay, no deductible', 30.00, 'H9001-001-000', '99904000601', '1000000012', 30, 'deductible', 10, null, null, null, null),
    -- 25 × 2 + 2.00 = 52.00; copay 35, 25 % = 13.00
    (24, 'insulin: coinsurance below the copay', 13.00, 'H9001-001-000', '99904000601', '1000000020', 30, 'initial', 2, null, null, null, null),
    -- 24.50 × 30 + 2.00 = 737.00; copay 90, 22 % = 162.14
    (25, 'insulin: 90 days', 90.00, 'H9001-001-000', '99904000601', '1000000012', 90, 'initial', 30, null, null, null, null),
    -- blank at preferred mail order; 25 × 10
    (26, 'insulin: a blank is not offered', 250.00, 'H9001-001-000', '99904000601', '1000000038', 30, 'initial', 10, null, null, null, null),
    -- 24 × 10 + 1.50 = 241.50; 35, 25 % = 60.38; one row for all tiers
    (27, 'insulin: defined standard', 35.00, 'S9002-001-000', '99904000601', '1000000012', 30, 'deductible', 10, null, null, null, null),
    -- 26 × 10 + 1.00 = 261.00; copay of tier 3 is 40, the law says 35
    (28, 'insulin: no row of its own, capped', 35.00, 'R9003-001-000', '99904000601', '1000000012', 30, 'initial', 10, null, null, null, null),
    -- 26 + 1.00 = 27.00; from 2026 on at most 25 % of the price = 6.75
    (29, 'insulin: at most a quarter of the price', 6.75, 'R9003-001-000', '99904000601', '1000000012', 30, 'initial', 1, null, null, null, null),
    -- 0.00 is free, and no price is needed to say so
    (30, 'insulin: 0.00 is free', 0.00, 'H9006-001-000', '99904000601', '1000000012', 30, 'initial', 10, null, null, null, null),
    -- 6 × 60 + 2.25 = 362.25
    (31, 'negotiated price: its own fee', 45.00, 'H9001-001-000', '99905000701', '1000000012', 30, 'initial', 60, null, null, null, null),
    -- 6 × 60 + 2.00 = 362.00
    (32, 'negotiated price: no fee of its own, the brand fee', 47.00, 'H9001-001-000', '99905000701', '1000000020', 30, 'initial', 60, null, null, null, null),
    -- 7.90 × 90 = 711.00; preferred mail order 90
    (33, 'preferred mail order', 90.00, 'H9001-001-000', '99902000301', '1000000038', 90, 'initial', 90, null, null, null, null),
    -- 0.09 × 180 + 1.00 = 17.20; retail first: 15
    (34, 'a pharmacy that is both: retail', 15.00, 'H9001-001-000', '99901000101', '1000000053', 90, 'initial', 180, null, null, null, null),
    -- mail order: 10
    (35, 'a pharmacy that is both: by mail', 10.00, 'H9001-001-000', '99901000101', '1000000053', 90, 'initial', 180, true, null, null, null),
    -- cost type 0 at mail order; 12 × 2
    (36, 'cost type 0 is not offered', 24.00, 'H9001-001-000', '99902000401', '1000000038', 30, 'initial', 2, null, null, null, null),
    -- 0.10 × 30, no fee known
    (37, 'a pharmacy outside of the network', 3.00, 'H9001-001-000', '99901000101', '1000000046', 30, 'initial', 30, null, null, null, null),
    -- 0.10 × 30 + 1.00, floor price 4
    (38, 'a retail pharmacy, by mail', 4.00, 'H9001-001-000', '99901000101', '1000000020', 30, 'initial', 30, true, null, null, null),
    (39, 'not on the formulary', null, 'H9001-001-000', '99907001001', '1000000012', 30, 'initial', 30, null, null, null, null),
    (40, 'a formulary that CMS names and does not ship', null, 'H9005-003-002', '99901000101', null, 30, 'initial', 30, null, null, null, null),
    (41, 'a plan that CMS suppresses', null, 'H9004-001-000', '99901000101', '1000000012', 30, 'initial', 30, null, null, null, null),
    (42, 'a drug that no formulary has', null, 'H9001-001-000', '12345678901', '1000000012', 30, 'initial', 30, null, null, null, null),
    -- tier 2, preferred: 7; no price, and nothing of it counts
    (43, 'an excluded drug', 7.00, 'H9001-001-000', '900009', '1000000012', 30, 'deductible', null, null, null, null, null),
    -- the cap does not hold for it: tier 1, 2
    (44, 'an excluded drug past the cap', 2.00, 'R9003-001-000', '900009', '1000000012', 30, 'catastrophic', 6, null, null, 2100, null),
    -- 1,000 × 2 + 1.50 = 2,001.50; 28 % = 560.42
    (45, 'a disease that the plan covers the drug for', 560.42, 'H9001-001-000', '99906000801', '1000000012', 30, 'initial', 2, null, null, null, 'Arthritis, psoriatic'),
    (46, 'a disease that it does not', 2001.50, 'H9001-001-000', '99906000801', '1000000012', 30, 'initial', 2, null, null, null, 'asthma'),
    -- no quantity: limit 2 in 28 days, × 30 = 2.143; 2,143 + 1.50 = 2,144.50; 28 % = 600.46
    (47, 'no disease and no quantity given', 600.46, 'H9001-001-000', '99906000801', '1000000012', 30, 'initial', null, null, null, null, null),
    -- 0.50 × 14 + 1.00 = 8.00; 12 × 14 / 30 = 5.60
    (48, 'two weeks at the daily rate', 5.60, 'H9001-001-000', '99901000201', '1000000020', 14, 'initial', 14, null, null, null, null),
    -- 8 × 14 + 2.00 = 114.00; the tier has a copay for other supplies: 32
    (49, 'two weeks with a copay of their own', 32.00, 'H9001-001-000', '99902000301', '1000000020', 14, 'initial', 14, null, null, null, null),
    -- 0.10 × 45 + 0.60 = 5.10
    (50, '45 days: the cost share of two months, 0', 0.00, 'H9001-001-000', '99901000101', '1000000012', 45, 'initial', 45, null, null, null, null),
    -- 180 + 1.50; nothing
    (51, 'a vaccine before the deductible', 0.00, 'H9001-001-000', '99904000901', '1000000012', 30, 'deductible', 1, null, null, null, null),
    -- 0.12 × 30 + 0.50 = 4.10
    (52, 'defined standard: deductible', 4.10, 'S9002-001-000', '99901000101', '1000000012', 30, 'deductible', 30, null, null, null, null),
    -- 140 × 30 + 1.50 = 4,201.50; 615 + 25 % of 3,586.50 = 615 + 896.63
    (53, 'defined standard: the first fill of a dear drug', 1511.63, 'S9002-001-000', '900005', '1000000012', 30, 'deductible', 30, null, null, null, null),
    -- as before, but 2,100 − 1,000 are left of the cap
    (54, 'deductible and cap in one fill', 1100.00, 'S9002-001-000', '900005', '1000000012', 30, 'deductible', 30, null, null, 1000, null),
    -- 8.20 × 30 + 1.00 = 247.00; copay 40
    (55, 'a plan without deductible', 40.00, 'R9003-001-000', '99902000301', '1000000012', 30, 'deductible', 30, null, null, null, null),
    -- 0.10 × 30; standard copay 5, never above the price
    (56, 'no pharmacy given', 3.00, 'H9001-001-000', '99901000101', null, 30, 'initial', 30, null, null, null, null),
    -- another package of the product, hyphenated: as the first
    (57, 'another package of the product', 0.00, 'H9001-001-000', '99901-0001-02', '101000000012', 30, 'initial', 30, null, null, null, null),
    -- 0.15 (the price of 30 days) × 60 + 0.25 = 9.25
    (58, '60 days: neither price nor cost share', 9.25, 'R9003-001-000', '99901000101', '1000000012', 60, 'initial', 60, null, null, null, null),
    -- 0.10 × 31 + 0.50: a calendar month is 30 days
    (59, '31 days are a month', 0.00, 'H9001-001-000', '99901000101', '1000000012', 31, 'initial', 31, null, null, null, null),
    -- 12 × 2 = 24.00; 40 % at any preferred pharmacy (45 % at a standard one, 10.80) = 9.60, at least 10
    (60, 'any preferred pharmacy', 10.00, 'H9001-001-000', '99902000401', 'preferred', 30, 'initial', 2, null, null, null, null),
    (61, 'any standard pharmacy', 10.80, 'H9001-001-000', '99902000401', 'standard', 30, 'initial', 2, null, null, null, null),
    -- preferred costs are type 0 in all tiers: its pharmacies are standard ones; 0.15 × 30 = 4.50, copay 2
    (62, 'a plan that has no preferred pharmacies', 2.00, 'R9003-001-000', '99901000101', 'preferred', 30, 'initial', 30, null, null, null, null),
    -- 8 × 40 + 1.75 = 321.75; copay of 60 days
    (63, '40 days: the cost share of two months', 90.00, 'H9001-001-000', '99902000301', '1000000012', 40, 'initial', 40, null, null, null, null),
    -- 594.50; copay of 90 days
    (64, '75 days: the cost share of three months', 135.00, 'H9001-001-000', '99902000301', '1000000012', 75, 'initial', 75, null, null, null, null),
    (65, '102 days: the cost share of three months', 135.00, 'H9001-001-000', '99902000301', '1000000012', 102, 'initial', 102, null, null, null, null),
    -- 7.90 × 103 + 2.00
    (66, '103 days: longer than any cost share', 815.70, 'H9001-001-000', '99902000301', '1000000012', 103, 'initial', 103, null, null, null, null),
    -- copay of tier 2 for a month, 10; by the day it would be 2.33
    (67, 'a week of what is not known to be a solid oral form: the share of a month', 10.00, 'R9003-001-000', '99908001101', '1000000012', 7, 'initial', 700, null, null, null, null),
    -- 0.20 × 30 + 0.50 = 6.50; copay 7
    (68, 'neither insulin nor vaccine is known: the directory does not list it', 6.50, 'H9001-001-000', '99908001101', '1000000012', 30, 'initial', 30, null, null, null, null)
) as f (nr, what, by_hand, plan, drug, pharmacy, days, phase, quantity, by_mail, deductible_left, spent, disease)
cross join lateral drug_cost(f.plan, f.drug, f.pharmacy, f.days, f.phase, f.quantity, f.by_mail,
                             f.deductible_left, f.spent, f.disease) as c
order by f.nr
