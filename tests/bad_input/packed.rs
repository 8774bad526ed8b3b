//! A network in another order than CMS's, and one that says a thing twice: all of it is packed, or it
//! is refused.

use std::io::Cursor;

use kiln::testing::dev::synth::{Release, Tamper};

use super::{Druginfo, Kept};
use crate::support::World;

const SOURCE: &str = "pharmacy_networks";

/// The network's rows, of all parts.
fn rows(release: &Release) -> Vec<Vec<u8>> {
    let mut rows = Vec::new();
    let record = Tamper::default().lines(|at, line| {
        if at.source == SOURCE && at.line > 1 {
            rows.push(line.clone());
        }
    });
    release.write_with(&mut Cursor::new(Vec::new()), record).unwrap();
    rows
}

/// A release whose network has these rows in place of its own, in their order.
fn with(rows: Vec<Vec<u8>>) -> Tamper<'static> {
    let mut rows = rows.into_iter();
    Tamper::default().lines(move |at, line| {
        if at.source == SOURCE && at.line > 1 {
            *line = rows.next().unwrap();
        }
    })
}

fn field(row: &[u8], index: usize) -> &[u8] {
    row.split(|byte| *byte == b'|').nth(index).unwrap()
}

/// Plan and pharmacy.
fn key(row: &[u8]) -> Vec<&[u8]> {
    (0..4).map(|index| field(row, index)).collect()
}

#[test]
fn rows_in_any_order_say_the_same() {
    let release = Release::small(2);
    let sorted = rows(&release);
    let mut by_pharmacy = sorted.clone();
    by_pharmacy.sort_by(|a, b| field(a, 3).cmp(field(b, 3)));
    let shuffled = (0..sorted.len()).map(|no| sorted[no * 7919 % sorted.len()].clone()).collect();
    let said = |order: Vec<Vec<u8>>| {
        let world = World::new();
        world.accept("1");
        world.land_with(&release, with(order));
        world.night();
        let source =
            format!("select rows || ' ' || digest from kiln.source where source = '{SOURCE}'");
        let (_, contents) = world.postgres.contents("druginfo").unwrap();
        let apart = format!("select count(*)::text from {SOURCE} where piece >= 16");
        (
            world.postgres.value("druginfo", &source),
            contents,
            world.postgres.value("druginfo", &apart),
        )
    };
    let (digest, contents, apart) = said(sorted);
    assert_eq!(apart, "0");
    for order in [by_pharmacy, shuffled] {
        let (other_digest, other_contents, apart) = said(order);
        assert_eq!((&other_digest, &other_contents), (&digest, &contents));
        assert_ne!(apart, "0", "plans were not in pieces");
    }
}

#[test]
fn a_pharmacy_that_a_plan_has_twice_is_refused_with_its_line() {
    let druginfo = Druginfo::new();
    let release = Release::small(2);
    let mut rows = rows(&release);
    // The second plan's second row says again what its first says, at other terms.
    let begins =
        (1..rows.len()).find(|no| field(&rows[*no], 1) != field(&rows[*no - 1], 1)).unwrap();
    let mut again = rows[begins].clone();
    assert_eq!(key(&again)[..3], key(&rows[begins + 1])[..3], "a plan of one row");
    let end = again.iter().rposition(|byte| *byte == b'|').unwrap();
    again.truncate(end);
    again.extend_from_slice(b"|9.99");
    rows[begins + 1] = again;
    let line = begins + 3;
    druginfo.refuses(
        with(rows),
        11,
        Kept::Yes,
        &[
            "source pharmacy_networks: druginfo/",
            &format!(
                "part 1.txt: line {line} has the contract_id, plan_id, segment_id, pharmacy_number, \
                 pharmacy_zipcode of a row before it"
            ),
            "--without pharmacy_networks",
        ],
    );
    assert_eq!(druginfo.kept_value("select count(*)::text from plan_pharmacy"), "0");
}

#[test]
fn a_pharmacy_that_a_plan_has_twice_far_apart_is_found_by_a_check() {
    let druginfo = Druginfo::new();
    let release = Release::small(2);
    let mut rows = rows(&release);
    // The last plan's last row is the first plan's first.
    let last = rows.len() - 1;
    assert_ne!(key(&rows[0])[..3], key(&rows[last])[..3]);
    rows[last] = rows[0].clone();
    druginfo.refuses(with(rows), 14, Kept::Yes, &["no plan has a pharmacy twice"]);
}

#[test]
fn a_pack_that_does_not_fit_is_said_with_its_line() {
    let mut world = World::new();
    world.own_root();
    let spec = "sources/druginfo/pharmacy_networks.toml";
    let sql = "sql/druginfo/0008_pharmacy_networks.sql";
    let text = |file: &str| std::fs::read_to_string(world.root.join(file)).unwrap();
    let (spec_was, sql_was) = (text(spec), text(sql));
    for (file, from, to, said) in [
        (
            spec,
            "at = \"pharmacy_key\"",
            "at = \"pharmacy_kye\"",
            "`at`: \"pharmacy_kye\" is no dictionary's `to`; did you mean `pharmacy_key`?",
        ),
        (spec, "at = \"pharmacy_key\"", "at = \"plan_key\"", "`at`: \"plan_key\" is named twice"),
        (
            spec,
            "to = \"terms_keys\"",
            "two = \"terms_keys\"",
            "unknown key `pack.two`; did you mean `to`?",
        ),
        (spec, "\nparts   = 6", "\nparts   = 6\nsort = [\"plan_key\"]", "`sort` has no meaning"),
        (
            spec,
            "to = \"terms_keys\"",
            "to = \"terms\"",
            "packed rows need column terms integer[] in table pharmacy_networks; it is not there",
        ),
        (
            sql,
            "terms_keys integer[]",
            "terms_keys bigint[]",
            "packed rows need column terms_keys integer[] in table pharmacy_networks; it is bigint[]",
        ),
    ] {
        std::fs::write(world.root.join(spec), &spec_was).unwrap();
        std::fs::write(world.root.join(sql), &sql_was).unwrap();
        world.edit(file, from, to);
        let outcome = world.kiln(&["schema", "check", "druginfo"]).exits(2);
        outcome.says(&[said, "sources/druginfo/pharmacy_networks.toml:"]);
    }
}
