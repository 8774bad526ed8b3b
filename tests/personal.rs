//! People's data stay inside: a canary stands in every personal field of files that are good and
//! of files that are refused in every way there is, and is then looked for wherever a person or a
//! program could read it. That the search can find it is shown where the same files are not marked
//! personal.

mod broken;
mod files;
mod search;

use crate::support::{Kiln, World, cms, project};
use broken::broken;
use files::{Row, enrolment, mbi, rif, subsidy};
use search::{Search, nosy};

/// In every field that identifies somebody, in the hash key, and nowhere else.
pub const CANARY: &str = "QZ7CANARY";

/// A world with beneinfo's own specs, a talkative server, and a key that is a canary itself.
fn world(personal: bool) -> World {
    let mut world = World::new();
    world.root = project();
    world.own_root();
    if !personal {
        for source in ["bene_enrollment", "bene_lis", "bene_mbi", "beneficiary"] {
            let spec = format!("sources/beneinfo/{source}.toml");
            world.edit(&spec, "personal = true", "personal = false");
        }
    }
    nosy(&world);
    let key = world.folder.path().join("hash.key");
    std::fs::write(&key, format!("{CANARY} key of thirty-two bytes or more")).unwrap();
    world.environment.push(("KILN_HASH_KEY_FILE".into(), key.to_string_lossy().into_owned()));
    world.environment.push(("KILN_LOG".into(), "trace".into()));
    world.kiln(&["contract", "set", "beneinfo", "--app", "test", "--accepts", "1"]).succeeds();
    land_good(&world);
    world
}

fn land_good(world: &World) {
    world.put("beneinfo", "SYNTHETIC_BENE_MAPD_ENRLMT.csv", &enrolment(&[Row::good(1)]));
    world.put("beneinfo", "SYNTHETIC_BENE_LIS.csv", &subsidy(&[Row::good(1), Row::good(2)]));
    world.put("beneinfo", "SYNTHETIC_BENE_MBI_ID.csv", &mbi(&[Row::good(1)]));
    world.put("beneinfo", "beneficiary_2024.csv", &rif(&[Row::good(1)]));
}

#[test]
fn no_person_leaves_the_loader_whatever_the_file_is_like() {
    let world = world(true);
    let mut search = Search::start(&world);
    search.read(&world.kiln(&["run", "beneinfo"]).succeeds());
    search.everywhere(&world, "the good night");
    // The good night did load people, each as a hash.
    let people = "select count(*)::text || ' ' || count(distinct person) from person_county";
    assert_eq!(world.postgres.value("beneinfo", people), "1 1");
    for broken in broken() {
        world.put("beneinfo", broken.object, &broken.bytes);
        let outcome = world.kiln(&["run", "beneinfo"]).exits(broken.code);
        assert!(outcome.stderr.contains(broken.said), "{}: {outcome}", broken.what);
        search.read(&outcome);
        if broken.code == 11 {
            search.read(&world.kiln(&["load", "beneinfo", broken.source]).exits(11));
        }
        search.everywhere(&world, broken.what);
        land_good(&world);
    }
    for arguments in [&["status"][..], &["status", "--json"], &["prune"]] {
        search.read(&world.kiln(arguments).succeeds());
    }
    assert_eq!(search.end(), Vec::<String>::new());
}

#[test]
fn with_a_budget_bad_rows_are_kept_without_their_bytes() {
    let world = world(true);
    let spec = "sources/beneinfo/bene_enrollment.toml";
    world.edit(spec, "rejects      = 0", "rejects      = 9");
    let rows = [Row::good(1), Row::cut(2), Row::with(3, 8, CANARY), Row::with(4, 3, CANARY)];
    world.put("beneinfo", "SYNTHETIC_BENE_MAPD_ENRLMT.csv", &enrolment(&rows));
    let mut search = Search::start(&world);
    search.read(&world.kiln(&["run", "beneinfo", "--json"]).succeeds());
    search.everywhere(&world, "rejects within the budget");
    let kept = "select string_agg(line || ' ' || coalesce(column_name, '') || ' ' || reason || ' '
        || coalesce(length(bytes), 0), '; ' order by line) from kiln.reject";
    assert_eq!(
        world.postgres.value("beneinfo", kept),
        "3  short row: expected 14 fields, found 2 0; \
         4 BENE_ENRLMT_BGN_DT not a date in the declared format 0; \
         5 BENE_CNTRCT_NUM is not a contract (a letter or digit, and 4 digits) 0"
    );
    assert_eq!(search.end(), Vec::<String>::new());
}

/// The control: not marked personal, the same files leave the canary where such files may.
#[test]
fn the_search_finds_what_is_not_marked_personal() {
    let world = world(false);
    let mut search = Search::start(&world);
    for broken in broken() {
        if ["fields of another type", "strange header"].contains(&broken.what) {
            world.put("beneinfo", broken.object, &broken.bytes);
            search.read(&world.kiln(&["run", "beneinfo"]).exits(11));
            search.everywhere(&world, broken.what);
            land_good(&world);
        }
    }
    // What kiln never does: a statement with a value in it.
    let canary = format!("/* kiln */ select pg_sleep(0.5), '{CANARY}'");
    assert_eq!(world.postgres.refusal("loader", "postgres", &canary), None);
    let told = world.kiln(&["status", CANARY]).run();
    search.read(&told);
    search.everywhere(&world, "a statement");
    let found = search.end();
    for place in [
        "fields of another type: table kiln.reject in beneinfo_",
        "fields of another type: file base/",
        "strange header: table kiln.run in kiln",
        "strange header: file log/kiln",
        "a statement: file server.log",
        "standard error of kiln run beneinfo",
        "standard error of kiln status",
        "pg_stat_activity",
    ] {
        let is_found = found.iter().any(|line| line.starts_with(place));
        assert!(is_found, "not found in {place}; found in\n{}", found.join("\n"));
    }
}

