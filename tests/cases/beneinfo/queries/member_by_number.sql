-- A member gives a number that still counts, which the app has hashed with kiln's key: county,
-- plan and subsidy as of February 2025. (The hash is that of 1ZZ0ZZ9ZZ11 under the tests' key.)
select c.ssa_county_code, s.contract_id, s.plan_id, l.copay_level, l.premium_share_percent
from bene_mbi m
join beneficiary b using (mbi)
join person_county c on c.person = b.person and c.year = b.rfrnc_yr
join enrolment_span s on s.person = b.person
    and daterange(s.begin_date, s.end_date, '[]') @> date '2025-02-01'
left join subsidy_span l on l.person = b.person
    and daterange(l.begin_date, l.end_date, '[]') @> date '2025-02-01'
where m.mbi = '5aa404bb-7d5c-2b37-c3b1-845c6f4f0fc4'
  and m.idr_ltst_trans_flg
  and m.bene_mbi_obslt_dt is null;
