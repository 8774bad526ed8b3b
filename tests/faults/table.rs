//! The kill matrix as a table: on standard error, and as Markdown in the file that
//! `KILN_TEST_TABLE` names, into which every test writes its own column.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Seek as _, Write as _};
use std::time::Duration;

use kiln::testing::config::failpoint;

use super::How;

/// What one attack came to.
pub struct Cell {
    /// The exit code; -9 for SIGKILL.
    pub code: i32,
    /// From start to end.
    pub took: Duration,
    /// What was live after it, and how many databases lay beside live and previous.
    pub state: String,
}

/// Point → way to die → text.
type Table = BTreeMap<String, BTreeMap<String, String>>;

/// Prints the column, and puts it into the file.
pub fn publish(how: How, cells: &[(&str, Cell)]) {
    let mut table = Table::new();
    fill(&mut table, how, cells);
    eprintln!("{}", render(&table));
    let Ok(path) = std::env::var("KILN_TEST_TABLE") else { return };
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.read(true).write(true).create(true).truncate(false).open(path).unwrap();
    // The other columns' tests run at the same time, in this process or in another.
    file.lock().unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    let mut table = parse(&text);
    fill(&mut table, how, cells);
    file.set_len(0).unwrap();
    file.rewind().unwrap();
    file.write_all(render(&table).as_bytes()).unwrap();
}

fn fill(table: &mut Table, how: How, cells: &[(&str, Cell)]) {
    for (point, cell) in cells {
        let Cell { code, took, state } = cell;
        let text = format!("{code}, {:.1} s, {state}", took.as_secs_f64());
        table.entry((*point).to_owned()).or_default().insert(how.name().to_owned(), text);
    }
}

fn parse(text: &str) -> Table {
    let mut table = Table::new();
    for line in text.lines().skip(2) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let row = table.entry(cells[0].to_owned()).or_default();
        for (how, cell) in How::ALL.iter().zip(&cells[1..]) {
            if !cell.is_empty() {
                row.insert(how.name().to_owned(), (*cell).to_owned());
            }
        }
    }
    table
}

fn render(table: &Table) -> String {
    let mut text = String::from("| point |");
    for how in How::ALL {
        let _ = write!(text, " {} |", how.name());
    }
    text.push_str("\n|---|---|---|---|---|---|\n");
    for point in failpoint::ALL {
        let Some(row) = table.get(point) else { continue };
        let _ = write!(text, "| {point} |");
        for how in How::ALL {
            let _ = write!(text, " {} |", row.get(how.name()).map_or("", String::as_str));
        }
        text.push('\n');
    }
    text
}

#[test]
fn columns_written_by_several_tests_come_together_in_one_table() {
    let cell = |code| Cell { code, took: Duration::from_millis(1240), state: "old live".into() };
    let mut table = Table::new();
    fill(&mut table, How::Error, &[("locked", cell(1)), ("gate", cell(1))]);
    let mut table = parse(&render(&table));
    fill(&mut table, How::Kill, &[("gate", cell(-9))]);
    let text = render(&table);
    assert!(text.contains("| locked | 1, 1.2 s, old live |  |  |  |  |\n"), "{text}");
    assert!(
        text.contains("| gate | 1, 1.2 s, old live |  |  | -9, 1.2 s, old live |  |\n"),
        "{text}"
    );
}
