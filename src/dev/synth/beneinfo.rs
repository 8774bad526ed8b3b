//! Files about people who are nobody: enrolment in plans, subsidy and Medicare numbers in the
//! layout of CMS's data repository, and the yearly beneficiary files (RIF) of 210 columns. Numbers
//! are of the form that CMS gives to synthetic people: a Medicare number has an S in second place.

use std::io::{Result, Write};

use super::Release;
use super::geography::STATES;
use super::market::{Area, Market};
use super::names::{person, street};
use super::network::BLOCK;
use super::nights::{REGISTER, Turn};
use super::object::{Object, Text, Written};
use super::random::Stream;
use super::table::{Style, Table};

const DATABASE: &str = "beneinfo";

/// People at scale 1; CMS posts some fifteen thousand synthetic ones.
pub(super) const PEOPLE: f64 = 1_000_000.0;

/// Everybody, and the plans that they may be in.
struct People {
    seed: u64,
    turn: Turn,
    count: u64,
    market: Market,
}

/// The four sources: the beneficiary files of two years.
pub(super) fn objects(release: &Release, people: u64) -> Vec<Object> {
    let posted = release.posted;
    let day = posted.strftime("%Y%m%d").to_string();
    let text = |name: String, source, rows, a_row, body: Body| {
        let release = release.clone();
        let body = move |out: &mut dyn Write| body(&People::new(&release, people), out);
        let bytes_about = rows * a_row;
        Text { name, source: Some(source), rows, bytes_about, body: Box::new(body) }
    };
    let mut texts = vec![
        text(
            format!("SYNTHETIC_BENE_MAPD_ENRLMT_{day}.csv"),
            "bene_enrollment",
            people + people.div_ceil(4) + people.div_ceil(50),
            190,
            Box::new(enrollment),
        ),
        text(
            format!("SYNTHETIC_BENE_LIS_{day}.csv"),
            "bene_lis",
            people.div_ceil(3),
            150,
            Box::new(subsidy),
        ),
        text(
            format!("SYNTHETIC_BENE_MBI_ID_{day}.csv"),
            "bene_mbi",
            people + people.div_ceil(3),
            140,
            Box::new(medicare_numbers),
        ),
    ];
    for year in [release.contract_year - 2, release.contract_year - 1] {
        let body = move |people: &People, out: &mut dyn Write| beneficiaries(people, year, out);
        let name = format!("beneficiary_{year}_{day}.csv");
        texts.push(text(name, "beneficiary", people, 900, Box::new(body)));
    }
    texts.into_iter().map(|text| Object::bare(DATABASE, posted, text)).collect()
}

type Body = Box<dyn Fn(&People, &mut dyn Write) -> Result<Written> + Send>;

impl People {
    fn new(release: &Release, count: u64) -> People {
        let turn = release.nights.turn("bene_enrollment");
        People { seed: release.seed, turn, count, market: Market::new(release) }
    }

    /// The number by which the repository and the yearly files know a person.
    fn key(&self, nth: u64) -> String {
        // A step coprime to the prime modulus visits every number once.
        format!("-{}", 1_000_000 + nth * 7_919 % 999_999_937)
    }

    fn stream(&self, label: &str, nth: u64) -> Stream {
        Stream::new(self.seed, label, nth)
    }

    /// The plan of a person: contract and number, of those sold in a county.
    fn plan(&self, stream: &mut Stream) -> (&str, &str) {
        let plan = stream.pick(&self.market.plans);
        (&plan.contract, &plan.plan)
    }
}

/// A Medicare number: positions are digit, letter, either, digit, letter, either, digit, letter,
/// letter, digit, digit (CMS, MBI format), without letters that look like digits.
fn medicare_number(nth: u64) -> String {
    const LETTERS: &[u8; 20] = b"ACDEFGHJKMNPQRTUVWXY";
    const EITHER: &[u8; 30] = b"0123456789ACDEFGHJKMNPQRTUVWXY";
    let mut rest = nth;
    let mut take = |radix: u64| {
        let digit = rest % radix;
        rest /= radix;
        digit as usize
    };
    let digits = take(100);
    let (ninth, eighth, seventh) = (take(20), take(20), take(10));
    let (sixth, fifth, fourth, third) = (take(30), take(20), take(10), take(30));
    format!(
        "1S{}{fourth}{}{}{seventh}{}{}{digits:02}",
        char::from(EITHER[third]),
        char::from(LETTERS[fifth]),
        char::from(EITHER[sixth]),
        char::from(LETTERS[eighth]),
        char::from(LETTERS[ninth]),
    )
}

