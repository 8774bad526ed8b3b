//! NPPES, the register of all providers, in its own layout of 330 columns: every pharmacy of the
//! network, some providers that are none, and numbers that were deactivated. Lines are put
//! together by hand, as nearly all of their fields are empty.

use std::io::{Result, Write};

use super::Release;
use super::geography::{County, STATES, counties};
use super::names::{person, street};
use super::network::BLOCK;
use super::nights::REGISTER;
use super::object::{Object, Text, Written};
use super::pharmacies::{Pharmacy, npi, pharmacies};
use super::random::Stream;

/// For so many pharmacies there is one provider that is none.
const OTHERS: usize = 8;
/// One number in so many is deactivated.
const DEACTIVATED: u64 = 400;

/// The monthly file.
pub(super) fn object(release: &Release) -> Object {
    // Its own date: the file of a night that left it alone is the one of the night before.
    let (posting, dated) = (release.posting(), release.day_of(&["nppes_pharmacy"]));
    let count = release.pharmacies as usize;
    let rows = (count + count.div_ceil(OTHERS)) as u64;
    let span = format!("20050523-{}", dated.strftime("%Y%m%d"));
    let release = release.clone();
    let data = Text {
        name: format!("npidata_pfile_{span}.csv"),
        source: Some("nppes_pharmacy"),
        rows,
        bytes_about: rows * 1_250,
        body: Box::new(move |out: &mut dyn Write| write(&release, out)),
    };
    let header = Text {
        name: format!("npidata_pfile_{span}_fileheader.csv"),
        source: None,
        rows: 0,
        bytes_about: 10_000,
        body: Box::new(|out: &mut dyn Write| {
            out.write_all(&header_line())?;
            Ok(Written::default())
        }),
    };
    let name = format!("NPPES_Data_Dissemination_{}.zip", dated.strftime("%B_%Y"));
    let readme =
        Text::beside("NPPES_Data_Dissemination_Readme.txt", "Generated. Nobody's data.\r\n");
    Object::zip("druginfo", name, posting, vec![readme, data, header])
}

/// The columns before the taxonomies.
const FIRST: [&str; 47] = [
    "NPI",
    "Entity Type Code",
    "Replacement NPI",
    "Employer Identification Number (EIN)",
    "Provider Organization Name (Legal Business Name)",
    "Provider Last Name (Legal Name)",
    "Provider First Name",
    "Provider Middle Name",
    "Provider Name Prefix Text",
    "Provider Name Suffix Text",
    "Provider Credential Text",
    "Provider Other Organization Name",
    "Provider Other Organization Name Type Code",
    "Provider Other Last Name",
    "Provider Other First Name",
    "Provider Other Middle Name",
    "Provider Other Name Prefix Text",
    "Provider Other Name Suffix Text",
    "Provider Other Credential Text",
    "Provider Other Last Name Type Code",
    "Provider First Line Business Mailing Address",
    "Provider Second Line Business Mailing Address",
    "Provider Business Mailing Address City Name",
    "Provider Business Mailing Address State Name",
    "Provider Business Mailing Address Postal Code",
    "Provider Business Mailing Address Country Code (If outside U.S.)",
    "Provider Business Mailing Address Telephone Number",
    "Provider Business Mailing Address Fax Number",
    "Provider First Line Business Practice Location Address",
    "Provider Second Line Business Practice Location Address",
    "Provider Business Practice Location Address City Name",
    "Provider Business Practice Location Address State Name",
    "Provider Business Practice Location Address Postal Code",
    "Provider Business Practice Location Address Country Code (If outside U.S.)",
    "Provider Business Practice Location Address Telephone Number",
    "Provider Business Practice Location Address Fax Number",
    "Provider Enumeration Date",
    "Last Update Date",
    "NPI Deactivation Reason Code",
    "NPI Deactivation Date",
    "NPI Reactivation Date",
    "Provider Sex Code",
    "Authorized Official Last Name",
    "Authorized Official First Name",
    "Authorized Official Middle Name",
    "Authorized Official Title or Position",
    "Authorized Official Telephone Number",
];

/// The columns between the identifiers and the taxonomy groups.
const LAST: [&str; 7] = [
    "Is Sole Proprietor",
    "Is Organization Subpart",
    "Parent Organization LBN",
    "Parent Organization TIN",
    "Authorized Official Name Prefix Text",
    "Authorized Official Name Suffix Text",
    "Authorized Official Credential Text",
];

