//! What a year changes: headings, county numbers, postal codes, sections. It is data in one place,
//! or the night ends and says what is new, and `source check` has said so before.

use crate::cases;
use crate::support::{Outcome, World, project, shared};

const REASONS_2022: &str = "2022 Disenrollment Reasons View,,,,,,,,\r\n\
Contract Number,Organization Marketing Name,Contract Name,Parent Organization,\
\"Problems Getting Needed Care, Coverage, and Cost Information\",\
Problems with Coverage of Doctors and Hospitals,Financial Reasons for Disenrollment,\
Problems with Prescription Drug Benefits and Coverage,\
Problems Getting Information and Help from the Plan\r\n\
H9001 ,Golden ,\"GOLDEN, INC. \",Golden Inc. ,23%,33%,19%,Not Available ,14%\r\n\
H9002 ,Silver ,SILVER ,Silver Inc. ,Not Available ,30%,18%,11%,12%\r\n";

const FILE_2022: &str = "2022 Star Ratings Data Table - Disenrollment Reasons (Oct 06 2021).csv";

/// A world with the project's own schema, in which an app accepts any version.
fn world() -> World {
    let mut world = World::new();
    world.root = project();
    for database in ["planinfo", "druginfo"] {
        let contract = ["contract", "set", database, "--app", "test", "--accepts", "1..99"];
        world.kiln(&contract).succeeds();
    }
    world
}

/// A night of some sources alone.
fn night_of(world: &World, database: &str, sources: &[&str]) -> Outcome {
    let folder = project().join("sources").join(database);
    let mut words = vec!["run".to_owned(), database.to_owned()];
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let source = name.strip_suffix(".toml").unwrap();
        if !sources.contains(&source) {
            words.extend(["--without".to_owned(), source.to_owned()]);
        }
    }
    world.kiln(&words.iter().map(String::as_str).collect::<Vec<_>>()).run()
}

fn check(world: &World, source: &str, file: &str) -> Outcome {
    let path = world.folder.path().join(file).to_string_lossy().into_owned();
    world.kiln(&["source", "check", "planinfo", source, &path]).run()
}

#[test]
fn the_reasons_for_leaving_of_2022_load_under_their_old_headings() {
    let world = world();
    world.put("planinfo", FILE_2022, REASONS_2022.as_bytes());
    let checked = check(&world, "star_disenrollment", FILE_2022);
    assert_eq!(checked.code, 0, "{checked}");
    let night = night_of(&world, "planinfo", &["star_disenrollment"]);
    assert_eq!(night.code, 0, "{night}");
    let rows = world.postgres.rows(
        "planinfo",
        "select measure_code || ' ' || coalesce(value_text, value_words) from star_rating
         where contract_id = 'H9001' order by 1",
    );
    let expected = ["1 23%", "2 33%", "3 19%", "4 Not Available", "5 14%"];
    assert_eq!(rows, expected.map(|said| format!("disenrollment_{said}")));
}

#[test]
fn cms_own_reasons_of_2022_load() {
    let Some(folder) = shared("bugs/star_2022") else { return };
    let world = world();
    let file = folder.join(FILE_2022).to_string_lossy().into_owned();
    world.kiln(&["source", "check", "planinfo", "star_disenrollment", &file]).succeeds();
    world.kiln(&["land", "planinfo", &file]).succeeds();
    let night = night_of(&world, "planinfo", &["star_disenrollment"]);
    assert_eq!(night.code, 0, "{night}");
    let count = "select count(*)::text from star_rating where kind = 'disenrollment'";
    assert_eq!(world.postgres.value("planinfo", count), (811 * 5).to_string());
}

#[test]
fn a_heading_that_nobody_knows_is_named_by_source_check_and_by_the_night() {
    let world = world();
    world.put("planinfo", FILE_2022, REASONS_2022.as_bytes());
    assert_eq!(night_of(&world, "planinfo", &["star_disenrollment"]).code, 0);
    let before = world.postgres.contents("planinfo");
    let file = "2031 Star Ratings Data Table - Disenrollment Reasons (Oct 01 2030).csv";
    let text = REASONS_2022.replace("Financial Reasons for Disenrollment", "Trouble with Money");
    world.put("planinfo", file, text.as_bytes());
    let title = "every heading of the star tables is known";
    let checked = check(&world, "star_disenrollment", file);
    assert_eq!(checked.code, 14, "{checked}");
    checked.says(&[title, "star_heading.sql"]);
    let night = night_of(&world, "planinfo", &["star_disenrollment"]);
    assert_eq!(night.code, 14, "{night}");
    night.says(&[title, "(year, source, heading)=(2031, star_disenrollment, Trouble with Money)"]);
    assert_eq!(world.postgres.contents("planinfo"), before);
}

