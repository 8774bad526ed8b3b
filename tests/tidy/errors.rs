//! Errors are values: nothing is decided by the text of one, and it is made text and JSON in one place.

use super::{Line, lines, none, only};

/// Files in which a decision may rest on a text, each because nothing else is told.
const DECIDED_BY_TEXT: [(&str, &str); 2] = [
    (
        "src/dev/servers/endpoint/receive.rs",
        "s3s tells a wrong hash of the whole by its name alone",
    ),
    (
        "src/dev/fuzzed/sections.rs",
        "a fuzz target asks whether what is wrong was said, as a test does",
    ),
];

/// What makes a text of an error, or is one.
const TEXTS_OF_ERRORS: [&str; 16] = [
    ".to_string()",
    "error::text(",
    "text(&error",
    "text(error",
    "message_of(",
    "source_chain(",
    ".message()",
    ".message.",
    "{error",
    "{err}",
    "{failure",
    "{cause",
    "format!(\"{:#}\"",
    "hint_of(",
    "53100",
    "3D000",
];

/// What asks a text something.
const ASKS: [&str; 12] = [
    ".contains(",
    ".starts_with(",
    ".ends_with(",
    ".split_once(",
    ".strip_prefix(",
    ".find(",
    ".matches(",
    ".eq(",
    ".eq_ignore_ascii_case(",
    ".as_str() == ",
    "== \"",
    "!= \"",
];

/// A statement of a file, with the line that it begins on.
struct Statement {
    file: String,
    number: usize,
    text: String,
}

fn statements(lines: &[Line]) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    for line in lines {
        let ends = |text: &str| text.ends_with([';', '{', '}', ',']);
        match statements.last_mut().filter(|last| last.file == line.file) {
            Some(last) if !ends(&last.text) => last.text.push_str(line.code()),
            _ => statements.push(Statement {
                file: line.file.clone(),
                number: line.number,
                text: line.code().to_owned(),
            }),
        }
    }
    statements
}

/// The name that a statement gives to the text of an error: `said` of `let said = error.to_string();`.
fn named_text(text: &str) -> Option<&str> {
    let (name, value) = text.trim().strip_prefix("let ")?.split_once('=')?;
    // Of any other value `to_string` is no text of an error.
    let makes = [
        "error.to_string()",
        "err.to_string()",
        "cause.to_string()",
        "error.message()",
        "error::text(",
        "message_of(",
        "source_chain(",
        "format!(\"{error",
    ];
    let name = name.trim().trim_start_matches("mut ").split(':').next()?.trim();
    let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    (is_name && makes.iter().any(|word| value.contains(word))).then_some(name)
}

/// Whether a statement decides by a text: of an error that it makes itself, or of one that has a name.
fn decides_by_text(text: &str, named: &[String]) -> bool {
    // A text that is only said ends in a macro or a call; one that is asked is followed by the question.
    let made = TEXTS_OF_ERRORS.iter().filter_map(|word| text.find(word)).min();
    let only_said = text.contains("format!(") && !text.contains("format!(\"{error");
    let asks_made = made
        .is_some_and(|at| !only_said && ASKS.iter().any(|ask| text[at..].contains(ask)))
        || made.is_some_and(|_| text.trim_start().starts_with("match ") && text.ends_with('{'))
            && text.contains(".as_str()");
    let asks_named = named.iter().any(|name| {
        let asked =
            |ask: &&str| text.contains(&format!("{name}{}", ask.trim_start_matches(".as_str()")));
        let spaced = |ask: &&str| text.contains(&format!("{name} {ask}"));
        ASKS.iter().any(|ask| asked(ask) || spaced(ask))
            || text.contains(&format!("match {name}"))
            || text.contains(&format!("is_match(&{name}"))
    });
    asks_made || asks_named
}

