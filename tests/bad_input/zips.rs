//! Zips made by hand: honest ones, and ones whose bytes are then changed so that they lie.

use std::io::{Cursor, Read as _, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Central directory header: its signature and where its fields lie.
const CENTRAL: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";

/// How members lie in a zip.
pub fn deflated() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)
}

/// A zip of these members.
pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, deflated()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A zip of one member that says the same over and over; made without holding it.
pub fn repeated(name: &str, head: &[u8], piece: &[u8], times: u64) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = deflated().compression_level(Some(9)).large_file(true);
    zip.start_file(name, options).unwrap();
    zip.write_all(head).unwrap();
    for _ in 0..times {
        zip.write_all(piece).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A zip whose member is a symbolic link.
pub fn symlink(name: &str, target: &str) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink(name, target, deflated()).unwrap();
    zip.finish().unwrap().into_inner()
}

/// Sets the flag that says a member is encrypted, in both its headers.
pub fn encrypted(mut zip: Vec<u8>, name: &str) -> Vec<u8> {
    let central = header(&zip, CENTRAL, 46, name);
    let local = header(&zip, LOCAL, 30, name);
    zip[central + 8] |= 1;
    zip[local + 6] |= 1;
    zip
}

/// Another CRC in the central directory.
pub fn wrong_crc(mut zip: Vec<u8>, name: &str) -> Vec<u8> {
    let central = header(&zip, CENTRAL, 46, name);
    zip[central + 16] ^= 0xff;
    zip
}

/// Another uncompressed size in the central directory.
pub fn declares(mut zip: Vec<u8>, name: &str, size: u32) -> Vec<u8> {
    let central = header(&zip, CENTRAL, 46, name);
    zip[central + 24..central + 28].copy_from_slice(&size.to_le_bytes());
    zip
}

/// A zip of one member whose directory names it once for each of these names, which are as long as
/// its own: all of them share its bytes.
pub fn shared(name: &str, bytes: &[u8], names: &[String]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    zip.start_file(name, stored).unwrap();
    zip.write_all(bytes).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    // What the member holds may have such headers, too: its own is behind it.
    let start = zip.len() - 22 - (46 + name.len());
    assert!(zip[start..].starts_with(CENTRAL));
    let mut all = zip[..start].to_vec();
    for name in names {
        let mut header = zip[start..start + 46 + name.len()].to_vec();
        header[46..].copy_from_slice(name.as_bytes());
        all.extend_from_slice(&header);
    }
    let mut end = zip[zip.len() - 22..].to_vec();
    let count = u16::try_from(names.len()).unwrap().to_le_bytes();
    end[8..10].copy_from_slice(&count);
    end[10..12].copy_from_slice(&count);
    let size = u32::try_from(all.len() - start).unwrap().to_le_bytes();
    end[12..16].copy_from_slice(&size);
    [all, end].concat()
}

/// Another name of the same length, in both headers.
pub fn renamed(mut zip: Vec<u8>, name: &str, other: &str) -> Vec<u8> {
    assert_eq!(name.len(), other.len());
    for (signature, length) in [(CENTRAL, 46), (LOCAL, 30)] {
        let at = header(&zip, signature, length, name) + length;
        zip[at..at + other.len()].copy_from_slice(other.as_bytes());
    }
    zip
}

/// Where the header of this kind stands that has this name behind its fixed part.
fn header(zip: &[u8], signature: &[u8], length: usize, name: &str) -> usize {
    zip.windows(4)
        .enumerate()
        .filter(|(_, window)| *window == signature)
        .map(|(at, _)| at)
        .find(|at| zip[at + length..].starts_with(name.as_bytes()))
        .unwrap()
}

/// What becomes of an entry's bytes, by its name; `None` drops it.
pub type Change<'a> = &'a dyn Fn(&str, &[u8]) -> Option<Vec<u8>>;

/// A release with some of its texts changed: `change` gets every text's name and bytes, and
/// gives the new bytes where it changes them.
pub fn map_texts(zip: &[u8], change: Change<'_>) -> Vec<u8> {
    map_members(zip, &|name, bytes| match name.ends_with(".zip") {
        true => Some(map_texts(bytes, change)),
        false => change(name, bytes),
    })
}

/// The same for the members of one zip, zips among them.
pub fn map_members(zip: &[u8], change: Change<'_>) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        out.start_file(name.as_str(), deflated()).unwrap();
        out.write_all(&change(&name, &bytes).unwrap_or(bytes)).unwrap();
    }
    out.finish().unwrap().into_inner()
}

/// One member's bytes.
pub fn member(zip: &[u8], name: &str) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut bytes = Vec::new();
    archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// The zip with one more member.
pub fn with_member(zip: &[u8], name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut out = ZipWriter::new_append(Cursor::new(zip.to_vec())).unwrap();
    out.start_file(name, deflated()).unwrap();
    out.write_all(bytes).unwrap();
    out.finish().unwrap().into_inner()
}
