-- Null share, distinct values and examples a column. $1: tables to tell of; $2: those whose values
-- stay where they are; $3: the longest example. A document (json) is no example of anything.
select s.tablename::text, s.attname::text, s.null_frac, s.n_distinct,
       case when v.shown then array(
           select left(value, $3)
           from unnest(s.most_common_vals::text::text[]) with ordinality m (value, place)
           where place <= 5 order by place) end,
       case when v.shown and s.most_common_vals is null then
           left((s.histogram_bounds::text::text[])[1], $3) end,
       case when v.shown and s.most_common_vals is null then
           left((s.histogram_bounds::text::text[])[array_upper(s.histogram_bounds::text::text[], 1)], $3) end
from pg_stats s
join pg_attribute a on a.attrelid = format('%I.%I', s.schemaname, s.tablename)::regclass
                   and a.attname = s.attname
cross join lateral (
    select s.tablename <> all ($2::text[]) and a.atttypid not in ('json'::regtype, 'jsonb'::regtype)
) v (shown)
where s.schemaname = 'public' and s.tablename = any ($1::text[])
