//! The FDA's NDC directory: every package that a formulary covers, under the FDA's own ten-digit
//! numbers, with names and forms; and the small directory of unfinished drugs, whose columns are
//! fewer. Both as the FDA zips them, the `.xls` members being the same text once more.

use std::io::{Result, Write};

use super::Release;
use super::drugs::{Drug, drugs};
use super::names::{Substance, labeler, substance};
use super::object::{Object, Text, Written};
use super::random::Stream;
use super::table::{Style, Table};

const PRODUCT: [&str; 20] = [
    "PRODUCTID",
    "PRODUCTNDC",
    "PRODUCTTYPENAME",
    "PROPRIETARYNAME",
    "PROPRIETARYNAMESUFFIX",
    "NONPROPRIETARYNAME",
    "DOSAGEFORMNAME",
    "ROUTENAME",
    "STARTMARKETINGDATE",
    "ENDMARKETINGDATE",
    "MARKETINGCATEGORYNAME",
    "APPLICATIONNUMBER",
    "LABELERNAME",
    "SUBSTANCENAME",
    "ACTIVE_NUMERATOR_STRENGTH",
    "ACTIVE_INGRED_UNIT",
    "PHARM_CLASSES",
    "DEASCHEDULE",
    "NDC_EXCLUDE_FLAG",
    "LISTING_RECORD_CERTIFIED_THROUGH",
];

const PACKAGE: [&str; 8] = [
    "PRODUCTID",
    "PRODUCTNDC",
    "NDCPACKAGECODE",
    "PACKAGEDESCRIPTION",
    "STARTMARKETINGDATE",
    "ENDMARKETINGDATE",
    "NDC_EXCLUDE_FLAG",
    "SAMPLE_PACKAGE",
];

/// The unfinished directory's products, as places in [`PRODUCT`].
const UNFINISHED_PRODUCT: [usize; 14] = [0, 1, 2, 5, 6, 8, 9, 10, 12, 13, 14, 15, 17, 19];
/// Its packages, as places in [`PACKAGE`].
const UNFINISHED_PACKAGE: [usize; 4] = [0, 1, 2, 3];

/// Of the unfinished directory there is one product for so many finished ones.
const UNFINISHED: u32 = 10;

#[derive(Clone, Copy, PartialEq)]
enum Directory {
    Finished,
    Unfinished,
}

/// `ndctext.zip` and `unfinished.zip`.
pub(super) fn objects(release: &Release) -> Vec<Object> {
    [(Directory::Finished, "ndctext.zip"), (Directory::Unfinished, "unfinished.zip")]
        .into_iter()
        .map(|(directory, name)| {
            let prefix = if directory == Directory::Finished { "" } else { "unfinished_" };
            let texts = ["package", "product"].into_iter().flat_map(|table| {
                ["txt", "xls"].map(|ending| {
                    text(release, directory, table, format!("{prefix}{table}.{ending}"))
                })
            });
            Object::zip("druginfo", name, release.posting(), texts.collect())
        })
        .collect()
}

fn text(release: &Release, directory: Directory, table: &str, name: String) -> Text {
    let release = release.clone();
    let all = drugs(&release);
    let listed = all.iter().filter(|drug| is_listed(directory, &all, drug));
    let products = table == "product";
    let rows = match products {
        true => listed.filter(|drug| is_first(&all, drug)).count() as u64,
        false => listed.count() as u64,
    };
    let source = match (name.ends_with(".txt"), products) {
        (false, _) => None,
        (true, true) => Some("ndc_product"),
        (true, false) => Some("ndc_package"),
    };
    let bytes_about = rows * if products { 250 } else { 160 };
    let body = move |out: &mut dyn Write| write(&release, directory, products, out);
    Text { name, source, rows, bytes_about, body: Box::new(body) }
}

fn is_listed(directory: Directory, all: &[Drug], drug: &Drug) -> bool {
    let raw = drug.product.is_multiple_of(UNFINISHED) && is_first(all, drug);
    directory == Directory::Finished || raw
}

/// Whether no package before it is of the same product.
fn is_first(all: &[Drug], drug: &Drug) -> bool {
    let at = all.partition_point(|other| other.ndc < drug.ndc);
    at == 0 || all[at - 1].product != drug.product
}

