//! What whole databases promise: the same bytes each time, and files that know each other's keys.

use super::*;

/// Bytes and members of each object of a database, by the object's name.
fn all_objects(database: &str, plan: &Plan) -> BTreeMap<String, (Vec<u8>, Vec<Member>)> {
    let write = |object: Object| {
        let (name, planned) = (object.name.clone(), object.planned.clone());
        let mut bytes = Vec::new();
        let members = object.write(&mut bytes, &()).unwrap();
        for (source, rows) in planned {
            let own = members.iter().filter(|member| member.source == Some(source));
            // A source of many members has a plan for each of them.
            let all: u64 = own.map(|member| member.rows).sum();
            assert!(all == rows || source == "pbp_section", "{name}: {source} {all} {rows}");
        }
        (name, (bytes, members))
    };
    objects(database, plan).into_iter().map(write).collect()
}

#[test]
fn every_database_has_objects_that_are_the_same_each_time() {
    let plan = Plan { scale: 0.0003, ..Plan::default() };
    for database in DATABASES {
        let (once, again) = (all_objects(database, &plan), all_objects(database, &plan));
        assert!(!once.is_empty());
        for (name, (bytes, members)) in &once {
            assert!(*bytes == again[name].0, "{name}");
            assert!(members.iter().any(|member| member.source.is_some()), "{name}");
        }
        let other = all_objects(database, &Plan { seed: 2, ..plan.clone() });
        let same = once.iter().filter(|(name, (bytes, _))| *bytes == other[*name].0);
        let same: Vec<&String> = same.map(|(name, _)| name).collect();
        // The country and CMS's layouts are nobody's invention.
        let of_nobody = |name: &str| name.starts_with("layouts_") || name.contains("fips");
        assert!(same.iter().all(|name| of_nobody(name)), "{same:?}");
    }
}

fn undated(name: &str) -> String {
    name.replace(|letter: char| letter.is_ascii_digit(), "")
}

/// Every row of a database's texts, by the text's name; those of editions one after another.
fn rows_of(objects: &BTreeMap<String, (Vec<u8>, Vec<Member>)>) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut rows: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for (name, (bytes, _)) in objects {
        let mut of_object = Texts::new();
        match name.ends_with(".zip") {
            true => unpack(bytes, "", &mut of_object, &mut Vec::new()),
            false => drop(of_object.insert(name.clone(), bytes.clone())),
        }
        for (name, text) in of_object {
            let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec);
            rows.entry(undated(&name)).or_default().extend(lines);
        }
    }
    rows
}

#[test]
fn of_every_member_as_many_rows_differ_as_it_says() {
    for database in DATABASES {
        // Late enough that many rows have changed before, and some twice.
        let of = |all| {
            let nights = Nights { all, then: vec![] };
            all_objects(database, &Plan { scale: 0.001, nights, ..Plan::default() })
        };
        let (before, after) = (of(1_004), of(1_005));
        let mut said: BTreeMap<String, u64> = BTreeMap::new();
        for member in after.values().flat_map(|(_, members)| members) {
            *said.entry(undated(&member.name)).or_default() += member.changed;
        }
        let (before, after) = (rows_of(&before), rows_of(&after));
        assert!(before.keys().eq(after.keys()));
        for (name, rows) in &after {
            let differing = rows.iter().zip(&before[name]).filter(|(now, old)| now != old).count();
            assert_eq!((rows.len(), differing as u64), (before[name].len(), said[name]), "{name}");
        }
    }
}

