//! Damaged archives and wrong members. `kiln land` refuses what it can see; what gets past it
//! into the bucket is refused by the night.

use kiln::testing::dev::synth::{Release, Tamper};

use super::{Before, Druginfo, Kept, zips};

const NAME: &str = "SPUF_2026_20260702.zip";
const PRICING_ZIP: &str = "pricing file PPUF_2026Q2.zip";
const PRICING_TXT: &str = "pricing file PPUF_2026Q2.txt";

/// A whole release's bytes.
fn release() -> Vec<u8> {
    let mut zip = std::io::Cursor::new(Vec::new());
    Release::small(2).write(&mut zip).unwrap();
    zip.into_inner()
}

/// A release with the zip of the pricing file changed.
fn with_pricing(change: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    zips::map_members(&release(), &|name, bytes| {
        (name == PRICING_ZIP).then(|| change(bytes.to_vec()))
    })
}

/// `kiln land` refuses the file and lands nothing.
fn land_refuses(druginfo: &Druginfo, bytes: &[u8], said: &[&str]) {
    let path = druginfo.world.folder.path().join(NAME);
    std::fs::write(&path, bytes).unwrap();
    let before = objects(druginfo);
    let outcome = druginfo.world.kiln(&["land", "druginfo", &path.to_string_lossy()]).exits(11);
    outcome.says(&[&format!("kiln: {NAME} is not landed: ")]).says(said);
    assert_eq!(objects(druginfo), before);
}

fn objects(druginfo: &Druginfo) -> Vec<String> {
    let world = &druginfo.world;
    let listed = world.runtime.block_on(async { world.store().await.list("").await.unwrap() });
    listed.into_iter().map(|object| object.key).collect()
}

/// Past `kiln land`: the night refuses, and nothing was loaded that were worth keeping, or a
/// build is kept in which only the pricing failed.
fn night_refuses(druginfo: &Druginfo, bytes: &[u8], kept: Kept, said: &[&str]) {
    druginfo.world.put("druginfo", NAME, bytes);
    druginfo.refuses_landed(11, kept, said);
    if kept == Kept::Yes {
        let failed = "select string_agg(source, ',') from kiln.source where state <> 'loaded'";
        assert_eq!(druginfo.kept_value(failed), "pricing");
        assert_eq!(druginfo.kept_value("select count(*)::text from pricing"), "0");
    }
}

#[test]
fn a_truncated_zip_is_refused_outside_and_inside() {
    let druginfo = Druginfo::new();
    let whole = release();
    let cut = &whole[..whole.len() / 2];
    land_refuses(
        &druginfo,
        cut,
        &["is not a whole zip archive: ", "hint: get the file again from where it was posted"],
    );
    let not_whole = "is not a whole zip archive: ";
    let object = format!("s3://kiln/druginfo/2026-07-02/{NAME}");
    night_refuses(
        &druginfo,
        cut,
        Kept::No,
        &[
            // One object, one trouble: said once for all nine sources.
            "is as it was: sources basic_drugs_formulary, beneficiary_cost, ",
            &format!("plan_information, pricing: {object}: {not_whole}"),
            "get the file again from where it was posted, then: kiln land DATABASE FILE; ",
            "land the mended file, then: kiln run druginfo",
        ],
    );
    let inner = with_pricing(|zip| zip[..zip.len() - 30].to_vec());
    night_refuses(
        &druginfo,
        &inner,
        Kept::Yes,
        &[&format!("source pricing: {object} → {PRICING_ZIP}: {not_whole}"), "get the file again"],
    );
    let empty = with_pricing(|_| Vec::new());
    night_refuses(
        &druginfo,
        &empty,
        Kept::Yes,
        &[&format!("{PRICING_ZIP}: is empty, not a zip archive")],
    );
}

