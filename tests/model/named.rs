//! Every action names the functions of kiln that it stands for, and they exist: who renames one finds the model.

use regex::Regex;

use crate::support::project;

/// The variants of a model's `Action`, each with its comment.
fn actions(model: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(project().join(model)).unwrap();
    let (_, body) = text.split_once("pub enum Action {").unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let (mut all, mut comment) = (Vec::new(), String::new());
    for line in body.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.strip_prefix("///") {
            Some(more) => comment.push_str(more),
            None => all.push((line.to_owned(), std::mem::take(&mut comment))),
        }
    }
    all
}

#[test]
fn every_action_names_functions_that_exist() {
    let named = Regex::new(r"`(src/[\w/]+\.rs)` `(\w+)`").unwrap();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for model in ["tests/model/build.rs", "tests/model/release.rs"] {
        for (action, comment) in actions(model) {
            let functions: Vec<_> = named.captures_iter(&comment).collect();
            if functions.is_empty() && !comment.starts_with(" Fault: ") {
                wrong.push(format!("{model}: {action} is no fault, and names no function"));
            }
            for function in functions {
                let (path, name) = (&function[1], &function[2]);
                let text = std::fs::read_to_string(project().join(path)).unwrap_or_default();
                let is_there =
                    text.contains(&format!("fn {name}(")) || text.contains(&format!("fn {name}<"));
                count += 1;
                if !is_there {
                    wrong.push(format!("{model}: {action}: {path} has no function {name}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count >= 35, "{count} functions are named");
}
