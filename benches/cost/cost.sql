\set id random(1, :fills)
select c.* from bench_fill f cross join lateral drug_cost(f.plan, f.drug, f.pharmacy, f.days, f.phase, f.quantity) c where f.id = :id;
