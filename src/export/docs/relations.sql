-- One document a table or view of schema public, by name: what the catalog says to people.
select jsonb_build_object(
    'name', c.relname,
    'is_view', c.relkind in ('v', 'm'),
    'comment', coalesce(obj_description(c.oid, 'pg_class'), ''),
    'columns', (
        select coalesce(jsonb_agg(jsonb_build_object(
                   'name', a.attname,
                   'type_name', format_type(a.atttypid, a.atttypmod),
                   'nullable', not a.attnotnull,
                   'fallback', pg_get_expr(d.adbin, d.adrelid),
                   'comment', coalesce(col_description(c.oid, a.attnum), '')) order by a.attnum), '[]')
        from pg_attribute a
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
    'indexes', (
        select coalesce(jsonb_agg(jsonb_build_object(
                   'name', i.relname,
                   'definition', pg_get_indexdef(x.indexrelid),
                   'is_primary', x.indisprimary,
                   'is_unique', x.indisunique,
                   'is_partial', x.indpred is not null,
                   'columns', (
                       select coalesce(jsonb_agg(a.attname order by k.place), '[]')
                       from unnest(x.indkey::int2[]) with ordinality k (number, place)
                       join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
                       where k.place <= x.indnkeyatts))
                   order by x.indisprimary desc, x.indisunique desc, i.relname), '[]')
        from pg_index x join pg_class i on i.oid = x.indexrelid
        where x.indrelid = c.oid),
    'foreign_keys', (
        select coalesce(jsonb_agg(jsonb_build_object(
                   'columns', (select jsonb_agg(a.attname order by n.place)
                               from unnest(k.conkey) with ordinality n (number, place)
                               join pg_attribute a on a.attrelid = k.conrelid and a.attnum = n.number),
                   'table', t.relname,
                   'referenced', (select jsonb_agg(a.attname order by n.place)
                                  from unnest(k.confkey) with ordinality n (number, place)
                                  join pg_attribute a on a.attrelid = k.confrelid and a.attnum = n.number))
                   order by k.conname), '[]')
        from pg_constraint k join pg_class t on t.oid = k.confrelid
        where k.conrelid = c.oid and k.contype = 'f'),
    'rules', (
        select coalesce(jsonb_agg(pg_get_constraintdef(k.oid) order by k.conname), '[]')
        from pg_constraint k where k.conrelid = c.oid and k.contype in ('c', 'x')),
    -- What a view reads. What a table is made from is learned when its section runs (schema.lock, `reads`).
    'reads', (
        select coalesce(jsonb_agg(distinct r.relname order by r.relname), '[]')
        from pg_rewrite w
        join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
                        and d.refclassid = 'pg_class'::regclass and d.refobjid <> c.oid
        join pg_class r on r.oid = d.refobjid and r.relnamespace = c.relnamespace
        where w.ev_class = c.oid)
)
from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
  and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
order by c.relname collate "C"
