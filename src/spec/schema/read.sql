-- Tables and views of schema public that the open transaction has locked as a reader does, but for those that
-- only definitions have looked up (definitions.sql).
select distinct c.relname::text collate "C" as name
from pg_locks l join pg_class c on c.oid = l.relation
where l.pid = pg_backend_pid() and l.locktype = 'relation' and l.mode in ('AccessShareLock', 'RowShareLock')
  and l.database = (select oid from pg_database where datname = current_database())
  and c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
  and not c.oid::text = any (string_to_array(coalesce(current_setting('kiln.defined', true), ''), ','))
order by name
