//! Quotes and encodings: a quoted CSV object that is the file itself, byte order marks, and bytes
//! that are no characters of the declared encoding.

use super::Kept;
use super::tiny::{CSV, Tiny};

const NAME: &str = "item_20260701.csv";

fn multiline() -> String {
    CSV.replace("\"double\"\n", "\"double\"\nmultiline = true\n")
}

#[test]
fn quoted_records_keep_delimiters_quotes_and_line_ends_where_the_spec_expects_them() {
    let tiny = Tiny::new(&multiline());
    let text =
        b"code,name,amount,count\r\na,\"A, \"\"B\"\"\r\nC\",1.00,1\r\nb,,,\r\nc,\"\",2.50,3\r\n";
    tiny.takes(NAME, text);
    assert_eq!(tiny.value("select name from item where code = 'a'"), "A, \"B\"\r\nC");
    assert_eq!(tiny.value("select count(*)::text from item where name is null"), "2");
    let file = "select concat_ws(' ', lines, header, loaded, rejected, filtered, member = '')
                from kiln.file where source = 'item'";
    assert_eq!(tiny.value(file), "4 1 3 0 0 t");
}

#[test]
fn lines_after_a_quoted_record_are_counted_as_an_editor_counts_them() {
    let tiny = Tiny::new(&multiline());
    let text = b"code,name,amount,count\na,\"one\ntwo\nthree\",1.00,1\nb,B,much,1\n";
    let said = ["item_20260701.csv line 5, byte ", ", column amount: is not a decimal number"];
    tiny.refuses(NAME, text, 11, &said);
}

#[test]
fn a_stray_quote_costs_its_own_lines_and_no_row_between_them() {
    let spec = format!("{CSV}\n[budget]\nrejects = 2\n");
    let tiny = Tiny::new(&spec);
    let mut text = String::from("code,name,amount,count\n");
    for row in 0..60 {
        let (open, close) =
            (["", "\""][usize::from(row == 10)], ["", "\""][usize::from(row == 40)]);
        text.push_str(&format!("c{row:02},{open}Plan {row}{close},1.00,{row}\n"));
    }
    tiny.takes(NAME, text.as_bytes());
    assert_eq!(tiny.value("select count(*)::text from item"), "58");
    let rejects =
        "select string_agg(concat_ws(' ', line, column_name, reason), E'\\n' order by line)
                   from kiln.reject";
    assert_eq!(
        tiny.value(rejects),
        "12 name a quote opens in line 12 and is not closed there; the next quote is in line 42 \
         (where fields hold line ends: multiline = true)\n\
         42 name a quote closes here that line 12 opens"
    );
    // Beyond the budget the night says both lines, and live stays.
    std::fs::write(tiny.world.root.join("sources/tiny/item.toml"), CSV).unwrap();
    let said = [
        "line 12, byte 207, column name: a quote opens in line 12",
        "line 42, byte ",
        ": a quote closes here that line 12 opens",
    ];
    tiny.refuses(NAME, text.as_bytes(), 11, &said);
}

#[test]
fn text_behind_a_closing_quote_is_rejected_with_its_place_and_never_joined() {
    let tiny = Tiny::new(CSV);
    for (name, byte) in [("\"A\"BC", 28), ("\"Plan \\\"10\\\"\"", 33), ("\"A\" ", 28)] {
        let text = format!("code,name,amount,count\na,{name},1.00,1\nb,B,1.00,1\n");
        let place = format!("line 2, byte {byte}, column name: text behind a closing quote");
        tiny.refuses(NAME, text.as_bytes(), 11, &[&place]);
    }
}

#[test]
fn a_quote_in_the_header_that_is_not_closed_is_named_as_such() {
    let tiny = Tiny::new(CSV);
    let text = b"code,\"name,amount,count\na,A,1.00,1\n";
    let said = ["the header, line 1, byte 5: a quote opens in line 1 and is not closed there"];
    tiny.refuses(NAME, text, 11, &said);
}

