//! The settings: what is unknown is named, and what stands above what.

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
