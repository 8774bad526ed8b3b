//! What `kiln source new` refuses, and that a refusal or a dry run writes nothing.

use super::Drafts;

fn written(drafts: &Drafts) -> usize {
    let count = |folder: &str| {
        let databases = std::fs::read_dir(drafts.path(folder)).unwrap();
        databases.map(|d| std::fs::read_dir(d.unwrap().path()).unwrap().count()).sum::<usize>()
    };
    count("sql") + count("sources")
}

#[test]
fn what_is_no_text_or_not_there_is_refused_with_its_reason() {
    let drafts = Drafts::new();
    for (name, bytes, code, said) in [
        ("empty.txt", &b""[..], 11, "is empty"),
        ("sheet.txt", b"PK\x03\x04rest", 11, "is a zip or a spreadsheet"),
        ("wide.txt", b"\xff\xfea\0b\0", 11, "is UTF-16"),
        ("nuls.txt", b"a|b\n\0\0\0|1\n", 11, "is binary"),
        ("broken.zip", b"no zip at all", 11, "is a text, not a zip archive"),
    ] {
        let file = drafts.file(name, bytes);
        drafts.world.kiln(&["source", "new", "made", &file]).exits(code).says(&[said, "hint: "]);
    }
    let nowhere = drafts.world.kiln(&["source", "new", "made", "nowhere.txt"]).exits(10);
    nowhere.says(&["there is neither a file nowhere.txt nor an object of it", "hint: "]);
    assert_eq!(written(&drafts), 0);
}

#[test]
fn a_zip_of_several_files_lists_them_and_asks() {
    let drafts = Drafts::new();
    let text = b"a|b\n1|x\n2|y\n";
    let file = drafts.zip(
        "SPUF_2026_20260701.zip",
        true,
        &[
            ("plan information  PPUF_2026Q2.txt", text),
            ("pricing file PPUF_2026Q2.txt", text),
            ("Readme.txt", b"read me"),
        ],
    );
    let kiln = |more: &[&str]| {
        let words = [&["source", "new", "made", file.as_str()], more].concat();
        drafts.world.kiln(&words).exits(2)
    };
    let asked = kiln(&[]);
    asked.says(&["holds 2 such files", "pricing file PPUF_2026Q2.txt", "--member NAME"]);
    assert!(!asked.stderr.contains("Readme"), "{asked}");
    kiln(&["--member", "PPUF"]).says(&["holds 2 such files"]);
    kiln(&["--member", "nothing"]).says(&["no member \"nothing\" among the 3"]);
    kiln(&["--member", "("]).says(&["neither a name nor a pattern"]);
    let said = drafts.draft(&["made", &file, "--member", "pricing"]);
    assert_eq!(said["source"], "pricing");
    let spec = said["spec"].as_str().unwrap();
    for expected in [
        r"object  = '(?i)^SPUF[\s_]+\d{4}[\s_]+(?<posted>\d{8})\.zip$'",
        r"archive = '(?i)(^|/)pricing[\s_]+file[\s_]+PPUF[\s_]+(\d{4}Q[1-4]|\d{8})\.zip$'",
        r"member  = '(?i)(^|/)pricing[\s_]+file[\s_]+PPUF[\s_]+(?<period>\d{4}Q[1-4]|\d{8})\.txt$'",
    ] {
        assert!(spec.contains(expected), "{expected} is not in\n{spec}");
    }
    let ledger = drafts.build("made", &[file]);
    assert_eq!(super::counts(&ledger, "pricing"), (2, 0));
    assert_eq!(ledger["sources"][0]["period"], "2026Q2");
}

#[test]
fn what_is_there_stays_unless_forced_and_a_slip_makes_no_database() {
    let drafts = Drafts::new();
    let file = drafts.file("plans.csv", "a,b\n1,x\n2,y\n");
    let dry = drafts.world.kiln(&["source", "new", "planinfo", &file, "--dry-run"]).succeeds();
    assert!(dry.stdout.contains("-- pre-data\ncreate table plans ("), "{dry}");
    assert_eq!(written(&drafts), 0);
    drafts.draft(&["planinfo", &file]);
    std::fs::write(drafts.path("sources/planinfo/plans.toml"), "by hand").unwrap();
    let again = drafts.world.kiln(&["source", "new", "planinfo", &file]).exits(2);
    again.says(&["sources/planinfo/plans.toml is there already", "--force"]);
    assert_eq!(drafts.text("sources/planinfo/plans.toml"), "by hand");
    let other = drafts.draft(&["planinfo", &file, "--name", "others"]);
    assert_eq!(other["table_file"], "sql/planinfo/0002_others.sql");
    let forced = drafts.draft(&["planinfo", &file, "--force"]);
    assert_eq!(forced["table_file"], "sql/planinfo/0001_plans.sql");
    assert_ne!(drafts.text("sources/planinfo/plans.toml"), "by hand");
    let slip = drafts.world.kiln(&["source", "new", "planinf", &file]).exits(2);
    slip.says(&["did you mean `planinfo`?", "mkdir"]);
    drafts
        .world
        .kiln(&["source", "new", "Plan Info", &file])
        .exits(2)
        .says(&["cannot name a database"]);
    let named = drafts.world.kiln(&["source", "new", "planinfo", &file, "--name", "a-b"]).exits(2);
    named.says(&["cannot name a table"]);
    assert_eq!(written(&drafts), 4);
}

#[test]
fn an_object_that_has_landed_is_drafted_and_tried_by_its_name() {
    let drafts = Drafts::new();
    let text = "a,b\n1,x\n2,y\n";
    let key = drafts.world.put("made", "plans_2026.csv", text.as_bytes());
    std::fs::remove_file(drafts.world.folder.path().join("plans_2026.csv")).unwrap();
    let by_name = drafts.draft(&["made", "plans_2026.csv"]);
    let url = format!("s3://kiln/{key}");
    let by_url = drafts.draft(&["made", &url, "--name", "other"]);
    assert_eq!((&by_name["rows"], &by_url["rows"]), (&2.into(), &2.into()));
    let tried = drafts.check(&["made", "plans", "plans_2026.csv", "--json"]);
    assert_eq!(tried.code, 0, "{tried}");
    assert_eq!(tried.json()["rows"][1], serde_json::json!(["2", "y"]));
}
