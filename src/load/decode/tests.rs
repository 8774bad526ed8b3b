//! Cutting text into records: quotes, line ends, buffers of every size, and property tests.

use proptest::prelude::*;

use super::*;
use crate::spec::source::{Encoding, Header};

fn format(quoting: Quoting) -> Format {
    multiline(quoting, false)
}

fn multiline(quoting: Quoting, multiline: bool) -> Format {
    Format {
        delimiter: b'|',
        quoting,
        multiline,
        trailing: false,
        encoding: Encoding::Utf8,
        header: Header::Rows(0),
        nulls: Vec::new(),
        final_newline_required: true,
        header_only_allowed: false,
        any_order: false,
    }
}

type DecodedRow = (RecordPosition, Vec<Vec<u8>>, Vec<u8>);

/// An input that gives one byte at a time: every split must give the same records.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(self.0.len()).min(buffer.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn rows(text: &[u8], quoting: Quoting, step: usize) -> anyhow::Result<Vec<DecodedRow>> {
    rows_of(text, &format(quoting), step)
}

fn rows_of(text: &[u8], format: &Format, step: usize) -> anyhow::Result<Vec<DecodedRow>> {
    let mut records = Records::new(Drip(text, step), format);
    let mut all = Vec::new();
    while let Some(record) = records.next_record()? {
        let fields = (0..record.len()).map(|i| record.field(i).unwrap().to_vec()).collect();
        all.push((record.position, fields, record.raw.to_vec()));
    }
    Ok(all)
}

fn fields(text: &[u8], quoting: Quoting) -> Vec<Vec<String>> {
    rows(text, quoting, 7)
        .unwrap()
        .into_iter()
        .map(|(_, fields, _)| {
            fields.into_iter().map(|field| String::from_utf8(field).unwrap()).collect()
        })
        .collect()
}

#[test]
fn unquoted_lines_take_quotes_as_they_are() {
    let found = fields(b"a|\"b|c\r\n|\n x |", Quoting::None);
    assert_eq!(found, [vec!["a", "\"b", "c"], vec!["", ""], vec![" x ", ""]]);
}

#[test]
fn quoted_records_may_span_lines_and_positions_stay_true() {
    let text = b"a|\"b\r\n\"\"|c\"\r\nd|e\r\n";
    let found = rows_of(text, &multiline(Quoting::Double, true), 1).unwrap();
    assert_eq!(found[0].1, [b"a".to_vec(), b"b\r\n\"|c".to_vec()]);
    assert_eq!(found[0].2, b"a|\"b\r\n\"\"|c\"");
    assert_eq!(found[1].0, RecordPosition { line: 3, byte: 13 });
    assert_eq!(found[1].2, b"d|e");
}

#[test]
fn an_unclosed_quote_is_an_error_and_not_one_giant_field() {
    let mut text = b"a|b\nc|\"d\n".to_vec();
    text.extend(std::iter::repeat_n(b"e|f\n", RECORD_MAX / 4 + 9).flatten());
    let error = rows_of(&text, &multiline(Quoting::Double, true), CHUNK).unwrap_err();
    assert!(error.to_string().contains("record at line 2, byte 4 is longer than 8 MiB"), "{error}");
}

#[test]
fn a_quote_that_is_open_at_the_end_is_an_error_and_not_a_field() {
    for text in [&b"a|b\nc|\"d\n"[..], b"a|b\nc|\"d", b"a|b\nc|\"", b"a|b\nc|\"d\"\"\n"] {
        let error = rows_of(text, &multiline(Quoting::Double, true), 3).unwrap_err().to_string();
        assert!(
            error.starts_with("the record at line 2, byte 4 has a quote that is not"),
            "{error}"
        );
    }
    for text in [&b"a|b\nc|\"d\""[..], b"a|b\nc|d", b"a|b\nc|d\"", b"a|b\nc|\"\"\n"] {
        assert_eq!(rows_of(text, &multiline(Quoting::Double, true), 3).unwrap().len(), 2);
    }
}

/// What is wrong with each record, and where.
fn flaws(text: &[u8], step: usize) -> Vec<Option<(usize, u64, String)>> {
    let mut records = Records::new(Drip(text, step), &format(Quoting::Double));
    let mut all = Vec::new();
    while let Some(record) = records.next_record().unwrap() {
        let flaw = record.flaw.map(|flaw| (flaw.field, flaw.byte, flaw.reason));
        all.push(flaw);
    }
    all
}

#[test]
fn a_line_end_in_quotes_ends_the_record_and_both_lines_are_named() {
    let text = b"a|b\nc|\"d|e\nf|g\nh|i\"|j\nk|\"l\"\n";
    for step in [1, 7, CHUNK] {
        let found = flaws(text, step);
        assert_eq!(found.len(), 5);
        let (field, byte, reason) = found[1].clone().unwrap();
        assert_eq!((field, byte), (1, 6));
        assert!(
            reason.starts_with(
                "a quote opens in line 2 and is not closed there; the next quote is in line 4"
            ),
            "{reason}"
        );
        let closes = (1, 18, "a quote closes here that line 2 opens".to_owned());
        assert_eq!(found[3], Some(closes));
        assert_eq!([&found[0], &found[2], &found[4]], [&None, &None, &None]);
    }
    // The next quote opens a field of its own: that record is whole.
    let found = flaws(b"a|\"b\n\"c\"|d\ne|\"f", 3);
    assert!(found[0].as_ref().unwrap().2.contains("the next quote is in line 2"));
    assert_eq!(found[1], None);
    assert!(
        found[2].as_ref().unwrap().2.contains("line 3 and is not closed there; no quote follows")
    );
}

