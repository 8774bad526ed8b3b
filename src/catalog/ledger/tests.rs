//! Every number of the account that is off keeps a build from its seal.

use super::*;

fn good() -> Ledger {
    let mut ledger = Ledger::open("r", "run", "druginfo", "druginfo_00001", 1);
    let mut entry = SourceEntry::empty("pricing", SourceState::Loaded);
    entry.files.push(FileEntry {
        object: "o".into(),
        version: "v".into(),
        member: "m".into(),
        bytes: 9,
        sha256: "s".into(),
        evidence: "size".into(),
        lines: 12,
        header: 1,
        loaded: 8,
        rejected: 2,
        filtered: 1,
        misfits: 0,
        copied: 8,
        digest: "d".into(),
        nulls: None,
    });
    entry.counted = 8;
    entry.rejects_allowed = 2;
    entry.rows_min = 8;
    ledger.sources.push(entry);
    ledger.expected.push("pricing".into());
    let check = CheckEntry { title: "t".into(), place: "p".into(), rows: 0, keys: Vec::new() };
    ledger.checks.push(check);
    ledger
}

#[test]
fn every_number_that_is_off_flips_the_verdict() {
    assert_eq!(good().problems(), Vec::<String>::new());
    let mutations: [fn(&mut Ledger); 12] = [
        |ledger| ledger.sources[0].files[0].lines += 1,
        |ledger| ledger.sources[0].files[0].header += 1,
        |ledger| ledger.sources[0].files[0].loaded += 1,
        |ledger| ledger.sources[0].files[0].rejected += 1,
        |ledger| ledger.sources[0].files[0].filtered += 1,
        |ledger| ledger.sources[0].files[0].copied += 1,
        |ledger| ledger.sources[0].counted += 1,
        |ledger| ledger.sources[0].rejects_allowed -= 1,
        |ledger| ledger.sources[0].rows_min += 1,
        |ledger| ledger.sources[0].state = SourceState::Failed,
        |ledger| ledger.expected.push("x".into()),
        |ledger| ledger.checks[0].rows = 1,
    ];
    for (index, mutate) in mutations.iter().enumerate() {
        let mut ledger = good();
        mutate(&mut ledger);
        assert!(!ledger.problems().is_empty(), "mutation {index} went unnoticed");
    }
    let mut none = good();
    none.sources[0].files.clear();
    none.sources[0].counted = 0;
    none.sources[0].rows_min = 0;
    assert_eq!(none.problems(), ["pricing: no file was read"]);
}
