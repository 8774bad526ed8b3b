-- Tables, views and functions of schema public, in the order in which they were made.
select name from (
    select oid, relname::text as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')
    union all
    select oid, proname || '()' from pg_proc where pronamespace = 'public'::regnamespace
) made
where not exists (select from pg_depend d where d.objid = made.oid and d.deptype = 'e')
order by oid