fn day(stream: &mut Stream, from: u64, to: u64) -> String {
    let year = from + stream.below(to - from);
    format!("{year}-{:02}-{:02}", 1 + stream.below(12), 1 + stream.below(28))
}

const FOREVER: &str = "9999-12-31";

fn midnight(day: &str) -> String {
    format!("{day}T00:00:00.000000")
}

fn enrollment(people: &People, out: &mut dyn Write) -> Result<Written> {
    let header = [
        "BENE_SK",
        "CNTRCT_PBP_SK",
        "IDR_LTST_TRANS_FLG",
        "BENE_CNTRCT_NUM",
        "BENE_PBP_NUM",
        "BENE_CVRG_TYPE_CD",
        "BENE_ENRLMT_PGM_TYPE_CD",
        "BENE_ENRLMT_EMPLR_SBSDY_SW",
        "BENE_ENRLMT_BGN_DT",
        "BENE_ENRLMT_END_DT",
        "IDR_TRANS_EFCTV_TS",
        "IDR_INSRT_TS",
        "IDR_UPDT_TS",
        "IDR_TRANS_OBSLT_TS",
    ];
    let mut table = Table::new(out, Style::PLAIN, &header)?;
    for nth in 0..people.count {
        let mut stream = people.stream("enrolment", nth);
        let draw = stream.next();
        let turns = REGISTER.generation(draw, people.turn);
        let key = people.key(nth);
        let begin = day(&mut stream, 2_021, 2_026);
        let before = day(&mut stream, 2_015, 2_020);
        let mut push = |latest: &str, begin: &str, end: &str, moves: u64| {
            // Who has moved has another plan.
            let mut plan = people.stream("enrolment plans", nth * 1_000 + moves);
            let (contract, number) = people.plan(&mut plan);
            let programme = if contract.starts_with('S') { "2" } else { "3" };
            let coverage = if programme == "2" { "11" } else { "3" };
            let employer = *plan.pick(&["Y", "1", "~"]);
            let sk = format!("-{}", 100_000_000_000 + nth * 10 + moves % 10);
            let (at, obsolete) = (midnight(begin), midnight(FOREVER));
            let row = [
                &*key, &sk, latest, contract, number, coverage, programme, employer, begin, end,
                &at, &at, &at, &obsolete,
            ];
            table.row(&row)
        };
        push("Y", &begin, FOREVER, turns)?;
        if nth.is_multiple_of(4) {
            push("Y", &before, "2020-12-31", 500)?;
        }
        // What the repository has since corrected stays in it.
        if nth.is_multiple_of(50) {
            push("N", &begin, FOREVER, 600)?;
        }
        table.changed(REGISTER.changes(draw, people.turn));
    }
    table.finish()
}

fn subsidy(people: &People, out: &mut dyn Write) -> Result<Written> {
    let header = [
        "BENE_SK",
        "IDR_LTST_TRANS_FLG",
        "BENE_LIS_EFCTV_CD",
        "BENE_LIS_COPMT_LVL_CD",
        "BENE_LIS_PTD_PRM_PCT",
        "BENE_RNG_BGN_DT",
        "BENE_RNG_END_DT",
        "IDR_TRANS_EFCTV_TS",
        "IDR_INSRT_TS",
        "IDR_UPDT_TS",
        "IDR_TRANS_OBSLT_TS",
    ];
    let mut table = Table::new(out, Style::PLAIN, &header)?;
    for nth in (0..people.count).step_by(3) {
        let mut stream = people.stream("subsidy", nth);
        let begin = day(&mut stream, 2_017, 2_026);
        let (at, obsolete) = (midnight(&begin), midnight(FOREVER));
        table.row(&[
            &*people.key(nth),
            "Y",
            *stream.pick(&["Y", "Y", "N", "U"]),
            *stream.pick(&["1", "4"]),
            *stream.pick(&["025", "050", "075", "100"]),
            &begin,
            FOREVER,
            &at,
            &at,
            &at,
            &obsolete,
        ])?;
    }
    table.finish()
}

fn medicare_numbers(people: &People, out: &mut dyn Write) -> Result<Written> {
    let header = [
        "BENE_MBI_ID",
        "BENE_MBI_EFCTV_DT",
        "IDR_LTST_TRANS_FLG",
        "BENE_MBI_OBSLT_DT",
        "IDR_TRANS_EFCTV_TS",
        "IDR_INSRT_TS",
        "IDR_UPDT_TS",
        "IDR_TRANS_OBSLT_TS",
    ];
    let mut table = Table::new(out, Style::PLAIN, &header)?;
    for nth in 0..people.count {
        let mut stream = people.stream("medicare numbers", nth);
        let begin = day(&mut stream, 2_020, 2_024);
        let micros = stream.below(1_000_000);
        // Here the repository writes a blank between day and time.
        let at = format!("{begin} 01:35:12.{micros:06}");
        let obsolete = midnight(FOREVER);
        let now = medicare_number(nth);
        table.row(&[&*now, &begin, "Y", "", &at, &at, &at, &obsolete])?;
        if nth.is_multiple_of(3) {
            let before = medicare_number(people.count + nth);
            table.row(&[&*before, "2018-04-01", "Y", &begin, &at, &at, &at, &obsolete])?;
        }
    }
    table.finish()
}

