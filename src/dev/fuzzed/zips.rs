//! Zips: a directory is read within its bounds, what it says of a file is what is read of it, and no
//! name leads out of the folder. Time and memory are the fuzzer's to measure.

use std::fs::File;
use std::io::Read;
use std::sync::LazyLock;

use super::shapes::source;
use super::stands;
use crate::error::from_io;
use crate::fetch::archive::{self, FoundMembers};
use crate::fetch::member::Member;
use crate::fetch::object::Object;
use crate::load::members;
use crate::spec::source::Source;

/// Bytes of a member that are read twice. Larger ones are read in the night alone: a fuzzer has ten
/// seconds for each input.
const READ_MAX: u64 = 4 << 20;

const SPEC: &str = r#"
description = "d"
object = ''
archive = '(?i)\.zip$'
member = '(?i)(?<period>\d*)\.(txt|csv)$'
parts_min = 0
columns = [{ from = "A" }]
[format]
delimiter = ","
"#;

/// Any bytes as a zip that has landed.
pub fn zips(data: &[u8]) {
    stands(is_read(data));
}

fn is_read(data: &[u8]) -> anyhow::Result<()> {
    static SOURCE: LazyLock<Result<Source, String>> = LazyLock::new(|| source(SPEC));
    let source = SOURCE.as_ref().map_err(|said| anyhow::anyhow!("{said}"))?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("landed.zip");
    std::fs::write(&path, data)?;
    let whole = archive::whole_zip(File::open(&path)?, folder.path());
    let objects = [Object::local(&path)?];
    let told = archive::contents(&source.patterns(), &objects);
    let found = members::find(source, &objects, folder.path());
    let left: Vec<_> = std::fs::read_dir(folder.path())?.collect::<Result<_, _>>()?;
    assert_eq!(left.len(), 1, "nothing is written under a name: {left:?}");
    if let Ok(found) = &found {
        let contents = told.as_ref().map(|told| format!("{:?}", told.contents));
        assert_eq!(contents.ok(), Some(format!("{:?}", found.contents)), "{told:?}");
        is_told(found, data.len() as u64);
        for member in &found.members {
            let read = is_as_told(member);
            // What lands is read before it does: of the outermost entries, every byte.
            let outermost = !member.path.contains('→');
            assert!(read || whole.is_err() || !outermost, "{} lands", member.path);
        }
    }
    Ok(())
}

fn is_told(found: &FoundMembers, landed: u64) {
    assert!(found.entries.len() <= 10_000);
    let of_members = found.members.iter().map(Member::size).sum::<u64>();
    assert!(of_members.max(found.spooled) <= (1 << 30).max(landed * 201), "beyond its bounds");
    let names = found.contents.iter().flat_map(|leaf| &leaf.links).map(|link| &link.name);
    for name in names.chain(&found.entries) {
        assert!(!name.contains(char::is_control), "{name:?}");
        assert!(!name.starts_with(['/', '\\']), "{name:?}");
        assert!(name.split(['/', '\\']).all(|part| part != ".."), "{name:?}");
    }
}

/// Reads a member to its end, in large and in small pieces; whether that could be done.
fn is_as_told(member: &Member) -> bool {
    if member.size() > READ_MAX {
        return true;
    }
    let mut last = None;
    for piece in [7, 64 << 10] {
        let mut crc = flate2::Crc::new();
        let read = member.open(
            |_| (),
            |mut input| {
                let mut buffer = vec![0; piece];
                loop {
                    let count = input.read(&mut buffer).map_err(from_io)?;
                    crc.update(&buffer[..count]);
                    assert!(u64::from(crc.amount()) <= member.size() + piece as u64);
                    if count == 0 {
                        return input.finish();
                    }
                }
            },
        );
        if let Ok(proof) = &read {
            assert_eq!(proof.bytes(), member.size());
            assert_eq!(proof.evidence(), "size+crc32");
        }
        let read = read.map(|proof| (proof.sha256().to_owned(), crc.sum())).ok();
        if let Some(last) = &last {
            assert_eq!(read, *last, "{}: in other pieces it is read otherwise", member.path);
        }
        last = Some(read);
    }
    last.flatten().is_some()
}
