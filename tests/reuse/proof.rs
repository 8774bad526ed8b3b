//! A kept table that is not what was sealed is never sealed again, and a run that dies while it
//! brings tables over leaves everything as it was.

use kiln::testing::dev::synth::{Release, Tamper};

use super::{came_true, digests, lived, loaded, plan, said_in_warnings, with_another_price};
use crate::support::{World, wait_until};

/// Changes the live build behind its seal.
fn tamper(world: &World, sql: &str) {
    world.postgres.execute("druginfo", &format!("set default_transaction_read_only = off; {sql}"));
}

#[test]
fn a_table_that_was_touched_is_loaded_from_its_files() {
    for (source, sql) in [
        ("plan_information", "delete from plan_information where ctid = '(0,1)'"),
        ("plan_information", "update plan_information set plan_name = 'x' where ctid = '(0,1)'"),
        // A dictionary's set, which many rows have the number of.
        ("pricing", "update pricing_plan set contract_id = 'H0000' where id = 1"),
        (
            "pharmacy_networks",
            "update pharmacy_networks set terms_keys[1] = 2 where terms_keys[1] = 1",
        ),
        // What it says is the same, and nobody would find it.
        (
            "pharmacy_networks",
            "update pharmacy_networks set block = block + 1 where ctid = '(0,1)'",
        ),
        ("plan_information", "alter table plan_information drop column premium"),
    ] {
        let world = lived(World::new());
        let before = digests(&world, "druginfo");
        tamper(&world, sql);
        let changed = if source == "pricing" { "geographic_locator" } else { "beneficiary_cost" };
        let night = Tamper::default().lines(|at, line| {
            if at.source == changed && at.line == 2 {
                let text = String::from_utf8(line.clone()).unwrap();
                *line = another_row(changed, &text).into_bytes();
            }
        });
        world.land_with(&Release::small(1), night);
        let outcome = world.kiln(&["run", "druginfo", "--json"]).succeeds();
        said_in_warnings(
            &outcome,
            &format!("{source} is loaded from its files, for druginfo_00001 "),
        );
        let mut expected = vec![changed.to_owned(), source.to_owned()];
        expected.sort();
        assert_eq!(loaded(&world, "druginfo"), expected, "{sql}");
        let after = digests(&world, "druginfo");
        let same = |line: &&String| !line.starts_with(changed);
        assert!(before.iter().filter(same).eq(after.iter().filter(same)), "{before:?} {after:?}");
    }
}

#[test]
fn rows_of_another_format_are_loaded_anew_and_not_brought_over() {
    let world = lived(World::new());
    let same = world.kiln(&["plan", "druginfo"]).succeeds();
    assert!(!same.stdout.contains("rows of format"), "{same}");
    // As a kiln left it that made other rows of the same bytes, and a kiln that did not say.
    let (format, _) = kiln::testing::spec::row_format::ROW_FORMATS.last().unwrap();
    for (change, before) in
        [("jsonb_set(manifest, '{row_format}', '1')", 1), ("manifest - 'row_format'", 0)]
    {
        tamper(&world, &format!("update kiln.stamp set manifest = {change}"));
        let plan = world.kiln(&["plan", "druginfo"]).succeeds();
        let why = format!("rows of format {before} were loaded, this kiln makes those of {format}");
        assert!(plan.stdout.contains(&why), "{plan}");
    }
    world.kiln(&["run", "druginfo"]).succeeds();
    assert_eq!(loaded(&world, "druginfo").len(), 9);
}

/// The row with another last field.
fn another_row(source: &str, row: &str) -> String {
    let (rest, _) = row.rsplit_once('|').unwrap();
    match source {
        "geographic_locator" => format!("{rest}|Elsewhere"),
        _ => row.replacen("|1|", "|2|", 1),
    }
}

#[test]
fn rejects_come_along() {
    let mut world = World::new();
    world.own_root();
    world.edit("sources/druginfo/plan_information.toml", "rejects      = 0", "rejects      = 3");
    let bad = || {
        Tamper::default().lines(|at, line| {
            if at.source == "plan_information" && [3, 5].contains(&at.line) {
                line.extend_from_slice(b"|one too many");
            }
        })
    };
    world.land_with(&Release::small(1), bad());
    world.accept("1");
    world.anew = false;
    world.night();
    let rejects = "select concat_ws(' ', source, object, member, line, byte, reason, bytes)
                   from kiln.reject order by 1";
    let before = world.postgres.rows("druginfo", rejects);
    assert_eq!(before.len(), 2);
    world.edit("sources/druginfo/pricing.toml", "description", "# changed\ndescription");
    world.night();
    assert_eq!(loaded(&world, "druginfo"), ["pricing"]);
    assert_eq!(world.postgres.rows("druginfo", rejects), before);
    let stale =
        "select count(*)::text from kiln.reject r join kiln.source s using (source, attempt)";
    assert_eq!(world.postgres.value("druginfo", stale), "2");
}

#[test]
fn a_run_that_dies_while_it_brings_over_leaves_everything_as_it_was() {
    for (point, action) in [
        ("copy", "error"),
        ("copy", "panic"),
        ("copy", "term"),
        ("copy", "kill"),
        ("copy-finish", "kill"),
        ("source", "kill"),
    ] {
        let world = lived(World::new());
        with_another_price(&Release::small(1), &world);
        let plan = plan(&world);
        let before = world.live();
        // With one connection what is kept comes first.
        let mut night = world.kiln(&["run", "druginfo"]);
        night.env("KILN_CONNECTIONS", "1");
        let outcome = night.env("KILN_FAILPOINT", &format!("{point}={action}")).run();
        assert_ne!(outcome.code, 0, "{outcome}");
        assert_eq!(world.live(), before, "{outcome}");
        world.night();
        came_true(&world, &plan, "druginfo");
        assert_eq!(world.states().len(), 2, "{:?}", world.states());
        wait_until("kiln's sessions are gone", || world.sessions().is_empty());
    }
}

#[test]
fn readers_stay_on_the_live_build_while_it_is_read() {
    let mut world = lived(World::new());
    with_another_price(&Release::small(1), &world);
    // With one connection what is kept comes first.
    world.environment.push(("KILN_CONNECTIONS".into(), "1".into()));
    let reader = world.runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(&world.postgres.url("druginfo"), tokio_postgres::NoTls)
                .await
                .unwrap();
        tokio::spawn(connection);
        client.batch_execute("begin; select count(*) from plan_pharmacy").await.unwrap();
        client
    });
    let (running, file) = world.paused(&["run", "druginfo"], "copy");
    let rows: i64 = world.runtime.block_on(async {
        reader.query_one("select count(*) from plan_pharmacy", &[]).await.unwrap().get(0)
    });
    assert_eq!(rows, 150);
    std::fs::remove_file(file).unwrap();
    let outcome = running.wait();
    assert_eq!(outcome.code, 0, "{outcome}");
    assert_eq!(loaded(&world, "druginfo"), ["pricing"]);
}
