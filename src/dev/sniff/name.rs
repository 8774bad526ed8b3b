//! Names: a heading as a column's name, a file's name as a table's, and what a heading says of its
//! column: a code, a flag, a person.

use std::collections::HashSet;

/// Postgres's limit, less room for `_words` and a number that tells two names apart.
const LENGTH_MAX: usize = 63 - 10;

/// Postgres's reserved words (its manual, appendix C), which no column can be called unquoted.
const RESERVED: &str = " all analyse analyze and any array as asc asymmetric authorization binary both \
case cast check collate collation column concurrently constraint create cross current_catalog \
current_date current_role current_schema current_time current_timestamp current_user default \
deferrable desc distinct do else end except false fetch for foreign freeze from full grant group \
having ilike in initially inner intersect into is isnull join lateral leading left like limit \
localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing \
primary references returning right select session_user similar some symmetric system_user table \
tablesample then to trailing true union unique user using variadic verbose when where window with ";

/// Last words of headings whose digits are a code.
const CODES: [&str; 32] = [
    "id",
    "identifier",
    "code",
    "cd",
    "ndc",
    "npi",
    "rxcui",
    "zip",
    "zipcode",
    "fips",
    "ssa",
    "ssn",
    "ein",
    "phone",
    "fax",
    "telephone",
    "tel",
    "ext",
    "extension",
    "postal",
    "postcode",
    "zip4",
    "ccn",
    "hcpcs",
    "cpt",
    "upin",
    "dea",
    "taxonomy",
    "number",
    "num",
    "nbr",
    "mbi",
];
/// Last words of headings whose 0 and 1 are no and yes.
const FLAGS: [&str; 8] = ["yn", "flag", "flg", "ind", "indicator", "sw", "switch", "bool"];

/// Words of headings that hold a person's identifier.
const IDENTIFIERS: [&str; 9] = [
    "mbi",
    "ssn",
    "hic",
    "hicn",
    "bene_id",
    "bene_sk",
    "bene_crnt_hic_num",
    "member_id",
    "mbi_num",
];
/// Words of headings that hold a person's name, address or days.
const PRIVATE: [&str; 18] = [
    "srnm",
    "surname",
    "last_name",
    "gvn",
    "given_name",
    "first_name",
    "mdl",
    "middle_name",
    "birth",
    "birthdate",
    "dob",
    "death",
    "dod",
    "email",
    "phone",
    "street",
    "addr",
    "age",
];

/// What a heading says of its column where the file speaks of persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Person {
    /// Who it is: hashed.
    Identifier,
    /// What is known of one: dropped.
    Private,
    /// Neither, by its name.
    Neither,
}

/// Lower case words with `_` between them: what Postgres takes without quotes.
fn words(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        match c {
            '%' => name.push_str("_percent"),
            '#' => name.push_str("_number"),
            c if c.is_ascii_alphanumeric() => name.push(c.to_ascii_lowercase()),
            '\'' | '’' => {}
            _ if name.ends_with('_') => {}
            _ => name.push('_'),
        }
    }
    while name.contains("__") {
        name = name.replace("__", "_");
    }
    name.trim_matches('_').to_owned()
}

/// Whether Postgres reserves the word.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&format!(" {name} "))
}

/// A heading as a column's name that none of `taken` has, nor its `_words`.
pub(super) fn column_name(heading: &str, place: usize, taken: &mut HashSet<String>) -> String {
    let mut name = words(heading);
    if name.is_empty() {
        name = format!("column_{}", place + 1);
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    if is_reserved(&name) {
        name.push_str("_value");
    }
    name.truncate(LENGTH_MAX);
    let name = name.trim_end_matches('_').to_owned();
    let free = |name: &String| !taken.contains(name) && !taken.contains(&format!("{name}_words"));
    let mut told = name.clone();
    let mut number = 2;
    while !free(&told) {
        told = format!("{name}_{number}");
        number += 1;
    }
    taken.insert(told.clone());
    taken.insert(format!("{told}_words"));
    told
}

/// The part of a heading that spans rows which no other heading has; else the whole.
pub(super) fn telling_part<'a>(heading: &'a str, all: &[&str]) -> &'a str {
    let has = |other: &str, part: &str| other.split(" | ").any(|theirs| theirs == part);
    let alone = |part: &&str| all.iter().filter(|other| has(other, part)).count() == 1;
    heading.split(" | ").find(alone).unwrap_or(heading)
}

/// `PlanRegionArea` as `Plan_Region_Area`; what is all capitals stays one word.
fn apart(text: &str) -> String {
    let mut name = String::new();
    let mut before = None;
    for c in text.chars() {
        if c.is_ascii_uppercase() && before.is_some_and(|b: char| b.is_ascii_lowercase()) {
            name.push('_');
        }
        before = Some(c);
        name.push(c);
    }
    name
}

