-- Null share, distinct values and examples a column. $1: tables to tell of; $2: those whose values
-- stay where they are; $3: the longest example. A document (json) is no example of anything.
with bounds as (
    select s.*, v.shown, s.histogram_bounds::text::text[] as bounds
    from pg_stats s
    join pg_attribute a on a.attrelid = format('%I.%I', s.schemaname, s.tablename)::regclass
                       and a.attname = s.attname
    cross join lateral (select s.tablename <> all ($2::text[])
                               and a.atttypid not in ('json'::regtype, 'jsonb'::regtype)) v (shown)
    where s.schemaname = 'public' and s.tablename = any ($1::text[])
)
select tablename::text, attname::text, null_frac, n_distinct,
       case when shown then array(
           select case when length(value) > $3 then left(value, $3 - 1) || '…' else value end
           from unnest(most_common_vals::text::text[]) with ordinality m (value, place)
           where place <= 5 order by place) end,
       case when shown and most_common_vals is null then left(bounds[1], $3) end,
       case when shown and most_common_vals is null then left(bounds[array_upper(bounds, 1)], $3) end
from bounds