#[test]
fn text_behind_a_closing_quote_is_a_flaw_with_its_place() {
    for (text, field, byte) in [
        (&b"\"A\"BC|d\n"[..], 0, 3),
        (b"a|\"Plan \\\"10\\\"\"|x\n", 1, 10),
        (b"a|\"b\" |c\n", 1, 5),
        (b"a|\"b\"\"\"c\n", 1, 7),
    ] {
        let flaw = (field, byte, "text behind a closing quote".to_owned());
        assert_eq!(flaws(text, 2), [Some(flaw)], "{}", text.escape_ascii());
    }
    for whole in [&b"a\"b|5\" wide\n"[..], b"\"\"|\"a\"\"\"\n", b"\"|\"|\"\"\"\"\n"] {
        assert_eq!(flaws(whole, 2), [None], "{}", whole.escape_ascii());
    }
}

#[test]
fn blank_lines_are_records_whatever_the_quoting() {
    for quoting in [Quoting::None, Quoting::Double] {
        let found = rows(b"\na|b\r\n\r\n\nc|d\n\n", quoting, 1).unwrap();
        let lines: Vec<(u64, u64, usize)> = found
            .iter()
            .map(|(at, fields, raw)| (at.line, at.byte, fields.len() + raw.len()))
            .collect();
        assert_eq!(lines, [(1, 0, 1), (2, 1, 5), (3, 6, 1), (4, 8, 1), (5, 9, 5), (6, 13, 1)]);
    }
}

#[test]
fn bytes_of_quoted_fields_are_found_in_the_file() {
    let text = b"x\n\"a\"\"|b\"|c|\"d\"\"e\"|\"f\"\n";
    let mut records = Records::new(&text[..], &format(Quoting::Double));
    records.next_record().unwrap();
    let record = records.next_record().unwrap().unwrap();
    let at = |index, within| text[record.byte_of(index, within) as usize];
    assert_eq!([at(0, 0), at(0, 1), at(0, 2), at(0, 3)], *b"a\"|b");
    assert_eq!([at(1, 0), at(2, 0), at(2, 1), at(2, 2), at(3, 0)], *b"cd\"ef");
}

#[test]
fn a_line_without_end_is_refused_at_the_limit() {
    let endless = std::io::repeat(b'x').take(2 << 30);
    let mut records = Records::new(endless, &format(Quoting::None));
    let error = records.next_record().err().expect("refused");
    assert!(error.to_string().contains("line 1, byte 0 is longer than 8 MiB"), "{error}");
    assert!(records.buffer.len() <= 4 * RECORD_MAX);
}

#[test]
fn a_long_field_is_refused() {
    let mut text = vec![b'x'; FIELD_MAX + 1];
    text.extend_from_slice(b"|y\n");
    let error = rows(&text, Quoting::None, CHUNK).unwrap_err();
    assert!(error.to_string().contains("field 1 is longer than 1 MiB"), "{error}");
}

proptest! {
    #[test]
    fn every_split_gives_the_same_records(
        text in proptest::collection::vec(
            prop_oneof![Just(b'|'), Just(b'"'), Just(b'\n'), Just(b'\r'), Just(b'a'), Just(b' ')],
            0..200),
        step in 1..50_usize,
    ) {
        for (quoting, lines) in
            [(Quoting::None, false), (Quoting::Double, false), (Quoting::Double, true)]
        {
            // An open quote at the end is an error, and the same one.
            let format = multiline(quoting, lines);
            let said = |step| rows_of(&text, &format, step).map_err(|error| error.to_string());
            prop_assert_eq!(said(step), said(4096));
        }
        prop_assert_eq!(flaws(&text, step), flaws(&text, 4096));
    }

    #[test]
    fn raw_bytes_add_up_to_the_file(
        text in proptest::collection::vec(
            prop_oneof![Just(b'|'), Just(b'\n'), Just(b'\r'), Just(b'"'), Just(b'a')], 0..200),
    ) {
        let found = rows(&text, Quoting::None, 3).unwrap();
        // Line ends count alike, whatever quotes mean.
        prop_assert_eq!(found.len(), rows(&text, Quoting::Double, 3).unwrap().len());
        let lines = memchr::memchr_iter(b'\n', &text).count();
        let rest = usize::from(!text.is_empty() && text.last() != Some(&b'\n'));
        prop_assert_eq!(found.len(), lines + rest);
    }
    #[test]
    fn fields_of_whole_records_come_back_as_they_were_written(
        records in proptest::collection::vec(
            proptest::collection::vec("[ab|\"\n ]{0,6}", 1..5), 1..20),
    ) {
        let mut text = Vec::new();
        for record in &records {
            let quoted: Vec<String> =
                record.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
            text.extend_from_slice(quoted.join("|").as_bytes());
            text.push(b'\n');
        }
        let found = rows_of(&text, &multiline(Quoting::Double, true), 5).unwrap();
        let read: Vec<Vec<String>> = found
            .into_iter()
            .map(|(_, fields, _)| {
                fields.into_iter().map(|field| String::from_utf8(field).unwrap()).collect()
            })
            .collect();
        prop_assert_eq!(read, records);
    }
}