#[test]
fn a_wrong_checksum_is_refused_outside_and_inside() {
    let druginfo = Druginfo::new();
    let outer = zips::wrong_crc(release(), PRICING_ZIP);
    land_refuses(&druginfo, &outer, &[&format!("member {PRICING_ZIP}: is damaged: "), "hint: "]);
    night_refuses(
        &druginfo,
        &outer,
        Kept::Yes,
        &[&format!("{NAME} → {PRICING_ZIP}: is damaged: Invalid checksum"), "get the file again"],
    );
    let inner = with_pricing(|zip| zips::wrong_crc(zip, PRICING_TXT));
    night_refuses(
        &druginfo,
        &inner,
        Kept::Yes,
        &[&format!("{PRICING_ZIP} → {PRICING_TXT}: is damaged: Invalid checksum")],
    );
}

#[test]
fn an_encrypted_member_is_refused_as_such() {
    let druginfo = Druginfo::new();
    let outer = zips::encrypted(release(), PRICING_ZIP);
    let said = "is encrypted, and kiln has no password";
    let hint = "CMS publishes unencrypted files; land the public one";
    land_refuses(&druginfo, &outer, &[&format!("member {PRICING_ZIP}: {said}"), hint]);
    night_refuses(&druginfo, &outer, Kept::Yes, &[&format!("→ {PRICING_ZIP}: {said}"), hint]);
    let inner = with_pricing(|zip| zips::encrypted(zip, PRICING_TXT));
    night_refuses(&druginfo, &inner, Kept::Yes, &[&format!("→ {PRICING_TXT}: {said}"), hint]);
}

#[test]
fn a_missing_member_is_told_with_what_is_there() {
    let druginfo = Druginfo::new();
    let change = Tamper::default().members(|name| (name != PRICING_ZIP).then(|| name.to_owned()));
    let outcome = druginfo.refuses(
        change,
        11,
        Kept::Yes,
        &[
            "source pricing: missing member in s3://kiln/druginfo/",
            "/SPUF_2026_20260701.zip: expected 1 matching `",
            "found 0; the archive has ",
            "plan information  PPUF_2026Q2.zip",
            "mend `member` in sources/druginfo/pricing.toml, or leave it out: kiln run druginfo --without pricing",
        ],
    );
    assert!(!outcome.stderr.contains(PRICING_ZIP), "{outcome}");
}

#[test]
fn a_part_too_few_is_a_missing_member() {
    let druginfo = Druginfo::new();
    druginfo.world.land(&Release { network_parts: 5, ..Release::small(2) });
    druginfo.refuses_landed(
        11,
        Kept::Yes,
        &[
            "source pharmacy_networks: missing member in ",
            "expected 6 matching `",
            "found 5; found pharmacy networks file  PPUF_2026Q2 part 1.txt, ",
            "if CMS cuts it into 5 now: `parts = 5` in sources/druginfo/pharmacy_networks.toml",
        ],
    );
}

#[test]
fn a_part_too_many_is_mended_by_parts_and_not_by_member() {
    let druginfo = Druginfo::new();
    druginfo.world.land(&Release { network_parts: 7, ..Release::small(2) });
    let said =
        ["extra member in ", "expected 6 matching `", "found 7; ", "`parts = 7` in sources/"];
    let outcome = druginfo.refuses_landed(11, Kept::Yes, &said);
    assert!(!outcome.stderr.contains("mend `member`"), "{outcome}");
}

#[test]
fn a_second_file_that_matches_is_an_extra_member() {
    let druginfo = Druginfo::new();
    let twice = zips::map_members(&release(), &|name, bytes| {
        (name == PRICING_ZIP).then(|| {
            let text = zips::member(bytes, PRICING_TXT);
            zips::zip(&[(PRICING_TXT, &text), ("pricing file  PPUF_2026Q2.txt", &text)])
        })
    });
    night_refuses(
        &druginfo,
        &twice,
        Kept::Yes,
        &[
            "source pricing: extra member in ",
            "expected 1 matching `",
            &format!("found 2; found pricing file  PPUF_2026Q2.txt, {PRICING_TXT}"),
        ],
    );
}

