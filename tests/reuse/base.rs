//! A build that is begun as a copy of the previous build's files is the same to the row, the key and
//! the right as one that was begun empty.

use kiln::synth::{Release, Tamper};

use super::{came_true, digests, equals_a_full_build, lived, loaded, plan, said_in_warnings};
use crate::support::World;

/// A release with this price in one row.
fn at_the_price_of(world: &World, price: &str) {
    let change = Tamper::default().lines(|at, line| {
        if at.source == "pricing" && at.line == 2 {
            let last = line.iter().rposition(|byte| *byte == b'|').unwrap();
            line.truncate(last + 1);
            line.extend_from_slice(price.as_bytes());
        }
    });
    world.land_with(&Release::small(1), change);
}

/// Two nights have been, and a third has something to do; previous builds are large enough.
fn third_night() -> World {
    let mut world = lived(World::new());
    at_the_price_of(&world, "1.25");
    world.night();
    at_the_price_of(&world, "2.25");
    world.environment.push(("KILN_BASE_ROWS".into(), "100".into()));
    world
}

/// The sources whose tables stood in the copy.
fn in_place(world: &World, build: &str) -> Vec<String> {
    let sql = "select source from kiln.source
               where entry #>> '{reused,evidence}' like '%in a copy of its files' order by 1";
    world.postgres.rows(build, sql)
}

/// Keys, comments, rights and statistics of all that there is in a build.
fn all_else(world: &World, build: &str) -> Vec<String> {
    let mut all = world.postgres.rows(
        build,
        "select 'index ' || pg_get_indexdef(indexrelid) || indisvalid from pg_index
         join pg_class c on c.oid = indrelid where relnamespace = 'public'::regnamespace
         union all
         select 'right ' || relnamespace::regnamespace || '.' || relname || ' '
                || a.grantee::regrole || ' ' || privilege_type
         from pg_class, aclexplode(relacl) a
         where relnamespace in ('public'::regnamespace, 'kiln'::regnamespace)
         union all
         select 'comment ' || relname || ' ' || objsubid || ' ' || description
         from pg_description join pg_class c on c.oid = objoid and classoid = 'pg_class'::regclass
         where relnamespace = 'public'::regnamespace
         union all
         select 'table ' || relname || ' ' || reltuples || ' ' || relowner::regrole
         from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
         union all
         select 'schema ' || nspname from pg_namespace where nspname !~ '^pg_'",
    );
    all.sort();
    all
}

#[test]
fn tables_that_stay_are_proved_and_the_build_is_like_any_other() {
    let world = third_night();
    let plan = plan(&world);
    assert_eq!(plan["base"], "druginfo_00001", "{plan}");
    world.night();
    came_true(&world, &plan, "druginfo");
    let stood = in_place(&world, "druginfo");
    assert_eq!(stood.len(), 8, "all but pricing: {stood:?}");
    assert_eq!(loaded(&world, "druginfo"), ["pricing"]);
    let price = "select count(*)::text from pricing where unit_cost = 2.25";
    assert_eq!(world.postgres.value("druginfo", price), "1");
    equals_a_full_build(&world);
    let full = world.newest_build();
    assert_eq!(all_else(&world, "druginfo"), all_else(&world, &full));
    let frozen = "select count(*)::text from pg_class
                  where relnamespace = 'public'::regnamespace and relkind = 'r' and relallvisible < relpages";
    assert_eq!(world.postgres.value("druginfo", frozen), "0");
    assert_eq!(
        world.states(),
        ["druginfo live", "druginfo_00002 previous", &format!("{full} sealed")]
    );
    // And the night after finds nothing to do.
    let said = world.kiln(&["run", "druginfo", "--json"]).succeeds().json();
    assert!(said["nothing_to_do"].is_string(), "{said}");
}

#[test]
fn a_table_of_the_copy_that_was_touched_is_loaded() {
    let world = third_night();
    let before = digests(&world, "druginfo");
    for sql in [
        "delete from plan_information where ctid = '(0,1)'",
        "update network_plan set contract_id = 'H0000' where id = 1",
    ] {
        let sql = format!("set default_transaction_read_only = off; {sql}");
        world.postgres.execute("druginfo_00001", &sql);
    }
    let outcome = world.kiln(&["run", "druginfo", "--json"]).succeeds();
    said_in_warnings(&outcome, "plan_information is loaded from its files, for druginfo_00001 ");
    said_in_warnings(&outcome, "pharmacy_networks is loaded from its files, for druginfo_00001 ");
    assert_eq!(loaded(&world, "druginfo"), ["pharmacy_networks", "plan_information", "pricing"]);
    let after = digests(&world, "druginfo");
    let same = |line: &&String| !line.starts_with("pricing");
    assert!(before.iter().filter(same).eq(after.iter().filter(same)), "{before:?} {after:?}");
    equals_a_full_build(&world);
    assert_eq!(all_else(&world, "druginfo"), all_else(&world, &world.newest_build()));
}

#[test]
fn a_previous_build_that_is_read_or_changed_is_not_copied() {
    let world = third_night();
    let client = world.runtime.block_on(async {
        let url = world.postgres.url("druginfo_00001");
        let (client, connection) =
            tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    });
    assert_eq!(plan(&world)["base"], serde_json::Value::Null);
    world.night();
    assert_eq!(in_place(&world, "druginfo"), Vec::<String>::new());
    assert_eq!(loaded(&world, "druginfo"), ["pricing"]);
    drop(client);
    // The catalog of what is previous now is not the sealed one any more.
    world.postgres.execute(
        "druginfo_00002",
        "set default_transaction_read_only = off; alter table plan_information add column more int",
    );
    at_the_price_of(&world, "3.25");
    world.night();
    assert_eq!(in_place(&world, "druginfo"), Vec::<String>::new());
    assert_eq!(loaded(&world, "druginfo"), ["pricing"]);
    equals_a_full_build(&world);
}

#[test]
fn a_previous_build_most_of_which_would_go_is_not_copied() {
    let world = third_night();
    assert_eq!(plan(&world)["base"], "druginfo_00001");
    // Prices change; as its ledger has it, nearly all of its bytes are theirs.
    let sql = "set default_transaction_read_only = off;
               update kiln.stamp set ledger = jsonb_set(ledger, '{used,tables,pricing,table}', '1000000000')";
    world.postgres.execute("druginfo_00001", sql);
    assert_eq!(plan(&world)["base"], serde_json::Value::Null);
    world.night();
    assert_eq!(in_place(&world, "druginfo"), Vec::<String>::new());
    assert_eq!(loaded(&world, "druginfo"), ["pricing"]);
    equals_a_full_build(&world);
}

#[test]
fn a_run_that_dies_on_a_copy_leaves_everything_as_it_was() {
    for (point, action) in
        [("created", "kill"), ("pre-data", "error"), ("source", "kill"), ("post-data", "error")]
    {
        let world = third_night();
        let before = world.live();
        let mut night = world.kiln(&["run", "druginfo"]);
        night.env("KILN_CONNECTIONS", "1");
        let outcome = night.env("KILN_FAILPOINT", &format!("{point}={action}")).run();
        assert_ne!(outcome.code, 0, "{outcome}");
        assert_eq!(world.live(), before, "{outcome}");
        if point == "post-data" {
            // An engineer goes on with it.
            world.kiln(&["resume", &world.newest_build()]).succeeds();
            world.kiln(&["swap", "druginfo"]).succeeds();
        } else {
            world.night();
        }
        assert_eq!(in_place(&world, "druginfo").len(), 8, "{point}: {:?}", world.states());
        equals_a_full_build(&world);
    }
}
