-- derive
-- Set by CMS once a year, months before the plan year: add a row then.
create table benefit_year (
    contract_year       smallint primary key,
    standard_deductible numeric(10,2) not null,
    out_of_pocket_cap   numeric(10,2) not null,
    insulin_month       numeric(10,2) not null,
    insulin_share       numeric(4,2)
);

insert into benefit_year values
    (2025, 590, 2000, 35, null),
    (2026, 615, 2100, 35, 0.25);

comment on table benefit_year is
    'What the law and CMS set for all Part D plans of a year: one row a year, from 2025 on, when the benefit lost its coverage gap. Source: Inflation Reduction Act, sections 11201 and 11406; CMS, Final CY 2025 and Final CY 2026 Part D Redesign Program Instructions.';
comment on column benefit_year.contract_year is
    'Plan year, four digits. Of a year that is not here nothing is assumed: drug_cost says year_unknown and applies no cap, rank_plans says benefit_year.';
comment on column benefit_year.standard_deductible is
    'Largest deductible that a plan may have, US dollars a year (42 CFR 423.104(d)(1)).';
comment on column benefit_year.out_of_pocket_cap is
    'Most that a member pays for covered drugs in the year, US dollars; afterwards nothing (42 CFR 423.104(d)(5); SSA 1860D-2(b)(4)(B)).';
comment on column benefit_year.insulin_month is
    'Most that a member pays for a month of a covered insulin, US dollars (Inflation Reduction Act, section 11406; SSA 1860D-2(b)(9)).';
comment on column benefit_year.insulin_share is
    'Most that a member pays for insulin as a share of its price, from 2026 on; null before (SSA 1860D-2(b)(9)(D)).';

-- check: caps rise from year to year
select y.contract_year
from benefit_year y
join benefit_year before on before.contract_year = y.contract_year - 1
where y.out_of_pocket_cap < before.out_of_pocket_cap;

-- check: no plan's deductible is above the largest that the law allows for its year
select p.plan, p.contract_year, p.deductible, y.standard_deductible
from plan p
join benefit_year y using (contract_year)
where p.deductible > y.standard_deductible;