#[test]
fn cms_own_synthetic_people_are_loaded_to_the_row() {
    let Some(folder) = cms("bene") else { return };
    let mut world = World::new();
    world.root = project();
    let key = world.folder.path().join("hash.key");
    std::fs::write(&key, "0123456789abcdef0123456789abcdef").unwrap();
    let kiln = |arguments: &[&str]| {
        world.kiln(arguments).env("KILN_HASH_KEY_FILE", &key.to_string_lossy()).succeeds()
    };
    for file in std::fs::read_dir(folder).unwrap() {
        kiln(&["land", "beneinfo", &file.unwrap().path().to_string_lossy()]);
    }
    kiln(&["contract", "set", "beneinfo", "--app", "test", "--accepts", "1"]);
    kiln(&["run", "beneinfo"]);
    let value = |sql: &str| world.postgres.value("beneinfo", sql);
    for (table, rows) in [
        ("kiln.reject", 0),
        ("bene_enrollment", 10_552),
        ("bene_lis", 5_238),
        ("bene_mbi", 26_643),
        ("beneficiary", 16),
        ("enrolment_span", 10_552),
        ("enrolment_span where end_date is null", 10_552),
        ("subsidy_span", 1_729),
        ("subsidy_span join enrolment_span using (person)", 1_729),
        ("bene_mbi join beneficiary using (mbi)", 15),
        ("person_county where ssa_county_code in ('22000', '22090')", 15),
        ("person_county where fips_county_code is null", 6),
    ] {
        assert_eq!(
            value(&format!("select count(*)::text from {table}")),
            rows.to_string(),
            "{table}"
        );
    }
    // HMAC-SHA256 of 1S00E00AA06 and of -1000006 under that key, as openssl has them.
    let person = "select count(*)::text || ' ' || min(person::text) from beneficiary where mbi = ";
    let told = value(&format!("{person} 'd9cf0e11-4a22-0a0e-3dbe-db5fd177c199'"));
    assert_eq!(told, "5 d78161f8-0aaa-f33c-7d5e-65dbd5d6abc5");
}

#[test]
fn the_private_servers_say_no_more() {
    let mut world = World::new();
    world.root = project();
    let mut search = Search::start(&world);
    let home = world.folder.path().join("home");
    let land = |name: &str, bytes: Vec<u8>| {
        let path = world.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_string_lossy().into_owned()
    };
    let files = [
        land("SYNTHETIC_BENE_MAPD_ENRLMT.csv", enrolment(&[Row::good(1)])),
        land("SYNTHETIC_BENE_LIS.csv", subsidy(&[Row::good(1)])),
        land("SYNTHETIC_BENE_MBI_ID.csv", mbi(&[Row::good(1)])),
        land("beneficiary_2024.csv", rif(&[Row::good(1), Row::with(2, 21, CANARY)])),
    ];
    let kiln = |arguments: &[&str]| {
        let mut kiln = Kiln::new(arguments);
        kiln.env("KILN_HOME", &home.to_string_lossy()).env("KILN_LOG", "trace");
        kiln.current_dir(&world.root).run()
    };
    for file in &files {
        search.read(&kiln(&["land", "beneinfo", file, "--json"]));
    }
    let refused = kiln(&["run", "beneinfo", "--json"]);
    assert_eq!(refused.code, 11, "{refused}");
    search.read(&refused);
    land("beneficiary_2024.csv", rif(&[Row::good(1)]));
    search.read(&kiln(&["land", "beneinfo", &files[3]]));
    kiln(&["contract", "set", "beneinfo", "--app", "test", "--accepts", "1"]);
    let done = kiln(&["run", "beneinfo", "--json"]);
    assert_eq!(done.code, 0, "{done}");
    search.read(&done);
    assert!(home.join("postgres/server.log").is_file() && home.join("log").is_dir());
    // What landed lies in the endpoint's folder; nowhere else in the home.
    std::fs::remove_dir_all(home.join("s3")).unwrap();
    search.files(&home, &home, "private servers");
    assert_eq!(search.end(), Vec::<String>::new());
}

#[test]
fn a_value_that_breaks_a_derived_table_is_not_said() {
    let world = world(true);
    let derived = "sql/beneinfo/0007_person_county.sql";
    // A schema that takes a code for a number: the server's own message then quotes the code.
    world.edit(derived, "a_mo_cnt = 12 and b_mo_cnt = 12", "state_code::int = 5");
    world.put("beneinfo", "beneficiary_2024.csv", &rif(&[Row::with(1, 2, "Q7")]));
    let outcome = world.kiln(&["run", "beneinfo"]).exits(14);
    outcome.says(&["0007_person_county.sql:", "SQLSTATE 22P02", "hint: "]);
    let run = "select string_agg(r::text, ' ') from kiln.run r";
    let said = [outcome.stderr, outcome.stdout, world.postgres.value("kiln", run), world.log()];
    for text in said {
        assert!(!text.contains("\"Q7\""), "{text}");
    }
}
