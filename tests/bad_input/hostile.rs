//! Archives that lie or mean harm: each ends in a named error, soon, and in little memory.

use std::time::Duration;

use super::tiny::{Tiny, ZIPPED};
use super::{Before, Kept, zips};
use crate::support::Outcome;

const NAME: &str = "item_20260701.zip";
const TEXT: &[u8] = b"code|name|amount|count\r\na|A|1.00|1\r\n";
/// What no input may make kiln take (M26 of the measured facts: 1.5 GB for 400 MB of input).
const MEMORY_MAX: u64 = 512 << 20;
/// By when a hostile file must have been refused.
const TIME_MAX: Duration = Duration::from_secs(30);

/// The night refuses these bytes in bounded time and memory; what `other` loaded is kept.
fn refuses(tiny: &Tiny, bytes: &[u8], said: &[&str]) -> Outcome {
    tiny.world.put("tiny", NAME, bytes);
    refuses_landed(tiny, said)
}

fn refuses_landed(tiny: &Tiny, said: &[&str]) -> Outcome {
    tiny.drop_failed();
    let before = Before::of(&tiny.world, "tiny");
    let (outcome, peak) = tiny.world.kiln(&["run", "tiny"]).start().wait_and_weigh();
    assert_eq!(outcome.code, 11, "{outcome}");
    outcome.says(&["source item: ", NAME, "\nhint: "]).says(said);
    assert!(peak > 0 && peak < MEMORY_MAX, "{} MiB of memory for {outcome}", peak >> 20);
    assert!(outcome.took < TIME_MAX, "{outcome}");
    let build = before.unchanged(&tiny.world, Kept::Yes).unwrap();
    assert_eq!(tiny.world.postgres.value(&build, "select count(*)::text from item"), "0");
    outcome
}

/// `kiln land` refuses the file as well, soon.
fn land_refuses(tiny: &Tiny, said: &[&str]) {
    let path = tiny.world.folder.path().join(NAME);
    let landing = tiny.world.kiln(&["land", "tiny", &path.to_string_lossy()]).start();
    let (outcome, peak) = landing.wait_and_weigh();
    assert_eq!(outcome.code, 11, "{outcome}");
    outcome.says(&[&format!("kiln: {NAME} is not landed: ")]).says(said);
    assert!(peak < MEMORY_MAX && outcome.took < TIME_MAX, "{} MiB {outcome}", peak >> 20);
}

#[test]
fn a_zip_that_lies_about_a_size_is_refused_both_ways() {
    let tiny = Tiny::new(ZIPPED);
    tiny.takes(NAME, &zips::zip(&[("item.txt", TEXT)]));
    let size = TEXT.len() as u32;
    let whole = zips::zip(&[("item.txt", TEXT)]);
    let less = "item.txt: is damaged: File is larger than its declared uncompressed size";
    refuses(&tiny, &zips::declares(whole.clone(), "item.txt", size - 1), &[less]);
    land_refuses(&tiny, &["member ", less]);
    let more = format!("ended early: expected {} bytes, found {size}", size + 1);
    refuses(&tiny, &zips::declares(whole, "item.txt", size + 1), &[&more]);
    land_refuses(&tiny, &["member item.txt: ", &more]);
    assert_eq!(tiny.value("select count(*)::text from item"), "1");
}

#[test]
fn an_inner_zip_that_lies_about_its_size_is_refused_both_ways() {
    let tiny = Tiny::new(ZIPPED);
    let inner = zips::zip(&[("item.txt", TEXT)]);
    let size = inner.len() as u32;
    let outer = zips::zip(&[("inner.zip", &inner)]);
    let place = format!("{NAME} → inner.zip: ");
    let less = format!("{place}is damaged: File is larger than its declared uncompressed size");
    refuses(&tiny, &zips::declares(outer.clone(), "inner.zip", size - 1), &[&less]);
    let more = format!("{place}ended early: expected {} bytes, found {size}", size + 1);
    refuses(&tiny, &zips::declares(outer, "inner.zip", size + 1), &[&more]);
}

