//! Records and quoting: whatever is cut, every byte is a record's or a line end's, places are those of
//! the file, and pieces make no difference; the rows of it are loaded, rejected or filtered.

use std::io::Read;

use super::choices::Choices;
use super::cut::{AllCut, Cut};
use super::shapes::FuzzedSpec;
use super::{loaded, stands};
use crate::load::decode::{BOM, Records};
use crate::spec::source::{Format, Quoting};

/// Any bytes as a file of records.
pub fn records(data: &[u8]) {
    let Some((choices, text)) = Choices::of(data) else { return };
    let all = FuzzedSpec::all();
    assert!(all.is_ok(), "{all:?}");
    let Ok(all) = all else { return };
    let shape = &all[choices.below(all.len())];
    let format = choices.format();
    let whole = cut(text, &format);
    assert_eq!(whole, cut(choices.pieces(text), &format), "in pieces it is cut otherwise");
    every_byte_is_accounted_for(text, &whole);
    places_are_those_of_the_file(text, &format, &whole);
    agrees_with_csv(text, &format, &whole);
    stands(loaded::loads(shape, choices, &format, text, &whole));
}

/// Cuts a text.
pub(super) fn cut(input: impl Read, format: &Format) -> AllCut {
    let mut records = Records::new(input, format);
    let mut all = AllCut { records: Vec::new(), error: None, ended_in_newline: true };
    loop {
        match records.next_record() {
            Ok(Some(record)) => {
                let fields = (0..record.len()).map(|index| record.field(index).unwrap_or_default());
                let fields: Vec<Vec<u8>> = fields.map(<[u8]>::to_vec).collect();
                let places = fields.iter().enumerate().map(|(index, field)| {
                    // Behind its last byte, too: a field without any has a place as well.
                    (0..=field.len() as u64).map(|at| record.byte_of(index, at)).collect()
                });
                let places = places.collect();
                let (position, raw) = (record.position, record.raw.to_vec());
                all.records.push(Cut { position, raw, fields, places, flaw: record.flaw });
            }
            Ok(None) => break,
            Err(error) => {
                all.error = Some(format!("{error:#}"));
                break;
            }
        }
    }
    all.ended_in_newline = records.ended_in_newline();
    all
}

fn every_byte_is_accounted_for(text: &[u8], all: &AllCut) {
    let mut at = 0;
    for record in &all.records {
        assert_eq!(record.position.byte, at as u64, "a record begins where the last one ended");
        let lines = text[..at].iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(record.position.line, 1 + lines);
        assert!(text[at..].starts_with(&record.raw), "a record is as it stands in the file");
        at += record.raw.len();
        let rest = &text[at..];
        let end = match rest {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] | [b'\r'] => 1,
            rest => {
                assert!(rest.is_empty(), "a record ends in a line end, or with the file");
                0
            }
        };
        at += end;
    }
    if all.error.is_none() {
        assert_eq!(at, text.len(), "every byte is a record's");
        let ended = all.records.is_empty() || text.last() == Some(&b'\n');
        assert_eq!(all.ended_in_newline, ended);
    }
}

fn places_are_those_of_the_file(text: &[u8], format: &Format, all: &AllCut) {
    for record in &all.records {
        let (begin, end) = (record.position.byte, record.position.byte + record.raw.len() as u64);
        let mut before = begin;
        for (field, places) in record.fields.iter().zip(&record.places) {
            // Where quotes are not what they should be, fields are not to be believed.
            let sound = record.flaw.is_none();
            for place in places {
                let from = if sound { before } else { begin };
                assert!((from..=end).contains(place), "{place} is not in {from}..={end}");
                before = *place;
            }
            for (byte, place) in field.iter().zip(places).filter(|_| sound) {
                assert_eq!(text.get(*place as usize), Some(byte), "a byte's place");
            }
        }
        if let Some(flaw) = &record.flaw {
            assert_eq!(format.quoting, Quoting::Double, "{flaw:?}");
            assert!((begin..end).contains(&flaw.byte), "{flaw:?} in {begin}..{end}");
            assert!(flaw.field < record.fields.len(), "{flaw:?}");
        }
        if format.quoting == Quoting::None {
            assert_eq!(record.fields.join(&format.delimiter), record.raw);
        }
    }
}

/// The csv crate reads what is well-formed as kiln does.
fn agrees_with_csv(text: &[u8], format: &Format, all: &AllCut) {
    let flawed = all.error.is_some() || all.records.iter().any(|record| record.flaw.is_some());
    // It ends records at lone carriage returns, too, and skips a byte order mark by itself.
    if flawed || memchr::memchr(b'\r', text).is_some() || text.starts_with(BOM) {
        return;
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(format.delimiter)
        .quoting(format.quoting == Quoting::Double)
        .from_reader(text);
    let theirs = reader.byte_records().map(|record| {
        let fields = record.map(|record| record.iter().map(<[u8]>::to_vec).collect::<Vec<_>>());
        fields.map_err(|error| error.to_string())
    });
    // It skips blank lines.
    let ours = all.records.iter().filter(|record| !record.raw.is_empty());
    let ours = ours.map(|record| Ok(record.fields.clone()));
    let (ours, theirs): (Vec<_>, Vec<_>) = (ours.collect(), theirs.collect());
    assert_eq!(ours, theirs, "the csv crate reads other fields");
}