fn land(world: &World, database: &str, name: &str, text: &str) {
    let path = world.folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    world.kiln(&["land", database, &path.to_string_lossy()]).succeeds();
}

/// The crosswalk as NBER has it since 2018, with some counties' SSA codes changed.
fn newer_crosswalk(world: &World, database: &str, renumber: impl Fn(&str) -> String) -> String {
    let sql =
        "select concat_ws(',', fipscounty, county, state, '', '', ssacounty, 'A STATE', county)
               from ssa_fips_county where county <> 'STATEWIDE' order by fipscounty, ssacounty";
    let header = "fipscounty,countyname_fips,state,cbsa_code,cbsa_name,ssa_code,state_name,countyname_rate\r\n";
    let mut text = header.to_owned();
    for row in world.postgres.rows(database, sql) {
        let fields: Vec<&str> = row.split(',').collect();
        let mut fields: Vec<String> = fields.into_iter().map(str::to_owned).collect();
        fields[5] = renumber(&fields[5]);
        text.push_str(&format!("{}\r\n", fields.join(",")));
    }
    // Since then the files have counties that lack one of the codes.
    text.push_str("09110,CAPITOL,CT,,,,CONNECTICUT,\r\n,,CT,,,07010,CONNECTICUT,HARTFORD\r\n");
    text
}

const RENUMBERED: &str = "numbers the counties of every state as CMS does now";

#[test]
fn a_newer_crosswalk_lands_under_its_new_headings_and_leads_to_the_same_plans() {
    for database in ["druginfo", "planinfo"] {
        let world = cases::live(database);
        let plans = "select string_agg(county_ssa || ' ' || county_fips, ', ' order by county_ssa, county_fips) from ssa_county";
        let before = world.postgres.value(database, plans);
        let file = newer_crosswalk(&world, database, str::to_owned);
        land(&world, database, "ssa_fips_state_county_2026.csv", &file);
        world.kiln(&["run", database]).succeeds();
        assert_eq!(world.postgres.value(database, plans), before, "{database}");
        let read = "select object from kiln.file where source = 'ssa_fips_county'";
        assert!(world.postgres.value(database, read).ends_with("_2026.csv"));
    }
}

#[test]
fn a_state_whose_counties_have_other_numbers_ends_the_night_by_its_name() {
    for (database, state, left_out) in [
        ("druginfo", "Testland", &[][..]),
        ("planinfo", "Washington", &["--without", "service_area", "--without", "enrollment_cpsc"]),
    ] {
        let world = cases::live(database);
        let before = world.postgres.contents(database);
        let first = if state == "Testland" { "01" } else { "50" };
        let file = newer_crosswalk(&world, database, |code| match code.strip_prefix(first) {
            Some(rest) => format!("{first}{:03}", rest.parse::<u32>().unwrap() + 5),
            None => code.to_owned(),
        });
        land(&world, database, "ssa_fips_state_county_2026.csv", &file);
        let night = world.kiln(&[&["run", database], left_out].concat()).exits(14);
        night.says(&[
            RENUMBERED,
            "(state_name, counties, ",
            &format!("=({state}, "),
            "land a newer one",
        ]);
        assert_eq!(world.postgres.contents(database), before, "{database}");
    }
}

