-- In a scratch database: notes for the open transaction, in kiln.defined, which relations were first locked by a
-- statement that defines a view or a function. It looks its text up, and reads no row.
create schema kiln;
create function kiln.locked() returns text language sql as $$
    select coalesce(string_agg(relation::text, ','), '') from pg_locks
    where pid = pg_backend_pid() and locktype = 'relation'
      and relation::text <> all (string_to_array(coalesce(current_setting('kiln.before', true), ''), ','))
$$;
create function kiln.definition_begins() returns event_trigger language plpgsql as $$ begin
    perform set_config('kiln.before', '', true);
    perform set_config('kiln.before', kiln.locked(), true);
end $$;
create function kiln.definition_ends() returns event_trigger language plpgsql as $$ begin
    perform set_config('kiln.defined',
                       concat_ws(',', nullif(current_setting('kiln.defined', true), ''), nullif(kiln.locked(), '')), true);
end $$;
create event trigger definition_begins on ddl_command_start
    when tag in ('CREATE VIEW', 'CREATE FUNCTION', 'CREATE PROCEDURE') execute function kiln.definition_begins();
create event trigger definition_ends on ddl_command_end
    when tag in ('CREATE VIEW', 'CREATE FUNCTION', 'CREATE PROCEDURE') execute function kiln.definition_ends();
