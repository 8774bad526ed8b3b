//! The checks that hold for every build, whatever its schema.

/// What each says, and the query that must return no row.
pub(crate) const OWN_CHECKS: [(&str, &str); 4] = [
    (
        "no table may vanish in a crash",
        "select oid::regclass from pg_class where relkind in ('r', 'p', 'i', 'm', 'S')
         and relpersistence <> 'p' and relnamespace = 'public'::regnamespace",
    ),
    (
        "every index is valid",
        "select indexrelid::regclass from pg_index where not (indisvalid and indisready)",
    ),
    ("every constraint is validated", "select conname from pg_constraint where not convalidated"),
    (
        "the server keeps what it has committed",
        "select name from pg_settings where name in ('fsync', 'full_page_writes')
         and setting <> 'on'",
    ),
];