#[test]
fn a_zip_bomb_is_refused_by_its_ratio_and_not_by_a_full_disk() {
    let tiny = Tiny::new(ZIPPED);
    // 2 GiB of zeros in some 2 MB: as a member, and as an inner zip on its way to a file.
    let zeros = vec![0; 16 << 20];
    let bomb = zips::repeated("item.txt", b"", &zeros, 140);
    assert!(bomb.len() < 3 << 20, "{} bytes", bomb.len());
    let told = format!("inflates to more than 200 times the {} bytes that landed", bomb.len());
    refuses(&tiny, &bomb, &["→ item.txt: what it holds ", &told]);
    land_refuses(&tiny, &["member item.txt: ", &told]);
    let bomb = zips::renamed(bomb, "item.txt", "item.zip");
    refuses(&tiny, &bomb, &["→ item.zip: what it holds ", &told]);
    // Less than a gigabyte is not held against what landed, but a member against its own size.
    let bomb = zips::repeated("item.txt", b"", &zeros, 60);
    refuses(&tiny, &bomb, &["→ item.txt: the record at line 1, byte 0 is longer than 8 MiB"]);
    let ratio = "inflates to more than 200 times its size";
    land_refuses(&tiny, &["member item.txt: ", ratio]);
    let bomb = zips::renamed(bomb, "item.txt", "item.zip");
    refuses(&tiny, &bomb, &[&format!("→ item.zip: {ratio}")]);
}

#[test]
fn a_bomb_of_good_rows_is_refused_by_its_ratio() {
    let tiny = Tiny::new(ZIPPED);
    let rows = b"a|AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA|1.00|1\r\n".repeat(40_000);
    let bomb = zips::repeated("item.txt", b"code|name|amount|count\r\n", &rows, 64);
    refuses(&tiny, &bomb, &["→ item.txt: inflates to more than 200 times its size"]);
}

#[test]
fn a_member_larger_than_the_spec_allows_is_refused() {
    let tiny = Tiny::new(&format!("{ZIPPED}\n[budget]\nbytes_max = \"30\"\n"));
    let zip = zips::zip(&[("item.txt", TEXT)]);
    refuses(&tiny, &zip, &["item.txt: is larger than the 30 bytes that the spec allows"]);
}

#[test]
fn a_field_of_nearly_a_gigabyte_is_refused_in_little_memory() {
    let tiny = Tiny::new(ZIPPED);
    let letters = vec![b'x'; 16 << 20];
    let head = b"code|name|amount|count\r\na|A|1.00|1\r\nb|";
    let huge = zips::repeated("item.txt", head, &letters, 60);
    let place = "→ item.txt: the record at line 3, byte 36 is longer than 8 MiB";
    refuses(&tiny, &huge, &[place, "is this the file that the spec describes?"]);
}

#[test]
fn a_field_of_more_than_a_megabyte_is_refused() {
    let tiny = Tiny::new(ZIPPED);
    let mut text = TEXT.to_vec();
    text.extend_from_slice(b"b|");
    // Not so even that the ratio would speak first.
    text.extend((0..2_u32 << 20).map(|n| b'a' + (n.wrapping_mul(2_654_435_761) >> 28) as u8));
    text.extend_from_slice(b"|1.00|1\r\n");
    let zip = zips::zip(&[("item.txt", &text)]);
    refuses(&tiny, &zip, &["→ item.txt: line 3, byte 36: field 2 is longer than 1 MiB"]);
}