#[test]
fn cms_release_with_a_states_counties_renumbered_is_refused_in_both_databases() {
    let (Some(cms), Some(bugs)) = (shared("cms"), shared("bugs")) else { return };
    let world = world();
    for (database, sources) in [
        (
            "druginfo",
            &["plan_information", "geographic_locator", "ssa_fips_county", "zip_county"][..],
        ),
        ("planinfo", &["plan_information", "geographic_locator", "ssa_fips_county", "zip_county"]),
    ] {
        let landed = |file: &std::path::Path| {
            world.kiln(&["land", database, &file.to_string_lossy()]).succeeds();
        };
        landed(&cms.join("geo/ssa_fips_state_county2017.csv"));
        landed(&cms.join("geo/zip_fips_county_code_and_state.csv"));
        landed(&cms.join("partd/SPUF_2026_20260701.sample.zip"));
        let night = night_of(&world, database, sources);
        assert_eq!(night.code, 0, "{night}");
        let before = world.postgres.contents(database);
        landed(&bugs.join("county_renumbered/SPUF_2026_20261104.zip"));
        let night = night_of(&world, database, sources);
        assert_eq!(night.code, 14, "{night}");
        night.says(&[RENUMBERED, "(state_name, ", "=(Washington, "]);
        assert_eq!(world.postgres.contents(database), before, "{database}");
        // The file has Guam's codes in American Samoa.
        let guam =
            "select string_agg(distinct fips || state, ' ') from zip_place where zip like '9691%'";
        assert_eq!(world.postgres.value(database, guam), "66010GU", "{database}");
    }
}

#[test]
fn postal_codes_that_lead_to_another_state_are_refused_and_guams_are_put_right() {
    let world = cases::live("planinfo");
    let before = world.postgres.contents("planinfo");
    let name = "zip_fips_county_code_and_state.csv";
    let rows = "zip,fips,county,state\n90001,06037,Los Angeles,CA\n92672,06073,San Diego,CA\n\
                96910,60010,Unknown,AS\n96799,60010,Unknown,AS\n";
    let wrong = format!(
        "{rows}98101,06037,Los Angeles,CA\n98102,06037,Los Angeles,CA\n98103,06037,Los Angeles,CA\n"
    );
    land(&world, "planinfo", name, &wrong);
    let night = world.kiln(&["run", "planinfo"]).exits(14);
    night.says(&["the postal codes of a state lead to that state", "(state_name)=(Washington)"]);
    assert_eq!(world.postgres.contents("planinfo"), before);
    // A state in which plans are sold, and that no postal code leads to.
    let lost = format!("{rows}98101,53999,Nowhere,WA\n");
    land(&world, "planinfo", name, &lost);
    let night = world.kiln(&["run", "planinfo"]).exits(14);
    night.says(&["sold by county lead to such a county", "(state_name)=(Washington)"]);
    assert_eq!(world.postgres.contents("planinfo"), before);
    let right = format!("{rows}98101,53033,King,WA\n");
    land(&world, "planinfo", name, &right);
    world.kiln(&["run", "planinfo"]).succeeds();
    let place = "select string_agg(fips || ' ' || state, ', ') from zip_place where zip = '96910'";
    assert_eq!(world.postgres.value("planinfo", place), "66010 GU");
    let county = "select name || ' ' || state_name from county where county_fips = '66010'";
    assert_eq!(world.postgres.value("planinfo", county), "Guam Guam");
}

const PBP: &str = "pbp-benefits-2026.zip";

/// The case's PBP release without some of its members, landed.
fn land_pbp_without(world: &World, gone: &[&str]) {
    let folder = project().join("tests/cases/planinfo/input").join(PBP);
    let path = world.folder.path().join(PBP);
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| !gone.contains(&name.as_str()))
        .collect();
    names.sort();
    for name in names {
        zip.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, &std::fs::read(folder.join(&name)).unwrap()).unwrap();
    }
    zip.finish().unwrap();
    world.kiln(&["land", "planinfo", &path.to_string_lossy()]).succeeds();
}

#[test]
fn a_release_that_lacks_what_plans_are_made_of_is_refused_until_a_person_says_why() {
    let world = cases::live("planinfo");
    let before = world.postgres.contents("planinfo");
    let premiums = "select count(premium_part_c)::text from plan";
    assert_ne!(world.postgres.value("planinfo", premiums), "0");
    let gone =
        ["pbp_Section_A.txt", "pbp_Section_D.txt", "pbp_b7_health_prof.txt", "pbp_step3.txt"];
    land_pbp_without(&world, &gone);
    let night = world.kiln(&["run", "planinfo"]).exits(11);
    night.says(&[
        "source pbp_section: ",
        "lacks sections section_a, section_d, b7_health_prof, which the live build planinfo_00001 has",
        "kiln waive planinfo sections --source pbp_section --why 'WHY' && kiln run planinfo",
    ]);
    assert_eq!(world.postgres.contents("planinfo"), before);
    let why = ["waive", "planinfo", "sections", "--source", "pbp_section", "--why", "an excerpt"];
    world.kiln(&why).succeeds();
    world.kiln(&["run", "planinfo"]).succeeds();
    // What is live lacks them now, by a person's word: the next night needs none.
    world.kiln(&["run", "planinfo"]).succeeds();
    let before = world.postgres.contents("planinfo");
    land_pbp_without(&world, &[&gone[..], &["pbp_mrx.txt"]].concat());
    let night = world.kiln(&["run", "planinfo"]).exits(11);
    night.says(&["lacks section mrx, which the live build"]);
    assert_eq!(world.postgres.contents("planinfo"), before);
}

