//! What `run.sh` counts the instructions of: a stage of the hot loop over a file of so many rows.
//!
//! `instructions STAGE:CASE ROWS`; without arguments it names them, but not the stage `make`, which only
//! makes up the file, and is taken off the others. What came out goes to standard
//! output, so that nothing is optimised away.

#[path = "../micro/cases.rs"]
mod cases;

use cases::{Case, NAMES};

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (Some(what), Some(rows)) = (arguments.next(), arguments.next()) else {
        for stage in ["split", "encode"] {
            NAMES.iter().for_each(|name| println!("{stage}:{name}"));
        }
        return;
    };
    let (stage, name) = what.split_once(':').expect("STAGE:CASE");
    let case = Case::new(name, rows.parse().expect("a number of rows"));
    if stage == "make" {
        println!("{} rows made", case.rows);
        return;
    }
    if stage == "split" {
        println!("{} fields", case.split());
        return;
    }
    let (counts, bytes) = case.encode();
    assert_eq!(counts.loaded, case.rows);
    println!("{} rows, digest {:032x}, {bytes} bytes for COPY", counts.loaded, counts.digest);
}