/// The months as the yearly files' columns name them.
const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEPT", "OCT", "NOV", "DEC"];

/// Columns of the yearly file; `@` stands for the twelve months, `#` for 1 to 12.
const YEARLY: &str = "DML_IND|BENE_ID|STATE_CODE|BENE_COUNTY_CD|BENE_ZIP_CD|BENE_BIRTH_DT|\
    BENE_SEX_IDENT_CD|BENE_RACE_CD|BENE_ENTLMT_RSN_ORIG|BENE_ENTLMT_RSN_CURR|BENE_ESRD_IND|\
    BENE_MDCR_STATUS_CD|BENE_PTA_TRMNTN_CD|BENE_PTB_TRMNTN_CD|BENE_CRNT_HIC_NUM|BENE_SRNM_NAME|\
    BENE_GVN_NAME|BENE_MDL_NAME|MBI_NUM|DEATH_DT|RFRNC_YR|A_MO_CNT|B_MO_CNT|BUYIN_MO_CNT|\
    HMO_MO_CNT|RDS_MO_CNT|ENRL_SRC|SAMPLE_GROUP|EFIVEPCT|CRNT_BIC|AGE|COVSTART|DUAL_MO_CNT|\
    FIPS_STATE_CNTY_@_CD|V_DOD_SW|RTI_RACE_CD|MDCR_STUS_@_CD|PLAN_CVRG_MO_CNT|\
    MDCR_ENTLMT_BUYIN_#_IND|HMO_#_IND|PTC_CNTRCT_@_ID|PTC_PBP_@_ID|PTC_PLAN_TYPE_@_CD|\
    PTD_CNTRCT_@_ID|PTD_PBP_@_ID|PTD_SGMT_@_ID|RDS_@_IND|META_DUAL_ELGBL_STUS_@_CD|\
    CST_SHR_GRP_@_CD|DRVD_LINE_1_ADR|DRVD_LINE_2_ADR|DRVD_LINE_3_ADR|DRVD_LINE_4_ADR|\
    DRVD_LINE_5_ADR|DRVD_LINE_6_ADR|CITY_NAME|STATE_CD|STATE_CNTY_ZIP_CD|EFCTV_BGN_DT|\
    EFCTV_END_DT|BENE_LINK_KEY|PTA_CVRG_STRT_DT|PTA_CVRG_END_DT|PTB_CVRG_STRT_DT|\
    PTB_CVRG_END_DT|PTD_CVRG_STRT_DT|PTD_CVRG_END_DT";

fn yearly_header() -> String {
    let names = YEARLY.split('|').flat_map(|name| -> Vec<String> {
        match name {
            name if name.contains('@') => MONTHS.map(|month| name.replace('@', month)).to_vec(),
            name if name.contains('#') => {
                (1..=12).map(|month| name.replace('#', &month.to_string())).collect()
            }
            name => vec![name.to_owned()],
        }
    });
    names.collect::<Vec<_>>().join("|")
}

/// A byte order mark, pipes, LF, and no end to the last line, as in CMS's yearly files.
fn beneficiaries(people: &People, year: u16, out: &mut dyn Write) -> Result<Written> {
    let mut block = format!("\u{feff}{}", yearly_header()).into_bytes();
    for nth in 0..people.count {
        let fields = beneficiary(people, year, nth);
        block.push(b'\n');
        for (at, name) in YEARLY.split('|').enumerate() {
            let value = fields.iter().find(|(known, _)| *known == name).map_or("", |(_, v)| v);
            let times = if name.contains(['@', '#']) { 12 } else { 1 };
            for time in 0..times {
                if at + time > 0 {
                    block.push(b'|');
                }
                block.extend_from_slice(value.as_bytes());
            }
        }
        if block.len() >= BLOCK {
            out.write_all(&block)?;
            block.clear();
        }
    }
    out.write_all(&block)?;
    Ok(Written { rows: people.count, changed: 0 })
}

