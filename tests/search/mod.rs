//! `search_plans` against the query that anyone would write: on a whole year of generated plans,
//! five hundred drawn filters give the same plans, in the same order, and the same counts.

use std::fmt::Write as _;

use crate::support::postgres::Postgres;
use crate::support::project;

/// The SQL of one of planinfo's tables, found by name: numbers move.
fn table(name: &str) -> String {
    let ending = format!("_{name}.sql");
    let mut found = std::fs::read_dir(project().join("sql/planinfo"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(&ending));
    let path = found.next().unwrap_or_else(|| panic!("sql/planinfo has no {ending}"));
    std::fs::read_to_string(path).unwrap()
}

/// A planinfo as far as the search reads it, from the benchmark's own data.
fn searchable(postgres: &Postgres) {
    postgres.execute("postgres", "create database search template template0 encoding 'UTF8'");
    let mut sql = String::from("create table pbp_column (column_name text);\n");
    sql.push_str(&table("benefit_service"));
    sql.push_str(&std::fs::read_to_string(project().join("benches/search/generate.sql")).unwrap());
    for part in ["plan", "value", "range", "word", "order", "county", "facet"] {
        writeln!(sql, "{}", table(&format!("search_{part}"))).unwrap();
    }
    postgres.execute("search", &sql);
}

#[test]
fn five_hundred_searches_find_what_the_obvious_query_finds() {
    let postgres = Postgres::start();
    searchable(&postgres);
    postgres.execute("search", include_str!("reference.sql"));

    let differing = postgres.rows(
        "search",
        "select 'search ' || no || ': ' || (fast ->> 'total') || ' plans, not ' || (slow ->> 'total')
         from differs order by no limit 10",
    );
    assert!(differing.is_empty(), "{differing:#?}");
    // Filters that never find anything would agree too.
    let telling =
        "select count(*)::text from asked where (search_fast(asked) ->> 'total')::int > 0";
    let telling: u32 = postgres.value("search", telling).parse().unwrap();
    assert!(telling > 200, "only {telling} searches find a plan");
}

#[test]
fn a_search_that_makes_no_sense_is_refused() {
    let postgres = Postgres::start();
    searchable(&postgres);
    for arguments in [
        "sort => 'prise'",
        "page => 0",
        "page_size => 1000",
        "page => 2147483647, page_size => 100",
        "zip => '98101', page => 1000",
        // A place that is not known is no place where nothing is sold.
        "zip => '00000'",
        "county => 'moon'",
        "organizations => array(select n::text from generate_series(1, 1001) as n)",
        "name => repeat('a ', 501)",
    ] {
        let sql = format!("select search_plans({arguments})");
        let refusal = postgres.refusal("kiln", "search", &sql);
        assert_eq!(refusal.as_deref(), Some("22023"), "{arguments}");
    }
    // A word that no plan has is no mistake.
    for arguments in ["name => 'zzz'", "benefits => '{none}'"] {
        let sql = format!("select (search_plans({arguments}) -> 'total')::text");
        assert_eq!(postgres.value("search", &sql), "0", "{arguments}");
    }
}