/// The bytes of what lies in a zip, inner zips as they are; or of what is no zip.
fn within(name: &str, bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    if !name.ends_with(".zip") {
        // A file that is no zip is its own content; a day in its name is not.
        return BTreeMap::from([(format!("{} {}", undated(name), bytes.len()), bytes.to_vec())]);
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut members = BTreeMap::new();
    for nth in 0..archive.len() {
        let mut member = archive.by_index(nth).unwrap();
        let mut content = Vec::new();
        member.read_to_end(&mut content).unwrap();
        members.insert(member.name().unwrap().into_owned(), content);
    }
    members
}

/// Everything of a database's objects, and the sources whose members say that they changed.
fn night(database: &str, nights: Nights) -> (BTreeMap<String, Vec<u8>>, Vec<&'static str>) {
    let all = all_objects(database, &Plan { scale: 0.001, nights, ..Plan::default() });
    let members = all.values().flat_map(|(_, members)| members);
    let mut changed: Vec<&str> =
        members.filter(|member| member.changed > 0).filter_map(|member| member.source).collect();
    changed.sort_unstable();
    changed.dedup();
    (all.iter().flat_map(|(name, (bytes, _))| within(name, bytes)).collect(), changed)
}

#[test]
fn a_night_that_names_what_changes_leaves_every_other_byte() {
    let only = |names: &str| Only::parse(names).unwrap();
    for (database, sources) in CHANGING {
        let all = |all, then| night(database, Nights { all, then });
        // Across the end of a month, which planinfo's files are named after.
        let (before, _) = all(30, vec![]);
        let (again, changed) = all(30, vec![only("nothing")]);
        assert!(again == before && changed.is_empty(), "{database}: {changed:?}");
        for source in sources {
            let (after, changed) = all(30, vec![only("nothing"), only(source)]);
            assert!(changed.is_empty() || changed == [*source], "{source}: {changed:?}");
            let known =
                |name: &&String| !before.contains_key(*name) || before[*name] != after[*name];
            let names: Vec<&String> = after.keys().filter(known).collect();
            assert!(names.iter().all(|name| belongs(name, source)), "{source}: {names:?}");
        }
        let (_, changed) = all(31, vec![]);
        assert!(changed.iter().all(|name| sources.contains(name)), "{changed:?}");
        assert!(!changed.is_empty() || database == "planinfo");
    }
}

/// Whether a member's name, or a file's, is that of a source, or of what is dated with it.
fn belongs(name: &str, source: &str) -> bool {
    name.contains(match source {
        "basic_drugs_formulary" => "basic drugs",
        "nppes_pharmacy" => "npidata",
        "pharmacy_networks" => "pharmacy networks",
        "pricing" => "pricing",
        "enrollment_by_plan" => "Monthly_Report_By_Plan",
        "enrollment_cpsc" => "CPSC_Enrollment",
        _ => "BENE_MAPD",
    })
}

/// The rows of a csv text, header and all.
fn csv_rows(bytes: &[u8], delimiter: u8) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(delimiter)
        .quoting(delimiter == b',')
        .flexible(true)
        .from_reader(bytes);
    let text = |field: &[u8]| encoding_rs::WINDOWS_1252.decode(field).0.into_owned();
    reader.byte_records().map(|record| record.unwrap().iter().map(text).collect()).collect()
}

fn member_of(zip: &[u8], ending: &str) -> Vec<u8> {
    let mut members = Texts::new();
    unpack(zip, "", &mut members, &mut Vec::new());
    members.into_iter().find(|(name, _)| name.ends_with(ending)).unwrap().1
}

fn set_of(rows: &[Vec<String>], places: &[usize]) -> HashSet<Vec<String>> {
    rows[1..].iter().map(|row| places.iter().map(|place| row[*place].clone()).collect()).collect()
}

#[test]
fn registers_know_the_pharmacies_drugs_and_counties_of_the_release() {
    let plan = Plan { scale: 0.0003, ..Plan::default() };
    let made = all_objects("druginfo", &plan);
    let release = texts(&made["SPUF_2026_20260701.zip"].0);
    let nppes = member_of(&made["NPPES_Data_Dissemination_July_2026.zip"].0, "20260701.csv");
    let nppes = set_of(&csv_rows(&nppes, b','), &[0]);
    for row in columns(&release, "pharmacy_networks", &["PHARMACY_NUMBER"]) {
        assert!(nppes.contains(&vec![row[0][2..].to_owned()]), "{row:?}");
    }
    let packages = csv_rows(&member_of(&made["ndctext.zip"].0, "package.txt"), b'\t');
    let eleven = |code: &str| {
        let parts: Vec<&str> = code.split('-').collect();
        format!("{:0>5}{:0>4}{:0>2}", parts[0], parts[1], parts[2])
    };
    let packages: HashSet<String> = packages[1..].iter().map(|row| eleven(&row[2])).collect();
    for row in columns(&release, "basic_drugs_formulary", &["NDC"]) {
        assert!(packages.contains(&row[0]), "{row:?}");
    }
    let crosswalk = csv_rows(&made["ssa_fips_state_county2017.csv"].0, b',');
    let ssa = set_of(&crosswalk, &[2]);
    for row in columns(&release, "geographic_locator", &["COUNTY_CODE"]) {
        assert!(ssa.contains(&row), "{row:?}");
    }
    let zips = csv_rows(&made["zip_fips_county_code_and_state.csv"].0, b',');
    let (zips, fips) = (set_of(&zips, &[0]), set_of(&zips, &[1]));
    assert_eq!(fips, set_of(&crosswalk, &[3]));
    for row in columns(&release, "pharmacy_networks", &["PHARMACY_ZIPCODE"]) {
        assert!(zips.contains(&row), "{row:?}");
    }
}