/// The statements that decide by the text of an error. A name counts to the end of its function.
fn deciding(all: &[Statement]) -> Vec<String> {
    let mut offending = Vec::new();
    let (mut named, mut file): (Vec<String>, &str) = (Vec::new(), "");
    for statement in all {
        let begins_a_function =
            statement.text.starts_with("fn ") || statement.text.contains(" fn ");
        if statement.file != file || begins_a_function {
            named.clear();
            file = &statement.file;
        }
        if decides_by_text(&statement.text, &named) {
            offending.push(format!("{}:{}: {}", statement.file, statement.number, statement.text));
        }
        named.extend(named_text(&statement.text).map(str::to_owned));
    }
    offending
}

#[test]
fn no_decision_rests_on_a_rendered_error() {
    let lines: Vec<Line> =
        lines().into_iter().filter(|line| !line.in_test && line.file.starts_with("src/")).collect();
    let all = statements(&lines);
    let allowed = |said: &String| DECIDED_BY_TEXT.iter().any(|(file, _)| said.starts_with(file));
    let (known, offending): (Vec<_>, Vec<_>) = deciding(&all).into_iter().partition(allowed);
    none("decide by kind or SQLSTATE (error::sqlstate_of), never by a text", offending);
    for (file, _) in DECIDED_BY_TEXT {
        let used = known.iter().any(|said| said.starts_with(file));
        assert!(used, "{file} decides by no text any more: take it off the list");
    }
    let hints = all.iter().filter(|statement| {
        statement.text.contains("\\nhint: ") && statement.file != "src/report/error.rs"
    });
    let hints = hints.map(|all| format!("{}:{}: {}", all.file, all.number, all.text)).collect();
    none("a hint is a value (error::hint_of), not a part of a text", hints);
}

#[test]
fn a_decision_by_a_text_is_found_in_every_form() {
    let statements = |text: &str| {
        let line = |(at, text): (usize, &str)| Line {
            file: "src/a.rs".to_owned(),
            number: at + 1,
            text: text.to_owned(),
            in_test: false,
        };
        statements(&text.lines().enumerate().map(line).collect::<Vec<Line>>())
    };
    for decides in [
        "if error.to_string().contains(\"full\") {",
        "if error\n    .to_string()\n    .starts_with(\"no\") {",
        "if error.message.contains(\"full\") {",
        "if message_of(&error).ends_with(\"full\") {",
        "if format!(\"{error:#}\").contains(\"full\") {",
        "if db_error.message() == \"full\" {",
        "match error.to_string().as_str() {",
        "let said = error.to_string();\nif said.contains(\"full\") {",
        "let said: String = message_of(&error);\nlet x = 1;\nmatch said.as_str() {",
        "let said = format!(\"{error}\");\nif said == \"full\" {",
        "let said = error.to_string();\nif FULL.is_match(&said) {",
    ] {
        assert_eq!(deciding(&statements(decides)).len(), 1, "{decides}");
    }
    for innocent in [
        "return Err(failure(Exit::Usage, format!(\"{error}: contains(\")));",
        "let said = error.to_string();\nsay!(\"{said}\");",
        "let said = error.to_string();\nfn other(said: &str) -> bool {\n    said.contains(\"x\")\n}",
        "let name = number.to_string();\nif name.contains('1') {",
    ] {
        assert_eq!(deciding(&statements(innocent)), Vec::<String>::new(), "{innocent}");
    }
}

#[test]
fn an_error_is_made_text_and_json_in_one_place() {
    let only_in_report = |rule: &str, words: &[&str]| only(rule, words, &["src/report/error.rs"]);
    only_in_report("report::error makes text of an error", &["nhint: {"]);
    only_in_report("report::error makes JSON of an error", &["\"error\": json("]);
    let makes = |line: &Line| {
        let is_test = line.in_test || !line.file.starts_with("src/");
        !is_test
            && line.code().contains("ErrorRecord {")
            && !line.code().contains("impl ")
            && !line.code().contains("-> ")
    };
    let made: Vec<String> = lines().iter().filter(|line| makes(line)).map(Line::place).collect();
    let by_known = |place: &String| {
        place.starts_with("src/error/record.rs") || place.starts_with("src/catalog/ledger/mod.rs")
    };
    let others: Vec<String> = made.into_iter().filter(|place| !by_known(place)).collect();
    none(
        "ErrorRecord::of says what an error's fields are (the ledger gives back what it noted)",
        others,
    );
}