#[test]
fn with_nothing_live_a_release_must_have_what_the_spec_requires() {
    let world = world();
    land_pbp_without(&world, &["pbp_Section_A.txt", "pbp_b7_health_prof.txt"]);
    let night = night_of(&world, "planinfo", &["pbp_section"]);
    assert_eq!(night.code, 11, "{night}");
    night.says(&["lacks section section_a, which sources/planinfo/pbp_section.toml requires"]);
    assert_eq!(world.postgres.contents("planinfo"), None);
    let path = world.folder.path().join(PBP).to_string_lossy().into_owned();
    let checked = world.kiln(&["source", "check", "planinfo", "pbp_section", &path]).run();
    assert_eq!(checked.code, 11, "{checked}");
    checked.says(&["lacks section section_a"]);
    // A part that a person mends by hand is asked as well, before the seal.
    land_pbp_without(&world, &["pbp_b7_health_prof.txt"]);
    let night = night_of(&world, "planinfo", &["pbp_section"]);
    assert_eq!(night.code, 0, "{night}");
}

#[test]
fn cms_own_part_of_the_pbp_release_is_known_to_be_one() {
    let Some(sample) = shared("cms/pbp/pbp-benefits-2026.zip") else { return };
    let world = world();
    world.kiln(&["land", "planinfo", &sample.to_string_lossy()]).succeeds();
    let night = night_of(&world, "planinfo", &["pbp_section", "plan_region_area"]);
    assert_eq!(night.code, 11, "{night}");
    night.says(&["lacks sections section_a, section_d, which"]);
    assert_eq!(world.postgres.contents("planinfo"), None);
    let why = ["waive", "planinfo", "sections", "--source", "pbp_section", "--why", "56 of 75"];
    world.kiln(&why).succeeds();
    let night = night_of(&world, "planinfo", &["pbp_section", "plan_region_area"]);
    assert_eq!(night.code, 0, "{night}");
}

#[test]
fn every_section_that_sql_reads_is_one_that_a_release_may_not_lack() {
    let read = |file: &str| std::fs::read_to_string(project().join(file)).unwrap();
    let spec: toml::Table = read("sources/planinfo/pbp_section.toml").parse().unwrap();
    let named = |key: &str| spec["sections"][key].as_array().unwrap().clone();
    let named: Vec<toml::Value> = [named("required"), named("expected")].concat();
    let section =
        regex::Regex::new(r"'(section_(?:a|d|c(?:_[a-z]+)?)|mrx|b\d+[a-z]?_[a-z0-9_]+)'").unwrap();
    let mut found = 0;
    for file in std::fs::read_dir(project().join("sql/planinfo")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "sql") {
            continue;
        }
        for name in section.captures_iter(&std::fs::read_to_string(&path).unwrap()) {
            let known = named.iter().any(|known| known.as_str() == Some(&name[1]));
            assert!(known, "{} reads {}, which the spec does not name", path.display(), &name[1]);
            found += 1;
        }
    }
    assert!(found > 100, "{found}");
}

#[test]
fn lists_that_two_databases_have_are_the_same_in_both() {
    let rows = |database: &str, table: &str| {
        let folder = project().join("sql").join(database);
        let mut files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let ending = format!("_{table}.sql");
        let file = files.find(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.ends_with(&ending) && name.len() == ending.len() + 4
        });
        let text = std::fs::read_to_string(file.unwrap()).unwrap();
        let values = text.split_once("\nvalues\n").unwrap().1.split_once(';').unwrap().0;
        values.to_owned()
    };
    for table in ["state", "county_change", "zip_range"] {
        assert_eq!(rows("planinfo", table), rows("druginfo", table), "{table}");
    }
}