#[test]
fn an_unclosed_quote_is_an_error_and_not_a_giant_field() {
    let tiny = Tiny::new(&multiline());
    // Short: the file ends within the quotes.
    let text = b"code,name,amount,count\na,A,1.00,1\nb,\"B,1.00,1\nc,C,1.00,1\n";
    let said = "the record at line 3, byte 34 has a quote that is not closed before the file ends";
    tiny.refuses(NAME, text, 11, &["source item: ", said, "quoting = \"none\""]);
    // The last field of the last row: as many fields as there should be.
    let text = b"code,name,amount,count\na,A,1.00,1\nb,B,1.00,\"1\n";
    tiny.refuses(NAME, text, 11, &["source item: ", said]);
    // Long: the rest of the file would be one field.
    let mut text = b"code,name,amount,count\na,A,1.00,1\nb,\"B,1.00,1\n".to_vec();
    text.extend(b"c,C,1.00,1\n".repeat(1 << 20));
    let said = [
        "the record at line 3, byte 34 is longer than 8 MiB: is there a quote that is never closed?",
        "look at that line; if quotes mean nothing in this file: quoting = \"none\"",
    ];
    tiny.refuses(NAME, &text, 11, &said);
}

#[test]
fn a_delimiter_at_the_end_of_rows_is_named_and_can_be_ignored() {
    let tiny = Tiny::new(CSV);
    let rows = b"code,name,amount,count\na,A,1.00,1,\nb,B,1.00,2\nc,C,1.00,3,\n";
    let said = "line 2, byte 23: long row: expected 4 fields, found 5: it ends in a delimiter \
                (trailing = \"ignore\")";
    tiny.refuses(NAME, rows, 11, &[said]);
    let header = b"code,name,amount,count,\na,A,1.00,1\nb,B,1.00,2,\n";
    let said = "the header ends in a delimiter (trailing = \"ignore\")";
    tiny.refuses(NAME, header, 11, &[said]);
    let ignoring = CSV.replace("\"double\"\n", "\"double\"\ntrailing = \"ignore\"\n");
    std::fs::write(tiny.world.root.join("sources/tiny/item.toml"), ignoring).unwrap();
    tiny.takes(NAME, rows);
    assert_eq!(tiny.value("select sum(count)::text from item"), "6");
    tiny.takes(NAME, header);
    assert_eq!(tiny.value("select sum(count)::text from item"), "3");
    let two = b"code,name,amount,count\na,A,1.00,1,,\n";
    tiny.refuses(NAME, two, 11, &["long row: expected 4 fields, found 6"]);
}

