-- One line a fact, sorted: whose everything is, who may do what with it, and what stands between a
-- reader and the rows. What apps can tell apart of tables, views and functions is in the schema's own
-- fingerprint; names of the database are not in it, for they change with the swap.
with spaces as (
    select * from pg_namespace
    where nspname <> 'information_schema' and nspname !~ '^pg_'
), relations as (
    select c.*, format('%I.%I', s.nspname, c.relname) as name
    from pg_class c join spaces s on s.oid = c.relnamespace
    where c.relkind <> 't'
), owned (what, owner, rights) as (
    select 'database', datdba, coalesce(datacl, acldefault('d', datdba))
    from pg_database where datname = current_database()
    union all
    select 'schema ' || quote_ident(nspname), nspowner, coalesce(nspacl, acldefault('n', nspowner))
    from spaces
    union all
    select 'relation ' || name, relowner,
           coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner))
    from relations where relkind not in ('i', 'I')
    union all
    select format('column %s.%I', r.name, a.attname), r.relowner, a.attacl
    from relations r join pg_attribute a on a.attrelid = r.oid
    where a.attacl is not null and not a.attisdropped
    union all
    select 'function ' || p.oid::regprocedure, proowner, coalesce(proacl, acldefault('f', proowner))
    from pg_proc p join spaces s on s.oid = p.pronamespace
    union all
    select 'type ' || t.oid::regtype, typowner, coalesce(typacl, acldefault('T', typowner))
    from pg_type t join spaces s on s.oid = t.typnamespace
    where t.typtype in ('e', 'd', 'r')
    union all
    select 'language ' || lanname, lanowner, lanacl from pg_language where lanacl is not null
    union all
    select 'server ' || srvname, srvowner, srvacl from pg_foreign_server
), lines (line) as (
    select format('%s owner %s rights %s', what, owner::regrole,
                  (select string_agg(item::text, ' ' order by item::text collate "C")
                   from unnest(rights) as item))
    from owned
    union all
    select format('database connections %s template %s', datconnlimit, datistemplate)
    from pg_database where datname = current_database()
    union all
    select format('setting of %s: %s',
                  case setrole when 0 then 'the database' else setrole::regrole::text end, said)
    from pg_db_role_setting cross join unnest(setconfig) as said
    where setdatabase = (select oid from pg_database where datname = current_database())
    union all
    select format('row security %s%s', name, case when relforcerowsecurity then ' forced' else '' end)
    from relations where relrowsecurity or relforcerowsecurity
    union all
    select format('policy %s %I for %s %s to %s using %s check %s', r.name, p.polname, p.polcmd,
                  case when p.polpermissive then 'permissive' else 'restrictive' end,
                  (select string_agg(case role when 0 then 'public' else role::regrole::text end,
                                     ', ' order by role)
                   from unnest(p.polroles) as role),
                  pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    from pg_policy p join relations r on r.oid = p.polrelid
    union all
    select format('rule %s enabled %s', pg_get_ruledef(w.oid), w.ev_enabled)
    from pg_rewrite w join relations r on r.oid = w.ev_class where w.rulename <> '_RETURN'
    union all
    select format('trigger %s %s enabled %s', r.name,
                  case when t.tgisinternal then 'of ' || coalesce(k.conname::text, '')
                       else pg_get_triggerdef(t.oid) end, t.tgenabled)
    from pg_trigger t join relations r on r.oid = t.tgrelid
    left join pg_constraint k on k.oid = t.tgconstraint
    union all
    select format('event trigger %I on %s calls %s enabled %s', evtname, evtevent,
                  evtfoid::regprocedure, evtenabled)
    from pg_event_trigger
    union all
    select format('options of %s: %s', name, array_to_string(reloptions, ', '))
    from relations where reloptions is not null
    union all
    select format('%s inherits %s', i.inhrelid::regclass, i.inhparent::regclass)
    from pg_inherits i join relations r on r.oid = i.inhrelid where r.relkind in ('r', 'p')
    union all
    select format('default rights of %s %s %s: %s', defaclrole::regrole,
                  coalesce(defaclnamespace::regnamespace::text, ''), defaclobjtype, defaclacl)
    from pg_default_acl
    union all
    select format('extension %s %s', extname, extversion) from pg_extension
    union all
    select format('aggregate %s', p.oid::regprocedure)
    from pg_proc p join spaces s on s.oid = p.pronamespace where p.prokind not in ('f', 'p')
    union all
    select pg_get_statisticsobjdef(x.oid)
    from pg_statistic_ext x join spaces s on s.oid = x.stxnamespace
    union all
    select format('publication %s', pubname) from pg_publication
    union all
    -- Who makes one of these in a build means to change what its SQL says.
    select format('%s of its own: %s', what, count)
    from (select 'casts', count(*) from pg_cast where oid >= 16384
          union all select 'operators', count(*) from pg_operator where oid >= 16384
          union all select 'operator classes', count(*) from pg_opclass where oid >= 16384
          union all select 'collations', count(*) from pg_collation
                    where oid >= 16384 and collnamespace <> 'pg_catalog'::regnamespace
          union all select 'large objects', count(*) from pg_largeobject_metadata
          union all select 'security labels', count(*) from pg_seclabel) as made (what, count)
    where count > 0
)
select line from lines order by line collate "C"
