//! The settings: what is unknown is named, and what stands above what.

use super::settings::{Fallback, SettingForm};
use super::*;

#[test]
fn unknown_keys_and_variables_are_named_together() {
    let root = tempfile::tempdir().expect("a folder");
    let text = "[postgres]\nurll = \"x\"\n[s3]\nurl = \"http://x\"\n";
    std::fs::write(root.path().join("kiln.toml"), text).expect("written");
    let environment = BTreeMap::from([("KILN_HOMME".to_owned(), "x".to_owned())]);
    let said = Config::read(root.path().into(), &environment).unwrap_err().to_string();
    assert!(said.contains("3 problems"), "{said}");
    assert!(said.contains("kiln.toml:2: unknown key `postgres.urll`; did you mean `url`?"));
    assert!(said.contains("kiln.toml:4: `s3.url` must be s3://bucket"));
    assert!(said.contains("unknown variable KILN_HOMME; did you mean `KILN_HOME`?"));
}

#[test]
fn the_environment_stands_above_the_file() {
    let root = tempfile::tempdir().expect("a folder");
    std::fs::write(root.path().join("kiln.toml"), "[s3]\nurl = \"s3://a\"\n").expect("written");
    let environment = BTreeMap::from([("KILN_S3_URL".to_owned(), "s3://b/c/".to_owned())]);
    let config = Config::read(root.path().into(), &environment).expect("well formed");
    let location = config.s3.expect("set");
    assert_eq!((location.bucket.as_str(), location.prefix.as_str()), ("b", "c"));
    assert_eq!(location.database_prefix("druginfo"), "c/druginfo/");
}

/// What `kiln.toml` says where one setting has this value.
fn in_the_file(key: &str, form: SettingForm, value: &str) -> String {
    let written = match form {
        SettingForm::Like(_) => format!("{value:?}"),
        SettingForm::ListLike(_) => format!("[{value:?}]"),
        SettingForm::Count { .. } => value.to_owned(),
    };
    match key.rsplit_once('.') {
        Some((table, key)) => format!("[{}]\n{key} = {written}\n", table.replace("DATABASE", "a")),
        None => format!("{key} = {written}\n"),
    }
}

fn example(form: SettingForm) -> &'static str {
    match form {
        SettingForm::Like(text) | SettingForm::ListLike(text) => text,
        SettingForm::Count { .. } => "3",
    }
}

#[test]
fn every_setting_that_is_listed_is_read_and_has_the_default_that_is_listed() {
    let root = tempfile::tempdir().expect("a folder");
    for side in ["sql/a", "sources/a"] {
        std::fs::create_dir_all(root.path().join(side)).expect("made");
    }
    let read = |text: &str, environment: BTreeMap<String, String>| {
        std::fs::write(root.path().join("kiln.toml"), text).expect("written");
        Config::read(root.path().into(), &environment).map(|config| format!("{config:?}"))
    };
    let bare = read("", BTreeMap::new()).expect("well formed");
    for setting in SETTINGS {
        let values = [
            Some(example(setting.form)),
            match setting.default {
                Fallback::Value(text) => Some(text),
                Fallback::Words(_) | Fallback::Off => None,
            },
        ];
        for (value, is_default) in values.into_iter().zip([false, true]) {
            let Some(value) = value else { continue };
            if let Some(key) = setting.key {
                let said = read(&in_the_file(key, setting.form, value), BTreeMap::new());
                let said = said.unwrap_or_else(|error| panic!("{key}: {error:#}"));
                assert!(!is_default || said == bare, "the default of {key} is not {value}");
            }
            if let Some(name) = setting.variable.filter(|_| !is_default) {
                let environment =
                    BTreeMap::from([(name.replace("DATABASE", "A"), value.to_owned())]);
                read("", environment).unwrap_or_else(|error| panic!("{name}: {error:#}"));
            }
        }
    }
}

#[test]
fn every_setting_that_is_read_is_listed() {
    let file = include_str!("mod.rs");
    let asked = regex::Regex::new(r#"\.(?:text|count|texts)\("(\w+)"\)|within\(&?\w+, "(\w+)"|for \(key, role\) in\s+\[\("(\w+)", [^)]*\), \("(\w+)""#)
        .expect("a pattern");
    let listed: Vec<&str> = SETTINGS.iter().filter_map(|setting| setting.key).collect();
    let mut keys = 0;
    for found in asked.captures_iter(file) {
        for key in found.iter().skip(1).flatten() {
            let is_listed = listed.iter().any(|path| path.rsplit('.').next() == Some(key.as_str()));
            assert!(is_listed, "{} is read and not listed", key.as_str());
            keys += 1;
        }
    }
    assert_eq!(keys, listed.len(), "a key is read in a way that this test does not know");
    let variable = regex::Regex::new(r#""(KILN_[A-Z0-9_]+)""#).expect("a pattern");
    for found in variable.captures_iter(include_str!("environment.rs")) {
        let name = &found[1];
        let is_test = name == "KILN_TEST_";
        assert!(is_test || settings::variables().any(|v| v == name), "{name} is not listed");
    }
}

#[test]
fn a_database_may_have_a_server_of_its_own() {
    let root = tempfile::tempdir().expect("a folder");
    for folder in ["sql/a", "sources/a", "sql/b", "sources/b"] {
        std::fs::create_dir_all(root.path().join(folder)).expect("made");
    }
    let text = "[postgres]\nurl = \"u\"\n[postgres.a]\nurl = \"ua\"\n";
    std::fs::write(root.path().join("kiln.toml"), text).expect("written");
    let read = |variable: &str| {
        let environment = BTreeMap::from([(variable.to_owned(), "ue".to_owned())]);
        Config::read(root.path().into(), &environment)
    };
    let servers =
        |config: &Config| ["a", "b"].map(|name| config.server_of(name).map(str::to_owned));
    let of = |said: [&str; 2]| said.map(|url| Some(url.to_owned()));
    assert_eq!(servers(&read("KILN_LOG").expect("well formed")), of(["ua", "u"]));
    assert_eq!(servers(&read("KILN_POSTGRES_URL_A").expect("well formed")), of(["ue", "u"]));
    assert_eq!(servers(&read("KILN_POSTGRES_URL_B").expect("well formed")), of(["ua", "ue"]));
    assert_eq!(servers(&read("KILN_POSTGRES_URL").expect("well formed")), of(["ua", "ue"]));
    let said = read("KILN_POSTGRES_URL_C").unwrap_err().to_string();
    assert!(said.contains("unknown variable KILN_POSTGRES_URL_C"), "{said}");
    std::fs::write(root.path().join("kiln.toml"), "[postgres.c]\nurl = \"x\"\n").expect("written");
    let said = read("KILN_LOG").unwrap_err().to_string();
    assert!(said.contains("kiln.toml:1: unknown key `postgres.c`"), "{said}");
}