#[test]
fn what_looks_like_the_header_is_named_by_its_bytes() {
    let tiny = Tiny::new(CSV);
    let rows = "a,A,1.00,1\n";
    let of = |header: &str| format!("{header}\n{rows}").into_bytes();
    let utf16: Vec<u8> = std::iter::once(0xfeff_u16)
        .chain("code,name\n".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let returns =
        of("code,name,amount,count").iter().map(|b| if *b == b'\n' { b'\r' } else { *b }).collect();
    for (text, said) in [
        (
            of("code,name\u{a0}x,amount,count"),
            "renamed name → name\\xc2\\xa0x (c2 a0 is a no-break space)",
        ),
        (
            of("\u{feff}\u{feff}code,name,amount,count"),
            "renamed code → \\xef\\xbb\\xbfcode (ef bb bf is a byte order mark)",
        ),
        (
            of("code,na\u{200b}me,amount,count"),
            "renamed name → na\\xe2\\x80\\x8bme (e2 80 8b is a zero-width space)",
        ),
        (utf16, "is UTF-16 (it begins with the bytes ff fe 63 00)"),
        (returns, "holds lone carriage returns (0d, 1 of them): are they its line ends?"),
        (b"\x1f\x8b\x08\0\0\0\0\0".to_vec(), "is gzip: gunzip it first"),
    ] {
        tiny.world.put("tiny", NAME, &text);
        tiny.refuses_landed(11, Kept::Yes, &[said]);
    }
    let ascii = CSV.replace("utf-8", "ascii");
    std::fs::write(tiny.world.root.join("sources/tiny/item.toml"), ascii).unwrap();
    let said = "begins with UTF-8's byte order mark (ef bb bf), and its spec says another encoding";
    tiny.refuses(NAME, &of("\u{feff}code,name,amount,count"), 11, &[said, "encoding = \"utf-8\""]);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_header() {
    let tiny = Tiny::new(CSV);
    tiny.takes(NAME, "\u{feff}code,name,amount,count\né,Ω,1.00,1\n".as_bytes());
    assert_eq!(tiny.value("select code || name from item"), "éΩ");
    // Positions count it all the same: they are the file's.
    let text = "\u{feff}code,name,amount,count\na,A,x,1\n";
    tiny.refuses(NAME, text.as_bytes(), 11, &["line 2, byte 30, column amount"]);
    // In a quoted header too.
    tiny.takes(NAME, "\u{feff}\"code\",name,amount,count\na,A,1.00,1\n".as_bytes());
}

#[test]
fn bytes_that_are_no_characters_are_rejected_with_their_place() {
    let tiny = Tiny::new(CSV);
    for (encoding, bytes, reason, byte) in [
        ("utf-8", &b"a,Caf\xe9,1.00,1"[..], "holds a byte that is not UTF-8", 28),
        ("ascii", &b"a,Caf\xc3\xa9,1.00,1"[..], "holds a byte that is not ASCII", 28),
        ("windows-1252", &b"a,Caf\x81,1.00,1"[..], "holds a byte that is no windows-1252", 28),
        ("utf-8", &b"a,A\0B,1.00,1"[..], "holds a NUL character", 25),
    ] {
        let spec = tiny.world.root.join("sources/tiny/item.toml");
        std::fs::write(&spec, CSV.replace("utf-8", encoding)).unwrap();
        let text = [b"code,name,amount,count\n", bytes, b"\nb,B,1.00,1\n"].concat();
        let place = format!("{NAME} line 2, byte {byte}, column name: {reason}");
        tiny.refuses(NAME, &text, 11, &[&place]);
        let failed = super::databases(&tiny.world).pop().unwrap();
        let kept = "select encode(bytes, 'escape') from kiln.reject where source = 'item'";
        let kept = tiny.world.postgres.value(&failed, kept);
        assert!(kept.starts_with("a,"), "{kept}");
    }
}

#[test]
fn the_same_bytes_are_good_in_their_own_encoding() {
    let tiny = Tiny::new(&CSV.replace("utf-8", "windows-1252"));
    tiny.takes(NAME, b"code,name,amount,count\na,Caf\xe9 \x93x\x94,1.00,1\n");
    assert_eq!(tiny.value("select name from item"), "Café “x”");
}

#[test]
fn a_zip_under_the_name_of_a_text_is_not_taken_for_text() {
    let tiny = Tiny::new(CSV);
    let zip = super::zips::zip(&[("item.csv", b"code,name,amount,count\n")]);
    tiny.world.put("tiny", NAME, &zip);
    let said = ["is a zip or a spreadsheet, not text (it begins with the bytes 50 4b 03 04)"];
    let outcome = tiny.refuses_landed(11, Kept::Yes, &said);
    assert!(!outcome.stderr.replace('\n', "").contains(char::is_control), "{outcome}");
}

#[test]
fn a_blank_line_in_a_quoted_file_is_rejected_as_in_any_other() {
    let tiny = Tiny::new(&format!("{CSV}\n[budget]\nrejects = 1\n"));
    tiny.takes(NAME, b"code,name,amount,count\na,A,1.00,1\n\nb,B,1.00,1\n");
    let reject = "select concat_ws(' ', line, byte, reason, length(bytes)) from kiln.reject";
    assert_eq!(tiny.value(reject), "3 34 blank line 0");
    let file = "select concat_ws(' ', lines, header, loaded, rejected, filtered)
                from kiln.file where source = 'item'";
    assert_eq!(tiny.value(file), "4 1 2 1 0");
}
