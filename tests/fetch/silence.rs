//! Servers that take a connection and say nothing, or break off: every wait has a limit, and its end says what
//! was waited for.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::support::World;
use crate::support::http::{HttpProxy, Mishap};
use crate::support::proxy::{Fault, Proxy};

/// Four attempts of three seconds each and the pauses between them, with a loaded machine.
const LIMIT: Duration = Duration::from_secs(40);

#[test]
fn a_silent_s3_is_given_up_at_every_stage() {
    let mut world = World::ready();
    world.night();
    let before = (world.live(), world.databases());
    let proxy = HttpProxy::start(&world.runtime, &world.s3_url);
    world.s3_url.clone_from(&proxy.url);
    world.environment.push(("KILN_S3_STALL".into(), "1".into()));
    for (silent, said) in [
        ("list-type=2", "list s3://kiln/druginfo/: "),
        ("HEAD", "look at s3://kiln/druginfo/"),
        ("x-id=GetObject", "read s3://kiln/druginfo/"),
    ] {
        proxy.rule(move |request| {
            let hit = request.method == silent || request.target.contains(silent);
            if hit { Mishap::Silent } else { Mishap::Pass }
        });
        let outcome = world.kiln(&["run", "druginfo"]).exits(10);
        outcome.says(&["druginfo is as it was", said, "hint: "]);
        // Four attempts take about as long as a listing may take in all.
        let is_told = ["timeout", "the listing did not end within 15 s"];
        assert!(is_told.iter().any(|why| outcome.stderr.contains(why)), "{outcome}");
        assert!(outcome.took < LIMIT, "{outcome}");
        assert!((1..=8).contains(&proxy.hit().len()), "{:?}", proxy.hit());
        assert_eq!(world.live(), before.0);
    }
    proxy.rule(|_| Mishap::Pass);
    world.night();
    assert_eq!(world.databases().len(), 2, "{:?}", world.databases());
}

#[test]
fn a_silent_postgres_is_given_up() {
    let mut world = World::ready();
    world.night();
    let before = (world.live(), world.databases());
    let port = world.postgres.listen(&[]);
    let proxy = Proxy::start(&world.runtime, &format!("127.0.0.1:{port}"));
    let url = format!("postgresql://loader@{}/postgres?connect_timeout=1", proxy.address);
    world.environment.push(("KILN_POSTGRES_URL".into(), url));
    // The first connections pass, so that ever later stages meet the silence, until none does.
    let mut met = std::collections::BTreeSet::new();
    for passed in (0..60).step_by(2) {
        proxy.after(passed, Fault::BlackHole);
        let outcome = world.kiln(&["run", "druginfo"]).run();
        if outcome.code == 0 {
            break;
        }
        assert_eq!(outcome.code, 12, "{outcome}");
        outcome.says(&["connect to Postgres, database ", "no answer within 2 s", "hint: "]);
        assert!(outcome.took < LIMIT, "{outcome}");
        assert_eq!(world.live(), before.0);
        let (_, rest) = outcome.stderr.split_once("connect to Postgres, database ").unwrap();
        let stage: String =
            rest.split(": ").next().unwrap().chars().filter(|c| !c.is_ascii_digit()).collect();
        met.insert(stage);
    }
    let is_met = |stage: &str| met.iter().any(|met| met.contains(stage));
    assert!(is_met("postgres") && is_met("kiln") && is_met("druginfo_, for "), "{met:?}");
    assert!(met.len() >= 4, "{met:?}");
    proxy.next(Fault::Pass, 0);
    world.night();
    assert_eq!(world.databases().len(), 2, "{:?}", world.databases());
}

#[test]
fn a_postgres_that_breaks_off_in_a_night_leaves_the_live_database_alone() {
    let mut world = World::ready();
    world.night();
    let before = world.live();
    let port = world.postgres.listen(&[]);
    let proxy = Proxy::start(&world.runtime, &format!("127.0.0.1:{port}"));
    let url = format!("postgresql://loader@{}/postgres?connect_timeout=1", proxy.address);
    world.environment.push(("KILN_POSTGRES_URL".into(), url));
    // Behind the greeting, which is some 400 bytes; and so in ever later stages.
    for (passed, fault) in [
        (0, Fault::CutAfter(700)),
        (0, Fault::ResetAfter(700)),
        (4, Fault::CutAfter(500)),
        (8, Fault::ResetAfter(500)),
    ] {
        let connected = proxy.connections.load(Ordering::SeqCst);
        proxy.after(passed, fault);
        let outcome = world.kiln(&["run", "druginfo"]).exits(12);
        outcome.says(&["druginfo is as it was", "hint: "]);
        assert!(outcome.took < LIMIT, "{outcome}");
        assert!(proxy.connections.load(Ordering::SeqCst) > connected + passed, "{outcome}");
        assert_eq!(world.live(), before, "{outcome}");
    }
    proxy.after(0, Fault::Pass);
    world.night();
    assert_eq!(world.databases().len(), 2, "{:?}", world.databases());
}
