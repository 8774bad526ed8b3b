//! Several databases swapped together: all of them or none, on one server and on two, whatever dies when.

use kiln::testing::config::failpoint;
use kiln::testing::dev::synth::Release;
use tokio_postgres::{Client, NoTls};

use crate::support::{Outcome, Postgres, World, copy_tree};

/// Two databases of the same tables, each with a live build and a newer sealed one.
struct Pair {
    world: World,
    /// The server of `planinfo`, where it is not that of `druginfo`.
    second: Option<Postgres>,
}

/// Names and comments; waivers, promotions and builds; the live database's object and rows.
type Facts = (Vec<String>, Vec<String>, Option<(u32, String)>);

impl Pair {
    fn on_one_server() -> Pair {
        Pair::made(None)
    }

    fn on_two_servers() -> Pair {
        Pair::made(Some(Postgres::start()))
    }

    fn made(second: Option<Postgres>) -> Pair {
        let mut world = World::new();
        let root = world.own_root().to_path_buf();
        for side in ["sql", "sources"] {
            copy_tree(&root.join(side).join("druginfo"), &root.join(side).join("planinfo"));
        }
        if let Some(second) = &second {
            world.environment.push(("KILN_POSTGRES_URL_PLANINFO".into(), second.url("postgres")));
        }
        let pair = Pair { world, second };
        pair.world.kiln(&["schema", "lock", "planinfo"]).succeeds();
        for database in ["druginfo", "planinfo"] {
            let contract = ["contract", "set", database, "--app", "test", "--accepts", "1"];
            pair.world.kiln(&contract).succeeds();
        }
        pair.land(1);
        pair.world.kiln(&["run", "druginfo", "planinfo"]).succeeds();
        pair.land(2);
        for database in ["druginfo", "planinfo"] {
            pair.world.kiln(&["build", database]).succeeds();
            // A waiver for the next promotion: it is used up by the swap, and comes back with it.
            pair.world.waive_data(database, "another release");
        }
        pair
    }

    fn land(&self, seed: u64) {
        let path = self.world.land(&Release::small(seed));
        self.world.kiln(&["land", "planinfo", &path.to_string_lossy()]).succeeds();
    }

    fn server(&self, database: &str) -> &Postgres {
        match (database, &self.second) {
            ("planinfo", Some(second)) => second,
            _ => &self.world.postgres,
        }
    }

    /// All that a swap changes of one database, but the audit: names, tags, waivers, promotions, rows.
    fn facts(&self, database: &str) -> Facts {
        let server = self.server(database);
        let names = format!(
            "select datname || ' ' || coalesce(shobj_description(oid, 'pg_database'), 'no tag')
             from pg_database where datname like '{database}%' order by 1"
        );
        let words = format!(
            "select 'waiver ' || gate || ' ' || coalesce(ended_by, 'stands') from kiln.waiver
             where database = '{database}' union all
             select 'promoted ' || build || ' ' || coalesce(rejected::text, 'good') from kiln.promoted
             where database = '{database}' union all
             select 'build ' || name || ' ' || (tag ->> 'state') from kiln.build
             where database = '{database}' order by 1"
        );
        let names = server.rows("postgres", &names);
        (names, server.rows("kiln", &words), server.contents(database))
    }

    fn both(&self) -> [Facts; 2] {
        ["druginfo", "planinfo"].map(|database| self.facts(database))
    }

    /// Which build is live, of each.
    fn live(&self) -> [String; 2] {
        ["druginfo", "planinfo"].map(|database| {
            let sql = "select build from kiln.stamp";
            self.server(database).value(database, sql)
        })
    }

    fn swap(&self) -> Outcome {
        self.world.kiln(&["swap", "planinfo", "druginfo"]).run()
    }

    /// The same with a failpoint: `error`, `kill`.
    fn swap_failing(&self, point: &str, action: &str) -> Outcome {
        let mut swap = self.world.kiln(&["swap", "planinfo", "druginfo"]);
        swap.env("KILN_FAILPOINT", &format!("{point}={action}")).run()
    }

    fn open_notes(&self) -> Vec<String> {
        let sql = "select id from kiln.joint_swap where ended_at is null";
        let mut all = self.world.postgres.rows("kiln", sql);
        all.extend(self.second.iter().flat_map(|second| second.rows("kiln", sql)));
        all
    }

    fn session(&self, role: &str, database: &str) -> Client {
        let url = self.server(database).url_as(role, database);
        self.world.runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
            tokio::spawn(connection);
            client
        })
    }
}

const OLD: [&str; 2] = ["druginfo_00001", "planinfo_00002"];
const NEW: [&str; 2] = ["druginfo_00003", "planinfo_00004"];

