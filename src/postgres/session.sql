-- What every session of kiln's has set, whatever the defaults of server, database and role: all that
-- would end it, or change what it reads, writes or says. Only what this server knows and has otherwise
-- is set. What only decides how fast or where something is done (planner, memory, tablespaces) is its
-- owner's to choose; and so is the role.
set search_path = pg_catalog;
select set_config(w.name, w.value, false)
from (values
    -- how long: a wait for a lock is bounded, nothing else is
    ('statement_timeout', '0'),
    ('lock_timeout', '1min'),
    ('idle_in_transaction_session_timeout', '0'),
    ('idle_session_timeout', '0'),
    ('transaction_timeout', '0'), -- 17
    ('exit_on_error', 'off'),
    -- a client that is gone is noticed: idle after 25 s, in a statement after 5
    ('tcp_keepalives_idle', '10'),
    ('tcp_keepalives_interval', '5'),
    ('tcp_keepalives_count', '3'),
    ('client_connection_check_interval', '5s'),
    -- transactions
    ('default_transaction_isolation', 'read committed'),
    ('default_transaction_read_only', 'off'),
    ('default_transaction_deferrable', 'off'),
    ('session_replication_role', 'origin'),
    -- what names mean, and what may be read and made
    ('search_path', 'public, pg_catalog'),
    ('row_security', 'on'),
    ('restrict_nonsystem_relation_kind', ''),
    ('check_function_bodies', 'on'),
    ('default_table_access_method', 'heap'),
    ('default_text_search_config', 'pg_catalog.simple'),
    ('gin_fuzzy_search_limit', '0'),
    ('zero_damaged_pages', 'off'),
    ('ignore_checksum_failure', 'off'),
    -- how text is read
    ('standard_conforming_strings', 'on'),
    ('backslash_quote', 'safe_encoding'),
    ('array_nulls', 'on'),
    ('transform_null_equals', 'off'),
    ('timezone_abbreviations', 'Default'),
    ('xmloption', 'content'),
    ('plpgsql.extra_errors', 'none'),
    -- how values are written
    ('DateStyle', 'ISO, YMD'),
    ('IntervalStyle', 'postgres'),
    ('TimeZone', 'UTC'),
    ('extra_float_digits', '1'),
    ('bytea_output', 'hex'),
    ('xmlbinary', 'base64'),
    ('lc_monetary', 'C'),
    ('lc_numeric', 'C'),
    ('lc_time', 'C'),
    ('quote_all_identifiers', 'off'),
    ('client_min_messages', 'warning'),
    -- parallel for a test's sake
    ('debug_parallel_query', 'off'), -- 16
    ('force_parallel_mode', 'off') -- 15
) as w (name, value)
where current_setting(w.name, true) <> w.value;
-- More than the local disk is the owner's to ask for; less would forget a commit in a crash that
-- the night outlives.
select set_config('synchronous_commit', 'on', false)
where current_setting('synchronous_commit') = 'off'