fn beneficiary(people: &People, year: u16, nth: u64) -> Vec<(&'static str, String)> {
    let mut stream = people.stream("beneficiaries", nth);
    let (surname, given) = person(&mut stream);
    let county = stream.pick(&people.market.counties);
    let state = &STATES[county.state];
    let born = 1_925 + stream.below(40);
    // One writer has months in capitals, another has not.
    let month = *stream.pick(&["JAN", "Mar", "JUL", "Oct"]);
    let birth = format!("{:02}-{month}-{born}", 1 + stream.below(28));
    let months = if stream.percent(92) { 12 } else { stream.below(12) };
    // Some writers give the county without its state.
    let county_code = if stream.percent(90) { &county.code } else { &county.code[2..] };
    let in_plan = stream.percent(50);
    let plans = &people.market.plans;
    let plan = &plans[stream.below(plans.len() as u64) as usize];
    let local = matches!(plan.area, Area::Counties(_));
    let street = street(&mut stream);
    // One address has a backslash, which is no escape.
    let street = if nth == 5 { format!("{street} APT 3\\B") } else { street };
    let mut fields = vec![
        ("DML_IND", if nth % 97 == 13 { "UPDATE" } else { "INSERT" }.to_owned()),
        ("BENE_ID", people.key(nth)),
        ("STATE_CODE", format!("{:02}", state.ssa)),
        ("BENE_COUNTY_CD", county_code.to_owned()),
        ("BENE_ZIP_CD", county.zip(0)),
        ("BENE_BIRTH_DT", birth),
        ("BENE_SEX_IDENT_CD", (1 + stream.below(2)).to_string()),
        ("BENE_RACE_CD", (1 + stream.below(6)).to_string()),
        ("BENE_ENTLMT_RSN_ORIG", "0".to_owned()),
        ("BENE_ENTLMT_RSN_CURR", "0".to_owned()),
        ("BENE_ESRD_IND", "0".to_owned()),
        ("BENE_MDCR_STATUS_CD", "10".to_owned()),
        ("BENE_CRNT_HIC_NUM", format!("T{:08}A", nth)),
        ("BENE_SRNM_NAME", surname.to_owned()),
        ("BENE_GVN_NAME", given.to_owned()),
        ("MBI_NUM", medicare_number(nth)),
        ("RFRNC_YR", year.to_string()),
        ("A_MO_CNT", months.to_string()),
        ("B_MO_CNT", months.to_string()),
        ("BUYIN_MO_CNT", "0".to_owned()),
        ("ENRL_SRC", "CME".to_owned()),
        ("EFIVEPCT", " ".to_owned()),
        ("AGE", (u64::from(year) - born).to_string()),
        ("DUAL_MO_CNT", "0".to_owned()),
        ("FIPS_STATE_CNTY_@_CD", county.fips.clone()),
        ("MDCR_STUS_@_CD", "10".to_owned()),
        ("PLAN_CVRG_MO_CNT", if in_plan { "12" } else { "0" }.to_owned()),
        ("MDCR_ENTLMT_BUYIN_#_IND", "C".to_owned()),
        ("RDS_@_IND", "N".to_owned()),
        ("DRVD_LINE_1_ADR", street),
        ("CITY_NAME", county.name.to_uppercase()),
        ("STATE_CD", state.abbreviation.to_owned()),
        ("STATE_CNTY_ZIP_CD", county.zip(0)),
    ];
    if in_plan {
        let (contract, number) = match local {
            true => ("PTC_CNTRCT_@_ID", "PTC_PBP_@_ID"),
            false => ("PTD_CNTRCT_@_ID", "PTD_PBP_@_ID"),
        };
        fields.extend([(contract, plan.contract.clone()), (number, plan.plan.clone())]);
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn people_have_numbers_of_their_own_and_rows_as_wide_as_the_header() {
        let people = People::new(&Release::small(1), 3_000);
        let keys: HashSet<String> = (0..3_000).map(|nth| people.key(nth)).collect();
        let numbers: HashSet<String> = (0..6_000).map(medicare_number).collect();
        assert_eq!((keys.len(), numbers.len()), (3_000, 6_000));
        assert!(numbers.iter().all(|number| number.len() == 11 && number.starts_with("1S")));
        let mut text = Vec::new();
        beneficiaries(&people, 2025, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<&str> = text.trim_start_matches('\u{feff}').split('\n').collect();
        assert_eq!(lines.len(), 3_001);
        assert!(lines.iter().all(|line| line.split('|').count() == 210));
        let months: Vec<&str> = lines[0].split('|').skip(33).take(12).collect();
        assert_eq!((months[0], months[8]), ("FIPS_STATE_CNTY_JAN_CD", "FIPS_STATE_CNTY_SEPT_CD"));
    }
}