#[test]
fn planinfo_speaks_of_the_plans_of_the_release() {
    let made = all_objects("planinfo", &Plan { scale: 0.0003, ..Plan::default() });
    let release = texts(&made["SPUF_2026_20260701.zip"].0);
    let in_part_d: HashSet<Vec<String>> =
        columns(&release, "plan_information", &PLAN[..2]).into_iter().collect();
    let benefits = &made["pbp-benefits-2026.zip"].0;
    let section_a = csv_rows(&member_of(benefits, "pbp_Section_A.txt"), b'\t');
    let all = set_of(&section_a, &[0, 1]);
    assert!(in_part_d.is_subset(&all) && in_part_d.len() < all.len());
    let landscape = member_of(&made["cy2026-landscape-202607.zip"].0, ".csv");
    assert_eq!(landscape[..3], *b"\xef\xbb\xbf");
    let landscape = csv_rows(&landscape[3..], b',');
    assert!(landscape.iter().all(|row| row.len() == 52));
    assert!(set_of(&landscape, &[6, 7]).is_subset(&all));
    let crosswalk = member_of(&made["plan-crosswalk-2026.zip"].0, "10012025.txt");
    let current = set_of(&csv_rows(&crosswalk, b'\t'), &[5, 6]);
    assert!(all.is_subset(&current) && current.contains(&vec!["TERMINATED".to_owned(); 2]));
    let cpsc = csv_rows(
        &member_of(&made["monthly-enrollment-cpsc-july-2026.zip"].0, "Enrollment_Info_2026_07.csv"),
        b',',
    );
    assert_eq!(set_of(&cpsc, &[0, 1]), all);
    assert!(cpsc.iter().any(|row| row[6] == "*"));
    let keys = set_of(&cpsc, &[0, 1, 2]);
    assert_eq!(keys.len(), cpsc.len() - 1);
    let header = csv_rows(&member_of(benefits, "PlanRegionArea.txt"), b'\t').remove(0);
    assert_eq!(header.iter().filter(|name| *name == "segment_id").count(), 2);
    assert_eq!(csv_rows(&member_of(benefits, "pbp_step7f.txt"), b'\t').len(), 1);
}

#[test]
fn star_tables_mix_words_numbers_and_encodings() {
    let made = all_objects("planinfo", &Plan { scale: 0.01, ..Plan::default() });
    let old = &made["2025 Star Ratings Data Table - Measure Data (Oct 10 2024).csv"].0;
    let rows = csv_rows(old, b',');
    assert!(rows[0][0].starts_with("2025 Data View") && rows[1][0] == "CONTRACT_ID");
    assert!(rows[2][5].starts_with("C01: ") && rows[3][5].contains('–'), "{:?}", rows[3]);
    assert!(old.windows(3).any(|bytes| bytes == "‘".as_bytes()), "a name in UTF-8");
    assert!(old.contains(&0x96), "a header in cp1252");
    assert!(!old.ends_with(b"\n") && rows.iter().all(|row| row.len() == 47));
    let summary =
        csv_rows(&made["2026 Star Ratings Data Table - Summary Rating (Oct 10 2025).csv"].0, b',');
    for row in &summary[1..] {
        assert!(row[0].ends_with(' '));
        let overall = row[10].trim_end();
        let stars = overall.parse::<f64>().is_ok_and(|stars| (1.0..=5.0).contains(&stars));
        assert!(stars || overall.chars().all(|c| c.is_alphabetic() || c == ' '), "{overall}");
        assert!(row[0].starts_with('S') || row[8] != "Not Applicable ", "{row:?}");
    }
}
