//! Every problem of a file is named at once, with its line.

use super::*;

#[test]
fn every_problem_is_named_at_once_with_line_and_suggestion() {
    let text = "objct = \"x\"\nparts = \"six\"\n[format]\nencodng = \"utf-8\"\n";
    let path = Path::new("a.toml");
    let problems = Problems::default();
    let file = TomlFile::new(path, text, &problems);
    let parsed = file.parse().expect("it is TOML");
    let root = TomlTable::root(&file, &parsed);
    root.required_text("object");
    root.count("parts");
    let format = root.table("format").expect("a table");
    format.text("encoding");
    format.done();
    root.done();
    let said = problems.into_result("mend").unwrap_err().to_string();
    assert!(said.starts_with("4 problems:"), "{said}");
    assert!(said.contains("a.toml:1: unknown key `objct`; did you mean `object`?"), "{said}");
    assert!(said.contains("a.toml:1: `object` is missing"), "{said}");
    assert!(said.contains("a.toml:2: `parts` must be a whole number from 0, found string"));
    assert!(
        said.contains("a.toml:4: unknown key `format.encodng`; did you mean `encoding`?")
            || said.contains("unknown key `format.encodng`; did you mean"),
        "{said}"
    );
}

#[test]
fn text_that_is_not_toml_is_a_problem_with_its_line() {
    let problems = Problems::default();
    let file = TomlFile::new(Path::new("b.toml"), "a = 1\nb = = 2\n", &problems);
    assert!(file.parse().is_none());
    let said = problems.into_result("mend").unwrap_err().to_string();
    assert!(said.contains("b.toml:2: not TOML"), "{said}");
}

#[test]
fn numbers_are_what_toml_says_they_are() {
    let text = "hex = 0x10\nbits = 0b101\nlong = 1_000\nsigned = +5\nshare = 0x1\n\
                words = [{ prefix = 0o17 }]\n";
    let problems = Problems::default();
    let file = TomlFile::new(Path::new("a.toml"), text, &problems);
    let parsed = file.parse().expect("it is TOML");
    let root = TomlTable::root(&file, &parsed);
    let counts = ["hex", "bits", "long", "signed"].map(|key| root.count(key).map(|n| n.value));
    assert_eq!(counts, [Some(16), Some(5), Some(1_000), Some(5)]);
    assert_eq!(root.ratio("share"), Some(1.0));
    assert_eq!(root.words("words")[0].value, ("prefix".to_owned(), Some("15".to_owned())));
    assert_eq!(problems.count(), 0);
}