#[test]
fn two_databases_of_one_server_are_swapped_in_one_transaction() {
    let pair = Pair::on_one_server();
    let before = pair.both();
    assert_eq!(pair.live(), OLD);
    let dry = pair.world.kiln(&["swap", "planinfo", "druginfo", "--dry-run"]).succeeds();
    for database in 0..2 {
        let said = format!("would go from {} to {}", OLD[database], NEW[database]);
        assert!(dry.stdout.contains(&said), "{dry}");
    }
    assert_eq!(pair.both(), before);

    // One is refused: neither is swapped, and all that is refused is told.
    for database in ["druginfo", "planinfo"] {
        pair.world
            .kiln(&["contract", "set", database, "--app", "late", "--accepts", "2"])
            .succeeds();
    }
    let refused = pair.swap();
    assert_eq!(refused.code, 13, "{refused}");
    refused.says(&["druginfo_00003 is not promoted", "app late accepts 2..2"]);
    pair.world.kiln(&["contract", "remove", "druginfo", "--app", "late"]).succeeds();
    let refused = pair.swap();
    assert_eq!(refused.code, 13, "{refused}");
    refused.says(&["planinfo_00004 is not promoted"]);
    assert_eq!(pair.both(), before);
    pair.world.kiln(&["contract", "remove", "planinfo", "--app", "late"]).succeeds();

    // In the middle of the renames: nothing.
    for action in ["error", "kill"] {
        let swap = pair.swap_failing(failpoint::RENAMED, action);
        assert_ne!(swap.code, 0, "{swap}");
        assert_eq!(pair.both(), before);
    }
    let swapped = pair.world.kiln(&["swap", "planinfo", "druginfo", "--json"]).succeeds();
    let said: serde_json::Value = serde_json::from_str(&swapped.stdout).unwrap();
    assert_eq!(said["databases"][0]["promotion"]["to"], NEW[0], "{said}");
    assert_eq!(said["databases"][1]["promotion"]["to"], NEW[1], "{said}");
    assert_eq!(pair.live(), NEW);
    // One transaction: the audit's rows have one moment.
    let moments = "select count(distinct xmin::text)::text from kiln.audit where action = 'swap'
                   and to_build in ('druginfo_00003', 'planinfo_00004')";
    assert_eq!(pair.world.postgres.value("kiln", moments), "1");
    // Asked once more by name, it is done already.
    let names = ["swap", "druginfo", NEW[0], "planinfo", NEW[1]];
    let already = pair.world.kiln(&names).succeeds();
    assert!(already.stdout.contains("druginfo is druginfo_00003 already"), "{already}");
}

#[test]
fn databases_of_two_servers_are_swapped_together_or_go_back() {
    let pair = Pair::on_two_servers();
    let old = pair.live();
    let before = pair.both();
    assert_eq!(
        pair.world.postgres.rows(
            "postgres",
            "select datname::text from pg_database
        where datname like 'planinfo%'"
        ),
        Vec::<String>::new()
    );

    // A gate of the second refuses: the first is not touched.
    let contract = ["contract", "set", "planinfo", "--app", "late", "--accepts", "2"];
    pair.world.kiln(&contract).succeeds();
    let refused = pair.swap();
    assert_eq!(refused.code, 13, "{refused}");
    assert_eq!(pair.both(), before);
    pair.world.kiln(&["contract", "remove", "planinfo", "--app", "late"]).succeeds();

    // The second cannot rename: the first goes back, and nothing is rejected or used up by it.
    let parked = pair.session("kiln", "planinfo");
    let blocked =
        pair.world.kiln(&["swap", "planinfo", "druginfo"]).env("KILN_SWAP_DEADLINE", "2").run();
    assert_eq!(blocked.code, 15, "{blocked}");
    blocked.says(&["planinfo was not swapped within 2 s"]);
    assert_eq!(pair.both(), before);
    let audit = "select action || ' ' || coalesce(from_build, '') || ' ' || coalesce(to_build, '')
                 from kiln.audit where database = 'druginfo' order by id desc limit 2";
    assert_eq!(
        pair.world.postgres.rows("kiln", audit),
        ["swap back druginfo_00002 druginfo_00001", "swap druginfo_00001 druginfo_00002"]
    );
    assert_eq!(pair.open_notes(), Vec::<String>::new());
    drop(parked);

    let swapped = pair.swap();
    assert_eq!(swapped.code, 0, "{swapped}");
    assert_ne!(pair.live(), old);
    assert_eq!(pair.live(), ["druginfo_00002", "planinfo_00002"]);
    assert_eq!(pair.open_notes(), Vec::<String>::new());
    // And each goes on by itself.
    pair.world.kiln(&["rollback", "planinfo", "--why", "a test"]).succeeds();
    assert_eq!(pair.live(), ["druginfo_00002", "planinfo_00001"]);
}