fn write(
    release: &Release,
    directory: Directory,
    products: bool,
    out: &mut dyn Write,
) -> Result<Written> {
    let finished = directory == Directory::Finished;
    let header: &[&str] = if products { &PRODUCT } else { &PACKAGE };
    let kept: Vec<usize> = match (finished, products) {
        (true, _) => (0..header.len()).collect(),
        (false, true) => UNFINISHED_PRODUCT.to_vec(),
        (false, false) => UNFINISHED_PACKAGE.to_vec(),
    };
    let header: Vec<&str> = kept.iter().map(|place| header[*place]).collect();
    let mut table = Table::new(out, Style::TABS, &header)?;
    let all = drugs(release);
    for drug in all.iter().filter(|drug| is_listed(directory, &all, drug)) {
        if products && !is_first(&all, drug) {
            continue;
        }
        let substance = substance(release.seed, drug.product);
        let fields = match products {
            true => product(release, finished, drug, &substance),
            false => package(release, finished, drug, &substance),
        };
        let fields: Vec<&str> = kept.iter().map(|place| fields[*place].as_str()).collect();
        table.row(&fields)?;
    }
    table.finish()
}

fn product_id(release: &Release, finished: bool, drug: &Drug) -> String {
    let mut stream = Stream::new(release.seed, "listings", u64::from(drug.product));
    let (first, second) = (stream.next(), stream.next());
    let uuid = uuid::Uuid::from_u64_pair(first, second);
    format!("{}_{uuid}", unlisted(finished, drug))
}

/// The unfinished directory's own numbers: distinct, and not those of the finished drugs.
fn unlisted(finished: bool, drug: &Drug) -> String {
    if finished {
        return drug.product_code();
    }
    let labeler = &drug.ndc[..5];
    format!("{labeler}-9{:03}", drug.product / UNFINISHED % 1_000)
}

fn marketed(release: &Release, drug: &Drug) -> String {
    let mut stream = Stream::new(release.seed, "marketing", u64::from(drug.product));
    let (year, month, day) = (1_995 + stream.below(30), 1 + stream.below(12), 1 + stream.below(28));
    format!("{year}{month:02}{day:02}")
}

fn product(release: &Release, finished: bool, drug: &Drug, substance: &Substance) -> Vec<String> {
    let Substance { generic, brand, strength, kind } = substance;
    let generic_drug = brand.is_none();
    let number = 10_000 + drug.product * 7 % 190_000;
    let (category, application) = match (finished, generic_drug) {
        (false, _) => ("BULK INGREDIENT".to_owned(), String::new()),
        (true, true) => ("ANDA".to_owned(), format!("ANDA{number:06}")),
        (true, false) => ("NDA".to_owned(), format!("NDA{number:06}")),
    };
    let schedule = if kind.class.starts_with("Benzodiazepine") { "CIV" } else { "" };
    let kind_of = if finished { "HUMAN PRESCRIPTION DRUG" } else { "BULK INGREDIENT" };
    let year = release.contract_year;
    vec![
        product_id(release, finished, drug),
        unlisted(finished, drug),
        kind_of.to_owned(),
        brand.clone().unwrap_or_else(|| generic.clone()),
        String::new(),
        generic.clone(),
        if finished { kind.form } else { "POWDER" }.to_owned(),
        kind.route.to_owned(),
        marketed(release, drug),
        String::new(),
        category,
        application,
        labeler(release.seed, &drug.ndc[..5]),
        generic.to_uppercase(),
        if finished { strength } else { "1" }.to_owned(),
        if finished { kind.unit } else { "g/g" }.to_owned(),
        kind.class.to_owned(),
        schedule.to_owned(),
        "N".to_owned(),
        format!("{year}1231"),
    ]
}

fn package(release: &Release, finished: bool, drug: &Drug, substance: &Substance) -> Vec<String> {
    let product = unlisted(finished, drug);
    let code = match finished {
        true => drug.package_code(),
        false => format!("{product}-0"),
    };
    let inside = if finished { substance.kind.package } else { "25 kg in 1 DRUM" };
    vec![
        product_id(release, finished, drug),
        product,
        code.clone(),
        format!("{inside} ({code}) "),
        marketed(release, drug),
        String::new(),
        "N".to_owned(),
        if drug.product.is_multiple_of(50) { "Y" } else { "N" }.to_owned(),
    ]
}
