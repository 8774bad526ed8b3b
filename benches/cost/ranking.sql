\set id random(1, :baskets)
select r.* from bench_basket b cross join bench_county k cross join lateral rank_plans(b.basket, k.zip, b.pharmacy, k.fips) r where b.id = :id;
