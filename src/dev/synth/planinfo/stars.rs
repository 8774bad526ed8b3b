//! Star ratings: five tables an edition, and the edition before with its titles and its header in
//! three rows. Cells of text end in a blank, numbers stand among words, and headers are cp1252
//! while a name is UTF-8, all as in CMS's files.

use std::io::{Result, Write};
use std::sync::Arc;

use csv::{ByteRecord, Terminator, WriterBuilder};
use encoding_rs::WINDOWS_1252;

use super::offers::{Offers, organization, parent};
use super::{DATABASE, text};
use crate::object::{Object, Written};
use crate::random::Stream;

/// What CMS says in place of the stars of a contract that has none.
const UNRATED: [&str; 2] = ["Not enough data available", "Plan too new to be measured"];
/// Where a measure has stars but no number.
const STARS_ONLY: &str = "Medicare shows only a Star Rating for this topic";
const NOT_REQUIRED: &str = "Plan not required to report measure";

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Summary,
    MeasureData,
    MeasureStars,
    DomainStars,
    Disenrollment,
}

impl Kind {
    fn name(self) -> (&'static str, &'static str) {
        match self {
            Kind::Summary => ("Summary Rating", "star_summary"),
            Kind::MeasureData => ("Measure Data", "star_measure"),
            Kind::MeasureStars => ("Measure Stars", "star_measure_stars"),
            Kind::DomainStars => ("Domain Stars", "star_domain"),
            Kind::Disenrollment => ("Disenrollment Reasons", "star_disenrollment"),
        }
    }
}

/// All five tables of this year, and of the year before the two that have the older layout.
pub(super) fn objects(offers: &Arc<Offers>) -> Vec<Object> {
    use Kind::{Disenrollment, DomainStars, MeasureData, MeasureStars, Summary};
    let year = offers.year;
    let tables = [Summary, MeasureData, MeasureStars, DomainStars, Disenrollment]
        .map(|kind| (kind, year))
        .into_iter()
        .chain([(Summary, year - 1), (MeasureData, year - 1)]);
    tables
        .map(|(kind, edition)| {
            let (name, source) = kind.name();
            // Ratings are published in October before the year that they are for.
            let name =
                format!("{edition} Star Ratings Data Table - {name} (Oct 10 {}).csv", edition - 1);
            let rows = offers.contracts.len() as u64;
            let old = edition < year;
            let body =
                move |offers: &Offers, out: &mut dyn Write| write(offers, kind, edition, old, out);
            Object::bare(
                DATABASE,
                offers.release.posted,
                text(offers, name, source, rows, 600, body),
            )
        })
        .collect()
}

/// Stars in halves, or words in their place.
enum Rating {
    Halves(u64),
    Words(&'static str),
}

impl Rating {
    /// As the star tables write it: `4`, `4.5`, words with a blank behind.
    fn cell(&self) -> String {
        match self {
            Rating::Halves(halves) if halves % 2 == 0 => (halves / 2).to_string(),
            Rating::Halves(halves) => format!("{}.5", halves / 2),
            Rating::Words(words) => format!("{words} "),
        }
    }

