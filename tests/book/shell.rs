//! The `kiln` commands of a line that is typed into a shell: enough of a shell's grammar for the docs.

/// What stands for a value that clap looks at, and one that it accepts.
const PLACEHOLDERS: [(&str, &str); 2] = [("YYYY-MM-DD", "2999-12-31"), ("MIN..MAX", "1..2")];

/// The words of every kiln command in a line, those in `$(…)` among them.
pub(super) fn kiln_commands(line: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("$(") {
        let inner = &line[at + 2..];
        found.extend(kiln_commands(&inner[..inner.find(')').unwrap_or(inner.len())]));
    }
    for words in commands(line) {
        let is_cargo = words.first().is_some_and(|word| word == "cargo");
        if words.first().is_some_and(|word| word == "kiln") {
            found.push(words);
        } else if is_cargo && words.get(1).is_some_and(|word| word == "run") {
            let own = words.iter().skip_while(|word| *word != "--").skip(1).cloned();
            found.push(std::iter::once("kiln".to_owned()).chain(own).collect());
        }
    }
    found
}

/// The commands of a line, as words: cut at `&&`, `||`, `;` and `|`, without comments and redirections.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    for word in words(line) {
        match word.as_str() {
            "&&" | "||" | ";" | "|" => all.push(Vec::new()),
            _ => all.last_mut().unwrap().push(word),
        }
    }
    for command in &mut all {
        if let Some(at) = command.iter().position(|word| word == ">") {
            command.truncate(at);
        }
        for word in command {
            if let Some((_, value)) = PLACEHOLDERS.iter().find(|(name, _)| word == name) {
                *word = (*value).to_owned();
            }
        }
    }
    all
}

fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote, mut begun) = (String::new(), None, false);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => (quote, begun) = (Some(c), true),
            (None, '#') if !begun => break,
            (None, c) if c.is_whitespace() => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (_, c) => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

#[test]
fn commands_are_found_behind_others_and_inside_of_them() {
    let line = r#"cd x && kiln waive a rows --why "it is # meant" && psql "$(kiln url a)" # kiln nonsense"#;
    let found = kiln_commands(line);
    assert_eq!(found[0], ["kiln", "url", "a"]);
    assert_eq!(found[1], ["kiln", "waive", "a", "rows", "--why", "it is # meant"]);
    assert_eq!(found.len(), 2);
}
