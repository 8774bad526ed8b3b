//! The table of cases: which inputs come back by themselves, and which by a waiver only.

use super::*;

fn word(why: &str) -> Word {
    Word { login: "a".into(), host: "b".into(), at: why.into(), why: why.into() }
}

fn pin(key: &str, etag: &str, sha256: Option<&str>) -> Pin {
    Pin {
        bucket: "b".into(),
        key: key.into(),
        version_id: None,
        etag: etag.into(),
        size: 1,
        modified: String::new(),
        sha256: sha256.map(str::to_owned),
        sha256_by_store: false,
    }
}

/// A manifest of sources and the key that each reads, in the version that follows `@`.
fn manifest(sql: &str, sources: &[(&str, &str)]) -> Manifest {
    let input = |key: &str| {
        let (place, version) = key.split_once('@').unwrap_or((key, "1"));
        Input {
            spec_sha256: "s".into(),
            sql_sha256: String::new(),
            posted: None,
            objects: vec![pin(place, &format!("{version}-x"), None)],
        }
    };
    Manifest {
        kiln: 1,
        database: "druginfo".into(),
        schema_version: 1,
        created: String::new(),
        without: Vec::new(),
        sources: sources.iter().map(|(name, key)| ((*name).to_owned(), input(key))).collect(),
        tool: "1".into(),
        row_format: crate::spec::row_format::ROW_FORMAT,
        withdrawn: Vec::new(),
        sql_sha256: sql.into(),
        hash_key: None,
        subset: None,
    }
}

fn reader(build: &str, rejected: bool, manifest: Manifest) -> PromotedBuild {
    let rejected = rejected.then(|| word(build));
    PromotedBuild { build: build.into(), rejected, manifest, is_live: false }
}

fn refused(now: &Manifest, readers: &[PromotedBuild]) -> Vec<String> {
    refusals(now, readers).into_iter().map(|found| found.source.unwrap_or("all".into())).collect()
}

#[test]
fn only_what_rejected_builds_alone_have_read_is_refused() {
    let good = || reader("good", false, manifest("q", &[("price", "p1"), ("plan", "l1")]));
    let bad = || reader("bad", true, manifest("q", &[("price", "p2"), ("plan", "l1")]));
    let both = [good(), bad()];
    for (now, expected) in [
        (&[("price", "p2"), ("plan", "l1")][..], &["price"][..]),
        (&[("price", "p2@2"), ("plan", "l1")], &[]),
        (&[("price", "p3"), ("plan", "l1")], &[]),
        (&[("price", "p2"), ("plan", "l2")], &["price"]),
        (&[("price", "p1"), ("plan", "l1")], &[]),
        (&[("plan", "l1")], &[]),
        (&[("other", "p2"), ("more", "p2")], &["more", "other"]),
    ] {
        assert_eq!(refused(&manifest("q", now), &both), expected, "{now:?}");
    }
    // A build that was rolled back to and forward from again is a good reader.
    let later = reader("later", false, manifest("q", &[("price", "p2"), ("plan", "l1")]));
    assert_eq!(refused(&bad().manifest, &[good(), bad(), later]), [""; 0]);
    let worse = reader("worse", true, manifest("q", &[("price", "p2"), ("plan", "l3")]));
    assert_eq!(refused(&worse.manifest, &[good(), bad(), worse.clone()]), ["plan", "price"]);
    assert_eq!(refused(&bad().manifest, &[good()]), [""; 0]);
}

#[test]
fn a_newer_rejection_counts_more_than_an_older_good_build() {
    let of = |price: &str| manifest("q", &[("price", price), ("plan", "l1")]);
    let first = reader("x_00001", false, of("p1"));
    let live = PromotedBuild { is_live: true, ..reader("x_00002", false, of("p2")) };
    let bad = reader("x_00003", true, of("p1"));
    let all = [first.clone(), live.clone(), bad.clone()];
    assert_eq!(refused(&of("p1"), &all), ["price"], "read last by what was rolled away from");
    assert_eq!(refused(&of("p2"), &all), [""; 0], "what is live");
    assert_eq!(refused(&of("p3"), &all), [""; 0], "something newer");
    // A source that the live build is without says nothing of what is in its place.
    let without = PromotedBuild { manifest: manifest("q", &[("plan", "l1")]), ..live.clone() };
    assert_eq!(refused(&of("p1"), &[first.clone(), without, bad.clone()]), ["all"]);
    // Taken forward again by a person, it is good.
    let later = reader("x_00004", false, of("p1"));
    assert_eq!(refused(&of("p1"), &[first, live, bad, later]), [""; 0]);
}