    /// As Landscape prints it: `4.0`.
    fn printed(&self) -> String {
        match self {
            Rating::Halves(halves) => format!("{}.{}", halves / 2, halves % 2 * 5),
            Rating::Words(words) => (*words).to_owned(),
        }
    }
}

/// A contract's number for its own streams.
fn number(contract: &str) -> u64 {
    contract.bytes().fold(0, |sum, byte| sum * 131 + u64::from(byte))
}

/// Part C, Part D and overall, of one edition.
fn ratings(offers: &Offers, contract: &str, edition: i16) -> [Rating; 3] {
    let mut stream = Stream::new(offers.seed, "stars", number(contract));
    let (rated, words, base) = (!stream.percent(15), stream.below(2), 4 + stream.below(5));
    // From year to year a rating moves by half a star at most.
    let mut moved = Stream::new(offers.seed, "stars of a year", number(contract) + edition as u64);
    let mut halves = || Rating::Halves((base + moved.below(3)).clamp(3, 10) - 1);
    let drug_plan = contract.starts_with('S');
    if !rated {
        let words = || Rating::Words(UNRATED[words as usize]);
        return [words(), words(), words()];
    }
    let part_d = halves();
    if drug_plan {
        return [Rating::Words("Not Applicable"), part_d, Rating::Words("Not Applicable")];
    }
    [halves(), part_d, halves()]
}

/// What Landscape prints of this year's ratings.
pub(super) fn printed(offers: &Offers, contract: &str) -> [String; 3] {
    ratings(offers, contract, offers.year).map(|rating| rating.printed())
}

const WHO: [&str; 5] = [
    "CONTRACT_ID",
    "Organization Type",
    "Contract Name",
    "Organization Marketing Name",
    "Parent Organization",
];

/// Who a contract is, a blank behind each.
fn who(offers: &Offers, first: usize) -> Vec<Vec<u8>> {
    let plan = offers.plan(&offers.all[first]);
    let contract = plan.contract.as_str();
    // The first name, and one in twenty, has what is not ASCII, in UTF-8.
    let accented = first == 0 || number(contract).is_multiple_of(20);
    let accent = if accented { " ‘Ohia" } else { "" };
    let marketing: String = format!("{}{accent}", plan.carrier).chars().take(50).collect();
    [contract, organization(contract).1, &plan.contract_name, &marketing, &parent(&plan.carrier)]
        .map(|cell| format!("{cell} ").into_bytes())
        .to_vec()
}

fn write(
    offers: &Offers,
    kind: Kind,
    edition: i16,
    old: bool,
    out: &mut dyn Write,
) -> Result<Written> {
    let mut csv =
        WriterBuilder::new().terminator(Terminator::CRLF).flexible(true).from_writer(Vec::new());
    for line in headers(kind, edition, old) {
        csv.write_byte_record(
            &line.iter().map(|cell| WINDOWS_1252.encode(cell).0).collect::<Vec<_>>().into(),
        )?;
    }
    for range in &offers.contracts {
        let contract = offers.plan(&offers.all[range.start]).contract.clone();
        let mut row = who(offers, range.start);
        if kind == Kind::Disenrollment {
            // This table has the names in another order.
            row.remove(1);
            row.swap(1, 2);
        }
        let dual = offers.all[range.clone()].iter().any(|offer| offer.is_dual(offers.plan(offer)));
        row.extend(
            cells(offers, kind, &contract, edition, dual).into_iter().map(String::into_bytes),
        );
        csv.write_byte_record(&ByteRecord::from(row))?;
    }
    let mut text = csv.into_inner().map_err(csv::IntoInnerError::into_error)?;
    // Most of CMS's files end without a line end.
    if kind != Kind::DomainStars {
        text.truncate(text.len() - 2);
    }
    out.write_all(&text)?;
    Ok(Written { rows: offers.contracts.len() as u64, changed: 0 })
}

fn headers(kind: Kind, edition: i16, old: bool) -> Vec<Vec<String>> {
    let who: Vec<String> = WHO.map(str::to_owned).to_vec();
    let with = |more: Vec<String>| [who.clone(), more].concat();
    let padded = |first: String, width: usize| {
        let mut line = vec![String::new(); width];
        line[0] = first;
        line
    };
    let title = |what: &str, width| {
        padded(format!("{edition} {what}: Medicare Report Card Master Table"), width)
    };
    let measures = || MEASURES.map(str::to_owned).to_vec();
    match kind {
        Kind::Summary => vec![with(vec![
            "SNP".to_owned(),
            format!("{} Disaster %", edition - 3),
            format!("{} Disaster %", edition - 2),
            format!("{edition} Part C Summary"),
            format!("{edition} Part D Summary"),
            format!("{edition} Overall"),
        ])],
        Kind::MeasureData if old => {
            let mut domains = vec![String::new(); MEASURES.len()];
            for (domain, first) in DOMAINS {
                domains[first] = domain.to_owned();
            }
            let blank = vec![String::new(); WHO.len()];
            let period = format!("01/01/{0} – 12/31/{0}", edition - 2);
            vec![
                title("Data View", WHO.len() + MEASURES.len()),
                with(domains),
                [blank.clone(), measures()].concat(),
                [blank, vec![period; MEASURES.len()]].concat(),
            ]
        }
        Kind::MeasureData | Kind::MeasureStars => vec![with(measures())],
        Kind::DomainStars => {
            let mut header = with(DOMAINS.map(|(domain, _)| domain.to_owned()).to_vec());
            header[0] = "Contract Number".to_owned();
            // The sheet that it is saved from is wider than the table.
            header.resize(header.len() + 38, String::new());
            vec![title("Domain Star View", header.len()), header]
        }
        Kind::Disenrollment => {
            let mut header = vec![who[0].clone(), who[3].clone(), who[2].clone(), who[4].clone()];
            header.extend(REASONS.map(str::to_owned));
            vec![title("Disenrollment Reasons View", header.len()), header]
        }
    }
}

fn cells(offers: &Offers, kind: Kind, contract: &str, edition: i16, dual: bool) -> Vec<String> {
    let mut stream = Stream::new(offers.seed, kind.name().1, number(contract) + edition as u64);
    let [part_c, part_d, overall] = ratings(offers, contract, edition);
    let rated = matches!(part_d, Rating::Halves(_));
    let drug_plan = contract.starts_with('S');
    let measure = |nth: usize, cell: String| match () {
        () if !rated => format!("{} ", part_d.printed()),
        () if drug_plan && MEASURES[nth].starts_with('C') => format!("{NOT_REQUIRED} "),
        () => cell,
    };
    match kind {
        Kind::Summary => vec![
            if dual { "Yes " } else { "No " }.to_owned(),
            stream.below(101).to_string(),
            stream.below(101).to_string(),
            part_c.cell(),
            part_d.cell(),
            overall.cell(),
        ],
        Kind::MeasureStars => (0..MEASURES.len())
            .map(|nth| (nth, 1 + stream.below(5)))
            .map(|(nth, stars)| measure(nth, stars.to_string()))
            .collect(),
        Kind::MeasureData => (0..MEASURES.len())
            .map(|nth| (nth, value(nth, &mut stream)))
            .map(|(nth, value)| measure(nth, value))
            .collect(),
        Kind::DomainStars => {
            let mut row: Vec<String> = DOMAINS
                .iter()
                .map(|(_, first)| (*first, 1 + stream.below(5)))
                .map(|(first, stars)| measure(first, stars.to_string()))
                .collect();
            row.resize(row.len() + 38, String::new());
            row
        }
        Kind::Disenrollment => (0..REASONS.len())
            .map(|_| match (drug_plan, rated) {
                (true, _) => "Not Applicable ".to_owned(),
                (_, false) => "Not Available ".to_owned(),
                _ => format!("{}%", 5 + stream.below(30)),
            })
            .collect(),
    }
}

/// What was measured: a share, a score, or complaints by the thousand.
fn value(nth: usize, stream: &mut Stream) -> String {
    let draw = stream.below(40);
    match MEASURES[nth].split_once(": ").map_or("", |(_, name)| name) {
        name if name.contains("Improvement") => format!("{STARS_ONLY} "),
        name if name.starts_with("Complaints") => format!("0.{draw:02}"),
        name if name.starts_with("Rating")
            || name.starts_with("Getting")
            || name.starts_with("Care Co")
            || name == "Customer Service" =>
        {
            (60 + draw).to_string()
        }
        _ => format!("{}%", 60 + draw),
    }
}

const REASONS: [&str; 5] = [
    "Problems Getting the Plan to Provide and Pay for Needed Care",
    "Problems with Coverage of Doctors and Hospitals",
    "Financial Reasons for Disenrollment",
    "Problems with Prescription Drug Benefits and Coverage",
    "Problems Getting Information and Help from the Plan",
];

/// Groups of measures, each with the place of its first.
const DOMAINS: [(&str, usize); 9] = [
    ("HD1: Staying Healthy: Screenings, Tests and Vaccines", 0),
    ("HD2: Managing Chronic (Long Term) Conditions", 4),
    ("HD3: Member Experience with Health Plan", 18),
    ("HD4: Member Complaints and Changes in the Health Plan's Performance", 24),
    ("HD5: Health Plan Customer Service", 27),
    ("DD1: Drug Plan Customer Service", 30),
    ("DD2: Member Complaints and Changes in the Drug Plan’s Performance", 31),
    ("DD3: Member Experience with the Drug Plan", 34),
    ("DD4: Drug Safety and Accuracy of Drug Pricing", 36),
];

const MEASURES: [&str; 42] = [
    "C01: Breast Cancer Screening",
    "C02: Colorectal Cancer Screening",
    "C03: Annual Flu Vaccine",
    "C04: Monitoring Physical Activity",
    "C05: Special Needs Plan (SNP) Care Management",
    "C06: Care for Older Adults – Medication Review",
    "C07: Care for Older Adults – Pain Assessment",
    "C08: Osteoporosis Management in Women who had a Fracture",
    "C09: Diabetes Care – Eye Exam",
    "C10: Diabetes Care – Blood Sugar Controlled",
    "C11: Controlling High Blood Pressure",
    "C12: Reducing the Risk of Falling",
    "C13: Improving Bladder Control",
    "C14: Medication Reconciliation Post-Discharge",
    "C15: Plan All-Cause Readmissions",
    "C16: Statin Therapy for Patients with Cardiovascular Disease",
    "C17: Transitions of Care",
    "C18: Follow-up after Emergency Department Visit for People with Multiple High-Risk Chronic Conditions",
    "C19: Getting Needed Care",
    "C20: Getting Appointments and Care Quickly",
    "C21: Customer Service",
    "C22: Rating of Health Care Quality",
    "C23: Rating of Health Plan",
    "C24: Care Coordination",
    "C25: Complaints about the Health Plan",
    "C26: Members Choosing to Leave the Plan",
    "C27: Health Plan Quality Improvement",
    "C28: Plan Makes Timely Decisions about Appeals",
    "C29: Reviewing Appeals Decisions",
    "C30: Call Center – Foreign Language Interpreter and TTY Availability",
    "D01: Call Center – Foreign Language Interpreter and TTY Availability",
    "D02: Complaints about the Drug Plan",
    "D03: Members Choosing to Leave the Plan",
    "D04: Drug Plan Quality Improvement",
    "D05: Rating of Drug Plan",
    "D06: Getting Needed Prescription Drugs",
    "D07: MPF Price Accuracy",
    "D08: Medication Adherence for Diabetes Medications",
    "D09: Medication Adherence for Hypertension (RAS antagonists)",
    "D10: Medication Adherence for Cholesterol (Statins)",
    "D11: MTM Program Completion Rate for CMR",
    "D12: Statin Use in Persons with Diabetes (SUPD)",
];
