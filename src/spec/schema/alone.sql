-- Whether what has happened in the open transaction, since its number was $2, is table $1 and what belongs to it.
-- A row of the catalog that is younger was made or changed meanwhile; a lock that is stronger than a reader's says
-- that something of another table was.
with own as (
    select oid, reltype, reltoastrelid from pg_class
    where relname = $1 and relnamespace = 'public'::regnamespace and relkind = 'r'
), relations as (
    select oid from own
    union all select reltoastrelid from own
    union all select indexrelid from pg_index where indrelid in (select oid from own union all select reltoastrelid from own)
), types as (
    select reltype as oid from own
    union all select typarray from pg_type where oid in (select reltype from own)
)
select exists (select from pg_class where oid in (select oid from own) and xmin::text::int8 >= $2)
    and not exists (select from pg_class
        where xmin::text::int8 >= $2 and relpersistence <> 't' and oid not in (select oid from relations))
    and not exists (select from pg_type t
        where xmin::text::int8 >= $2 and oid not in (select oid from types)
          and not exists (select from pg_class c where c.oid = t.typrelid and c.relpersistence = 't')
          and not exists (select from pg_type e join pg_class c on c.oid = e.typrelid
                          where e.typarray = t.oid and c.relpersistence = 't'))
    and not exists (select from pg_proc where xmin::text::int8 >= $2)
    and not exists (select from pg_trigger where xmin::text::int8 >= $2)
    and not exists (select from pg_policy where xmin::text::int8 >= $2)
    and not exists (select from pg_rewrite where xmin::text::int8 >= $2)
    and not exists (select from pg_inherits where xmin::text::int8 >= $2)
    and not exists (select from pg_statistic_ext where xmin::text::int8 >= $2)
    and not exists (select from pg_attrdef where xmin::text::int8 >= $2)
    and not exists (select from pg_namespace where xmin::text::int8 >= $2 and nspname !~ '^pg_')
    and not exists (select from pg_constraint
        where xmin::text::int8 >= $2 and (contype in ('f', 't') or conrelid not in (select oid from own)))
    and not exists (select from pg_description
        where xmin::text::int8 >= $2 and not (classoid = 'pg_class'::regclass and objoid in (select oid from relations)))
    and not exists (select from pg_attribute
        where attrelid in (select oid from own) and (attidentity <> '' or attgenerated <> ''))
    and not exists (select from pg_locks l join pg_class c on c.oid = l.relation
        where l.pid = pg_backend_pid() and l.locktype = 'relation' and l.mode <> 'AccessShareLock'
          and l.database = (select oid from pg_database where datname = current_database())
          and c.relnamespace = 'public'::regnamespace and c.oid not in (select oid from relations))