/// Where fields stand that are not in [`FIRST`].
const TAXONOMY: usize = FIRST.len();
const IDENTIFIER: usize = TAXONOMY + 15 * 4;
const SUBPART: usize = IDENTIFIER + 50 * 4 + 1;
const COLUMNS: usize = IDENTIFIER + 50 * 4 + LAST.len() + 15 + 1;

fn header_line() -> Vec<u8> {
    let mut names: Vec<String> = FIRST.map(str::to_owned).to_vec();
    for nth in 1..=15 {
        names.push(format!("Healthcare Provider Taxonomy Code_{nth}"));
        names.push(format!("Provider License Number_{nth}"));
        names.push(format!("Provider License Number State Code_{nth}"));
        names.push(format!("Healthcare Provider Primary Taxonomy Switch_{nth}"));
    }
    for nth in 1..=50 {
        names.push(format!("Other Provider Identifier_{nth}"));
        for what in ["Type Code", "State", "Issuer"] {
            names.push(format!("Other Provider Identifier {what}_{nth}"));
        }
    }
    names.extend(LAST.map(str::to_owned));
    names.extend((1..=15).map(|nth| format!("Healthcare Provider Taxonomy Group_{nth}")));
    names.push("Certification Date".to_owned());
    let mut line = format!("\"{}\"", names.join("\",\"")).into_bytes();
    line.push(b'\n');
    line
}

/// A line's fields that are not empty, by ascending place.
type Fields = Vec<(usize, String)>;

fn push_line(block: &mut Vec<u8>, fields: &Fields) {
    let mut fields = fields.iter().peekable();
    for place in 0..COLUMNS {
        block.extend_from_slice(if place == 0 { b"\"" } else { b",\"" });
        if let Some((_, text)) = fields.next_if(|(at, _)| *at == place) {
            block.extend_from_slice(text.as_bytes());
        }
        block.push(b'"');
    }
    block.push(b'\n');
}

fn write(release: &Release, out: &mut dyn Write) -> Result<Written> {
    let (counties, _) = counties(release.counties);
    let turn = release.nights.turn("nppes_pharmacy");
    let mut block = header_line();
    let mut written = Written::default();
    for (nth, pharmacy) in pharmacies(release, &counties).iter().enumerate() {
        let mut stream = Stream::new(release.seed, "nppes", nth as u64);
        let draw = stream.next();
        if nth.is_multiple_of(OTHERS) {
            push_line(&mut block, &other(nth, &mut stream));
            written.rows += 1;
        }
        let county = &counties[usize::from(pharmacy.county)];
        let told =
            Told { turns: REGISTER.generation(draw, turn), since: REGISTER.since(draw, turn) };
        push_line(&mut block, &self::pharmacy(release, pharmacy, county, &told, &mut stream));
        written.rows += 1;
        written.changed += u64::from(REGISTER.changes(draw, turn));
        if block.len() >= BLOCK {
            out.write_all(&block)?;
            block.clear();
        }
    }
    out.write_all(&block)?;
    Ok(written)
}

fn day(stream: &mut Stream, from: u64, to: u64) -> String {
    let year = from + stream.below(to - from + 1);
    format!("{:02}/{:02}/{year}", 1 + stream.below(12), 1 + stream.below(28))
}

/// How often a pharmacy has told a new telephone number, and at which turn the last.
struct Told {
    turns: u64,
    since: u64,
}

