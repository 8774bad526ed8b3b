-- One document a function or procedure of schema public: arguments, what it returns, its comment.
select jsonb_build_object(
    'name', p.proname,
    'identity', pg_get_function_identity_arguments(p.oid),
    'returns', coalesce(pg_get_function_result(p.oid), ''),
    'returns_rows', p.proretset,
    'volatility', case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
    'comment', coalesce(obj_description(p.oid, 'pg_proc'), ''),
    'language', (select lanname from pg_language l where l.oid = p.prolang),
    'text', case p.prokind when 'f' then pg_get_functiondef(p.oid)
                           when 'p' then pg_get_functiondef(p.oid) else '' end,
    'arguments', (
        select coalesce(jsonb_agg(jsonb_build_object(
                   'name', coalesce(p.proargnames[a.place], ''),
                   'type_name', format_type(a.type, null),
                   'fallback', pg_get_function_arg_default(p.oid, a.place::int),
                   'mode', coalesce(p.proargmodes[a.place]::text, 'i')) order by a.place), '[]')
        from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality a (type, place))
)
from pg_proc p
where p.pronamespace = 'public'::regnamespace
  and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
order by p.proname collate "C", pg_get_function_identity_arguments(p.oid) collate "C"