#[test]
fn a_rejected_build_is_not_made_again_by_other_sql_of_the_same_objects() {
    let sources = [("price", "p1")];
    let good = reader("good", false, manifest("q", &sources));
    let bad = reader("bad", true, manifest("q2", &sources));
    let both = [good.clone(), bad.clone()];
    assert_eq!(refused(&manifest("q2", &sources), &both), ["all"]);
    assert_eq!(refused(&manifest("q3", &sources), &both), [""; 0]);
    assert_eq!(refused(&manifest("q", &sources), &both), [""; 0]);
    let mut newer = manifest("q2", &sources);
    newer.row_format += 1;
    assert_eq!(refused(&newer, &both), [""; 0], "rows are made otherwise");
    let mut rebuilt = manifest("q2", &sources);
    rebuilt.tool = "2".into();
    assert_eq!(refused(&rebuilt, &both), ["all"], "another commit makes the same rows");
    // What is not known is not the same.
    let resumed = reader("resumed", true, manifest("", &sources));
    assert_eq!(refused(&manifest("", &sources), &[good, resumed]), [""; 0]);
}

#[test]
fn a_part_of_a_rejected_build_is_refused_and_a_part_of_another_is_not() {
    let bad = reader("bad", true, manifest("q", &[("price", "p2")]));
    let part_of = |build: &str| {
        let mut part = bad.manifest.clone();
        let asked = crate::catalog::manifest::SubsetRequest {
            percent: crate::catalog::manifest::Percent::HUNDRED,
            conditions: std::collections::BTreeMap::new(),
        };
        part.subset =
            Some(SubsetOrigin { build: build.into(), asked, rules_sha256: String::new() });
        refused(&part, std::slice::from_ref(&bad))
    };
    assert_eq!(part_of("bad"), ["all"]);
    assert_eq!(part_of("good"), [""; 0]);
}

#[test]
fn the_same_bytes_at_another_place_are_the_same_object() {
    let md5 = "0cc175b9c0f1b6a831c399e269772661";
    let same = |a: &Pin, b: &Pin| is_same(a, b);
    assert!(same(&pin("a", "x-1", None), &pin("a", "x-1", None)));
    assert!(!same(&pin("a", "x-1", None), &pin("a", "x-2", None)));
    assert!(!same(&pin("a", "x-1", None), &pin("b", "x-1", None)));
    assert!(same(&pin("a", "x-1", Some("s")), &pin("b", "x-2", Some("s"))));
    assert!(same(&pin("a", md5, None), &pin("b", md5, None)));
    assert!(!same(&pin("a", "", None), &pin("b", "", None)));
    let mut larger = pin("a", md5, Some("s"));
    larger.size = 2;
    assert!(!same(&pin("a", md5, Some("s")), &larger));
}

#[test]
fn waivers_lift_by_source_by_rejected_build_or_by_the_one_to_be_promoted() {
    let good = reader("good", false, manifest("q", &[("price", "p1"), ("plan", "l1")]));
    let bad = reader("bad", true, manifest("q", &[("price", "p2"), ("plan", "l2")]));
    let found = refusals(&bad.manifest, &[good, bad.clone()]);
    let left = |source: Option<&str>, build: Option<&str>, gate| {
        let waiver = Waiver {
            id: 1,
            database: "druginfo".into(),
            gate,
            source: source.map(str::to_owned),
            build: build.map(str::to_owned),
            until: None,
            why: "y".into(),
            login: "a".into(),
            host: "b".into(),
            at: "c".into(),
        };
        uncovered(&found, &[waiver], Some("new")).len()
    };
    assert_eq!(uncovered(&found, &[], Some("new")).len(), 2);
    assert_eq!(left(None, None, Gate::Rejected), 0);
    assert_eq!(left(None, None, Gate::Rows), 2);
    assert_eq!(left(Some("price"), None, Gate::Rejected), 1);
    assert_eq!(left(None, Some("bad"), Gate::Rejected), 0);
    assert_eq!(left(None, Some("new"), Gate::Rejected), 0);
    assert_eq!(left(None, Some("other"), Gate::Rejected), 2);
    let said = uncovered(&found, &[], None).join("; ");
    assert!(said.contains("source price reads s3://b/p2, which only bad read; that was rolled"));
}