/// A chain's store, an independent pharmacy, or one by mail.
fn pharmacy(
    release: &Release,
    pharmacy: &Pharmacy,
    county: &County,
    told: &Told,
    stream: &mut Stream,
) -> Fields {
    const CHAINS: [&str; 6] = [
        "GREENLEAF PHARMACY",
        "TOWN & COUNTRY DRUG",
        "BETTER DAYS PHARMACY",
        "MEDWAY DRUG STORES",
        "SUNSET PHARMACY",
        "CROSSROADS RX",
    ];
    let (surname, given) = person(stream);
    let name = match stream.below(3) {
        0 => format!("{surname} PHARMACY INC"),
        _ => format!("{} {}, LLC", stream.pick(&CHAINS), 100 + stream.below(9_900)),
    };
    let trade = if stream.percent(40) { format!("{surname}'S DRUGS") } else { String::new() };
    let (street, city) = (street(stream), county.name.to_uppercase());
    let state = STATES[county.state].abbreviation;
    let postal = match stream.percent(80) {
        true => format!("{}{:04}", pharmacy.zip(), stream.below(10_000)),
        false => pharmacy.zip().to_owned(),
    };
    let phone = format!("{}{:07}", 201 + stream.below(780), 2_000_000 + stream.below(7_000_000));
    let phone = format!("{}{:04}", &phone[..6], (stream.below(10_000) + told.turns) % 10_000);
    let enumerated = day(stream, 2005, 2024);
    let updated = match told.turns {
        0 => day(stream, 2024, 2025),
        _ => release.day(told.since as u32).strftime("%m/%d/%Y").to_string(),
    };
    let mut fields = vec![
        (0, pharmacy.npi().to_owned()),
        (1, "2".to_owned()),
        (3, "<UNAVAIL>".to_owned()),
        (4, name),
    ];
    if !trade.is_empty() {
        fields.extend([(11, trade), (12, "3".to_owned())]);
    }
    for at in [20, 28] {
        fields.extend([
            (at, street.clone()),
            (at + 2, city.clone()),
            (at + 3, state.to_owned()),
            (at + 4, postal.clone()),
            (at + 5, "US".to_owned()),
            (at + 6, phone.clone()),
        ]);
    }
    fields.extend([(36, enumerated.clone()), (37, updated.clone())]);
    fields.extend([
        (42, surname.to_owned()),
        (43, given.to_owned()),
        (45, "OWNER".to_owned()),
        (46, phone),
    ]);
    fields.extend(licenses(state, stream));
    fields.push((SUBPART, "N".to_owned()));
    fields.push((COLUMNS - 1, updated));
    fields
}

/// What a pharmacy is, with its licence, and its number among pharmacies.
fn licenses(state: &str, stream: &mut Stream) -> Fields {
    const TAXONOMIES: [&str; 6] =
        ["3336C0003X", "3336C0003X", "333600000X", "3336S0011X", "3336L0003X", "3336M0002X"];
    let mut fields = Fields::new();
    // Some are not pharmacies first: a supplier of equipment that is one too.
    let first = if stream.percent(10) { 1 } else { 0 };
    if first == 1 {
        fields.extend([(TAXONOMY, "332B00000X".to_owned()), (TAXONOMY + 3, "N".to_owned())]);
    }
    let at = TAXONOMY + 4 * first;
    fields.push((at, (*stream.pick(&TAXONOMIES)).to_owned()));
    fields.push((at + 1, format!("PHY{:05}", stream.below(100_000))));
    fields.push((at + 2, state.to_owned()));
    fields.push((at + 3, "Y".to_owned()));
    fields.push((IDENTIFIER, format!("{:07}", stream.below(10_000_000))));
    fields.push((IDENTIFIER + 1, "01".to_owned()));
    fields.push((IDENTIFIER + 2, state.to_owned()));
    fields.push((IDENTIFIER + 3, "NCPDP".to_owned()));
    fields
}

/// A physician, or a number that is no longer in use.
fn other(nth: usize, stream: &mut Stream) -> Fields {
    // Pharmacies' numbers begin with 100,000,000 and end before 200,000,000.
    let number = npi(200_000_000 + nth as u64);
    let mut fields = vec![(0, number.to_string())];
    if ((nth / OTHERS) as u64).is_multiple_of(DEACTIVATED / OTHERS as u64) {
        fields.push((39, day(stream, 2015, 2025)));
        return fields;
    }
    let (surname, given) = person(stream);
    fields.extend([
        (1, "1".to_owned()),
        (5, surname.to_owned()),
        (6, given.to_owned()),
        (10, "M.D.".to_owned()),
        (28, street(stream)),
        (36, day(stream, 2005, 2020)),
        (37, day(stream, 2021, 2025)),
        (41, ["F", "M"][stream.below(2) as usize].to_owned()),
        (TAXONOMY, "207Q00000X".to_owned()),
        (TAXONOMY + 3, "Y".to_owned()),
        (IDENTIFIER + 200, "N".to_owned()),
    ]);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_as_wide_as_the_header() {
        let release = Release::small(1);
        let mut text = Vec::new();
        let written = write(&release, &mut text).unwrap();
        let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(&text[..]);
        let all: Vec<csv::StringRecord> = rows.records().map(|row| row.unwrap()).collect();
        assert_eq!(all[0].len(), 330);
        assert_eq!(
            (&all[0][314], &all[0][329]),
            ("Healthcare Provider Taxonomy Group_1", "Certification Date")
        );
        assert_eq!(written.rows, all.len() as u64 - 1);
        assert!(all[1..].iter().any(|row| row[47].starts_with("3336") && &row[308] == "N"));
        assert!(all[1..].iter().any(|row| row[1].is_empty() && !row[39].is_empty()));
    }
}