#[test]
fn two_entries_of_one_name_are_refused_and_none_is_chosen() {
    let druginfo = Druginfo::new();
    let twin = PRICING_TXT.replace("2026Q2", "2026Q3");
    let change = |bytes: &[u8]| {
        let text = zips::member(bytes, PRICING_TXT);
        let zip = zips::zip(&[(PRICING_TXT, &text), (&twin, &text)]);
        zips::renamed(zip, &twin, PRICING_TXT)
    };
    let doubled = with_pricing(|zip| change(&zip));
    night_refuses(
        &druginfo,
        &doubled,
        Kept::Yes,
        &[&format!("→ {PRICING_ZIP}: two entries have one name"), "hint: "],
    );
}

#[test]
fn two_periods_in_one_release_are_refused() {
    let druginfo = Druginfo::new();
    let change = Tamper::default().members(|name| {
        let other = name.contains("part 3").then(|| name.replace("2026Q2", "2026Q1"));
        Some(other.unwrap_or_else(|| name.to_owned()))
    });
    druginfo.refuses(
        change,
        11,
        Kept::Yes,
        &["source pharmacy_networks: s3://kiln/druginfo/", "mixes the periods 2026Q1 and 2026Q2"],
    );
}

#[test]
fn sources_of_two_periods_are_not_one_release() {
    let druginfo = Druginfo::new();
    let change = Tamper::default().members(|name| {
        let other = name.starts_with("pricing").then(|| name.replace("2026Q2", "2026Q1"));
        Some(other.unwrap_or_else(|| name.to_owned()))
    });
    druginfo.refuses(
        change,
        11,
        Kept::Yes,
        &["/SPUF_2026_20260701.zip", "mixes the periods 2026Q1 and 2026Q2", "pricing"],
    );
}

#[test]
fn an_entry_that_nobody_claims_is_a_warning_in_the_ledger() {
    let druginfo = Druginfo::new();
    let zip = zips::with_member(&release(), "release notes.pdf", b"%PDF-1.7");
    druginfo.world.put("druginfo", NAME, &zip);
    let outcome = druginfo.world.kiln(&["run", "druginfo", "--json"]).succeeds();
    assert_eq!(
        outcome.json()["warnings"],
        serde_json::json!(["no source reads release notes.pdf"])
    );
    let warnings = "select ledger -> 'warnings' ->> 0 from kiln.stamp";
    let kept = druginfo.world.postgres.value("druginfo", warnings);
    assert_eq!(kept, "no source reads release notes.pdf");
}

#[test]
fn what_is_no_zip_under_a_zips_name_is_refused() {
    let druginfo = Druginfo::new();
    let page = b"<!DOCTYPE html><title>404 Not Found</title>";
    let said = "is a page of the web (HTML or XML), not a zip archive";
    land_refuses(&druginfo, page, &["is not landed: it ", said]);
    night_refuses(&druginfo, page, Kept::No, &[&format!("{NAME}: {said}")]);
    night_refuses(&druginfo, b"", Kept::No, &[&format!("{NAME}: is empty, not a zip archive")]);
    let inner = with_pricing(|_| page.to_vec());
    night_refuses(&druginfo, &inner, Kept::Yes, &[&format!("{PRICING_ZIP}: {said}")]);
}

#[test]
fn a_file_that_nobody_reads_is_not_landed() {
    let druginfo = Druginfo::new();
    let world = &druginfo.world;
    let before = Before::of(world, "druginfo");
    let path = world.folder.path().join("SPUF2026.zip");
    std::fs::write(&path, release()).unwrap();
    world.kiln(&["land", "druginfo", &path.to_string_lossy()]).exits(2).says(&[
        "no source of druginfo reads a file named SPUF2026.zip",
        "hint: name it as CMS does; `object` in sources/druginfo/*.toml says how",
    ]);
    world
        .kiln(&["land", "druginfo", "/nowhere/SPUF_2026_20260702.zip"])
        .exits(10)
        .says(&["cannot read /nowhere/SPUF_2026_20260702.zip: No such file or directory"]);
    before.unchanged(world, Kept::No);
}