#[test]
fn names_that_escape_and_links_are_refused() {
    let tiny = Tiny::new(ZIPPED);
    for name in ["../item.txt", "a/../../item.txt", "/etc/item.txt", "\\item.txt", "C:\\item.txt"] {
        let said = format!("entry {name:?} has a name that escapes the archive, or is a link");
        let hint = "this is not a file that CMS packed; land it anew from CMS";
        refuses(&tiny, &zips::zip(&[(name, TEXT)]), &[&format!("/{NAME}: {said}"), hint]);
    }
    let said = "entry \"item\\u{1b}.txt\" has control characters in its name";
    refuses(&tiny, &zips::zip(&[("item\u{1b}.txt", TEXT)]), &[said]);
    let said = "entry \"item.txt\" has a name that escapes the archive, or is a link";
    refuses(&tiny, &zips::symlink("item.txt", "/etc/passwd"), &[said]);
}

#[test]
fn zips_nested_too_deep_are_refused_and_four_deep_are_not() {
    let tiny = Tiny::new(ZIPPED);
    let nested = |depth: usize| {
        let mut bytes = zips::zip(&[("item.txt", TEXT)]);
        for _ in 1..depth {
            bytes = zips::zip(&[("inner.zip", &bytes)]);
        }
        bytes
    };
    tiny.takes(NAME, &nested(4));
    refuses(&tiny, &nested(5), &["→ inner.zip: more than 4 zips deep"]);
    assert_eq!(tiny.value("select count(*)::text from item"), "1");
}

#[test]
fn an_archive_of_very_many_entries_is_refused() {
    let tiny = Tiny::new(ZIPPED);
    let names: Vec<String> = (0..10_001).map(|n| format!("{n}.txt")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    refuses(&tiny, &zips::zip(&members), &[&format!("/{NAME}: more than 10000 entries")]);
}

#[test]
fn zips_that_share_bytes_and_lie_in_each_other_are_refused_at_once() {
    let tiny = Tiny::new(ZIPPED);
    let names: Vec<String> = (0..200).map(|n| format!("{n:04}.zip")).collect();
    let mut nested = zips::zip(&[("item.txt", TEXT)]);
    for _ in 0..3 {
        nested = zips::shared("0000.zip", &nested, &names);
    }
    // Eight million archives.
    assert!(nested.len() < 50_000, "{} bytes", nested.len());
    let said = "two entries share bytes, or one lies in the directory";
    refuses(&tiny, &nested, &[&format!("/{NAME}: {said}")]);
    land_refuses(&tiny, &[said]);
    // The same one zip further in, where the outermost is honest.
    let inside = zips::zip(&[("inner.zip", &zips::shared("0000.zip", TEXT, &names))]);
    refuses(&tiny, &inside, &[&format!("→ inner.zip: {said}")]);
    land_refuses(&tiny, &["member inner.zip: ", said]);
    let twice = zips::shared("item.txt", TEXT, &["item.txt".into(), "itex.txt".into()]);
    refuses(&tiny, &twice, &[said]);
}

#[test]
fn honest_zips_in_zips_are_bounded_over_the_whole_object() {
    let tiny = Tiny::new(ZIPPED);
    let copies = |bytes: &[u8], count: usize, ending: &str| {
        let names: Vec<String> = (0..count).map(|n| format!("{n}.{ending}")).collect();
        let members: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, bytes)).collect();
        zips::zip(&members)
    };
    // Eleven zips of eleven zips of eleven.
    let mut nested = zips::zip(&[("item.txt", TEXT)]);
    for _ in 0..3 {
        nested = copies(&nested, 11, "zip");
    }
    refuses(&tiny, &nested, &["more than 1000 archives in one object"]);
    land_refuses(&tiny, &["more than 1000 archives in one object"]);
    let many = copies(&copies(b"-", 600, "txt"), 20, "zip");
    refuses(&tiny, &many, &["more than 10000 entries in one object"]);
    land_refuses(&tiny, &["more than 10000 entries in one object"]);
}

#[test]
fn a_directory_that_would_fill_the_memory_is_not_read() {
    let tiny = Tiny::new(ZIPPED);
    let names: Vec<String> = (0..9_000).map(|n| format!("{n:02000}.txt")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let said = "no directory in 16 MiB that were read for it";
    refuses(&tiny, &zips::zip(&members), &[said]);
    land_refuses(&tiny, &[said]);
}
