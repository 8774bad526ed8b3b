-- The keys of a column of documents: in how many rows of a sample each occurs, and one value.
-- {table}, {column} and {percent} are put in before it runs. BERNOULLI, not SYSTEM: rows that lie
-- together come from one file and have the same keys.
with sampled as (
    select {column} as document
    from {table} tablesample bernoulli ({percent}) repeatable (1)
    where jsonb_typeof({column}) = 'object'
), total (rows) as (select count(*) from sampled)
select key, count(*), min(left(value, $1)), total.rows
from sampled
cross join lateral jsonb_each_text(document) each (key, value)
cross join total
group by key, total.rows
order by key collate "C"
limit 20000