#[test]
fn a_swap_of_two_servers_that_dies_is_ended_by_the_next_run() {
    let pair = Pair::on_two_servers();
    let before = pair.both();
    for (point, next) in [
        (failpoint::JOINT_NOTED, "druginfo"),
        (failpoint::JOINT_NOTED, "planinfo"),
        (failpoint::JOINT_RENAMED, "druginfo"),
        (failpoint::JOINT_RENAMED, "planinfo"),
        (failpoint::GATE, "planinfo"),
        (failpoint::RENAMED, "planinfo"),
    ] {
        let killed = pair.swap_failing(point, "kill");
        assert_eq!(killed.code, -9, "{point}: {killed}");
        assert_eq!(pair.open_notes().len(), 2, "{point}");
        // Killed on its way back, and once more.
        if point == failpoint::JOINT_RENAMED {
            let hold = ["hold", "druginfo_00001", "--why", "a test"];
            let killed = pair
                .world
                .kiln(&hold)
                .env("KILN_FAILPOINT", &format!("{}=kill", failpoint::JOINT_BACK))
                .run();
            assert_eq!(killed.code, -9, "{killed}");
        }
        pair.world.kiln(&["prune", next]).succeeds();
        assert_eq!(pair.both(), before, "{point}, then prune {next}");
        assert_eq!(pair.open_notes(), Vec::<String>::new(), "{point}");
    }
    // An error is no crash: it goes back at once.
    for point in [failpoint::JOINT_NOTED, failpoint::JOINT_RENAMED, failpoint::GATE] {
        let failed = pair.swap_failing(point, "error");
        assert_eq!(failed.code, 1, "{point}: {failed}");
        assert_eq!(pair.both(), before, "{point}");
        assert_eq!(pair.open_notes(), Vec::<String>::new(), "{point}");
    }
    // Killed after the last rename: it is done, and only the note was left.
    let killed = pair.swap_failing(failpoint::JOINT_DONE, "kill");
    assert_eq!(killed.code, -9, "{killed}");
    let after = pair.both();
    pair.world.kiln(&["unhold", "planinfo_00001"]).succeeds();
    assert_eq!(pair.both(), after);
    assert_eq!(pair.live(), ["druginfo_00002", "planinfo_00002"]);
    assert_eq!(pair.open_notes(), Vec::<String>::new());
}

#[test]
fn whoever_meets_a_swap_that_was_left_begun_is_told() {
    let pair = Pair::on_two_servers();
    let before = pair.both();
    let left_begun = || {
        let killed = pair.swap_failing(failpoint::JOINT_RENAMED, "kill");
        assert_eq!(killed.code, -9, "{killed}");
    };
    left_begun();
    let status = pair.world.kiln(&["status", "planinfo"]).succeeds();
    assert!(status.stdout.contains("a swap of druginfo and planinfo was begun"), "{status}");
    for look in [
        &["swap", "druginfo", "--dry-run"][..],
        &["rollback", "druginfo", "--dry-run", "--why", "a"],
    ] {
        let refused = pair.world.kiln(look).run();
        assert_eq!(refused.code, 15, "{refused}");
        refused.says(&["a swap of druginfo and planinfo was begun and not ended"]);
    }
    // What it was asked of a moment ago is not live any more: it goes back no further.
    let rollback = pair.world.kiln(&["rollback", "druginfo", "--why", "half"]).run();
    assert_eq!(rollback.code, 15, "{rollback}");
    rollback.says(&["what was live before is live again; nothing else was done"]);
    assert_eq!(pair.both(), before);

    // A note that stands on the second server alone is in the way of nobody.
    left_begun();
    pair.world.kiln(&["prune", "druginfo"]).succeeds();
    let again = "update kiln.joint_swap set ended_at = null where begun_at = (select max(begun_at) from kiln.joint_swap)";
    pair.server("planinfo").execute("kiln", again);
    assert_eq!(pair.open_notes().len(), 1);
    let swapped = pair.swap();
    assert_eq!(swapped.code, 0, "{swapped}");
    assert_eq!(pair.live(), ["druginfo_00002", "planinfo_00002"]);
}

#[test]
fn one_server_by_two_urls_is_refused_before_anything_is_noted() {
    let mut pair = Pair::on_one_server();
    let before = pair.both();
    let url = pair
        .world
        .postgres
        .url("postgres")
        .replace("user=loader", "user=loader&application_name=x");
    pair.world.environment.push(("KILN_POSTGRES_URL_PLANINFO".into(), url));
    let refused = pair.swap();
    assert_eq!(refused.code, 2, "{refused}");
    refused.says(&["druginfo and planinfo are on one server, by two URLs", "hint: give planinfo"]);
    assert_eq!(pair.both(), before);
    assert_eq!(pair.open_notes(), Vec::<String>::new());
}

#[test]
fn a_swap_that_was_left_begun_is_not_ended_on_another_server() {
    let mut pair = Pair::on_two_servers();
    let killed = pair.swap_failing(failpoint::JOINT_RENAMED, "kill");
    assert_eq!(killed.code, -9, "{killed}");
    let after = pair.facts("druginfo");
    let right = pair.world.environment.pop().unwrap();
    let refused = pair.world.kiln(&["prune", "druginfo"]).run();
    assert_eq!(refused.code, 2, "{refused}");
    refused.says(&[
        "the server of planinfo is not the one that it was begun on",
        "hint: KILN_POSTGRES_URL_PLANINFO must name the server of then",
    ]);
    assert_eq!(pair.facts("druginfo"), after);
    pair.world.environment.push(right);
    pair.world.kiln(&["prune", "druginfo"]).succeeds();
    assert_eq!(pair.live(), ["druginfo_00001", "planinfo_00001"]);
}