/// A file's name as a table's: without its extension, days, years and periods.
pub(crate) fn table_name(file_name: &str) -> String {
    let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
    let whole = words(&apart(stem));
    let is_time = |word: &&str| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let period = matches!(word.as_bytes(), [_, _, _, _, b'q', _]) && digits == 5;
        period || (digits == word.len() && digits >= 4) || *word == "ppuf" || *word == "file"
    };
    let kept: Vec<&str> = whole.split('_').filter(|word| !is_time(word)).collect();
    let mut name = match kept.is_empty() {
        true => format!("table_{whole}"),
        false => kept.join("_"),
    };
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert_str(0, "table_");
    }
    if is_reserved(&name) {
        name.push_str("_table");
    }
    name.truncate(LENGTH_MAX);
    name.trim_end_matches('_').to_owned()
}

fn last_word(heading: &str) -> String {
    let name = words(heading);
    name.rsplit('_').next().unwrap_or_default().to_owned()
}

/// Whether the heading says that digits are a code.
pub(super) fn is_code(heading: &str) -> bool {
    let name = words(heading);
    // A number of something is counted; a phone number is not.
    let counts = name.starts_with("number_of") || name.starts_with("num_of");
    !counts && CODES.contains(&last_word(heading).as_str())
}

/// Whether the heading says that 1 and 0 are yes and no.
pub(super) fn is_flag(heading: &str) -> bool {
    FLAGS.contains(&last_word(heading).as_str())
}

/// What the heading says of a person.
pub(super) fn person(heading: &str) -> Person {
    let name = words(heading);
    let has = |word: &str| format!("_{name}_").contains(&format!("_{word}_"));
    if IDENTIFIERS.iter().any(|word| has(word)) {
        // A day about an identifier is none.
        let day = ["dt", "date", "ts"].contains(&last_word(heading).as_str());
        return if day { Person::Neither } else { Person::Identifier };
    }
    match PRIVATE.iter().any(|word| has(word)) {
        true => Person::Private,
        false => Person::Neither,
    }
}

/// Whether some heading names a person.
pub(super) fn speaks_of_persons<'a>(headings: impl IntoIterator<Item = &'a str>) -> bool {
    headings.into_iter().any(|heading| {
        let strong = ["birth", "birthdate", "dob", "surname", "srnm"];
        let name = format!("_{}_", words(heading));
        person(heading) == Person::Identifier
            || strong.iter().any(|word| name.contains(&format!("_{word}_")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_become_names_that_postgres_takes_without_quotes() {
        let mut taken = HashSet::new();
        for (heading, name) in [
            ("CONTRACT_ID", "contract_id"),
            ("2021 Disaster %", "_2021_disaster_percent"),
            ("C05: Special Needs Plan (SNP) Care", "c05_special_needs_plan_snp_care"),
            ("segment_id", "segment_id"),
            ("segment_id", "segment_id_2"),
            ("order", "order_value"),
            ("", "column_7"),
            ("Plan’s  Name – long", "plans_name_long"),
        ] {
            assert_eq!(column_name(heading, 6, &mut taken), name);
        }
        let long = column_name(&"x".repeat(100), 0, &mut taken);
        assert!(long.len() + "_words".len() <= 63);
        assert!(taken.contains(&format!("{long}_words")));
    }

    #[test]
    fn a_heading_over_rows_is_called_by_what_is_its_own() {
        let all = ["ID", "HD1 | C01: Screening | 2021", "HD1 | C02: Vaccine | 2021"];
        assert_eq!(telling_part(all[2], &all), "C02: Vaccine");
        assert_eq!(telling_part("ID", &all), "ID");
    }

    #[test]
    fn a_table_is_called_as_its_file_without_its_day() {
        for (file, name) in [
            ("plan information  PPUF_2026Q2.txt", "plan_information"),
            ("pbp_b13i_b19b_services.txt", "pbp_b13i_b19b_services"),
            ("Monthly_Report_By_Plan_2026_05.excerpt.csv", "monthly_report_by_plan_05_excerpt"),
            ("beneficiary_2011.csv", "beneficiary"),
            ("PlanRegionArea.txt", "plan_region_area"),
            ("2026.csv", "table_2026"),
        ] {
            assert_eq!(table_name(file), name);
        }
    }

    #[test]
    fn headings_tell_codes_flags_and_persons() {
        assert!(is_code("Plan ID") && is_code("BENE_ZIP_CD") && !is_code("Enrollment"));
        assert!(is_code("Phone Number") && is_code("ext") && !is_code("number of members"));
        assert!(is_flag("PLAN_SUPPRESSED_YN") && !is_flag("tier"));
        assert_eq!(person("BENE_MBI_ID"), Person::Identifier);
        assert_eq!(person("BENE_MBI_EFCTV_DT"), Person::Neither);
        assert_eq!(person("BENE_BIRTH_DT"), Person::Private);
        assert!(speaks_of_persons(["STATE", "BENE_SK"]));
        assert!(!speaks_of_persons(["CONTRACT_NAME", "age_group", "phone"]));
    }
}
