//! What becomes of a file's records: rows for COPY, rejects and counts, which must agree with the records
//! and with each other.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use super::choices::Choices;
use super::cut::AllCut;
use super::rows::{BinaryRow, lines_say_what_rows_say, rows};
use super::shapes::{FuzzedSpec, TEXTS};
use crate::fetch::member::Member;
use crate::load::bind::Binding;
use crate::load::copy::FileToLoad;
use crate::load::copy::part::{self, ReaderMessage};
use crate::load::decode::BOM;
use crate::load::validate::{Counts, Reject};
use crate::spec::source::Format;

/// What a file became.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Loaded {
    /// Rows, as COPY is sent them.
    pub bytes: Vec<u8>,
    /// Of the file, and of the table.
    source_rows: u64,
    table_rows: u64,
    /// Columns that lines have.
    columns: Option<Vec<bool>>,
    pub rejects: Vec<Reject>,
    /// The counts, where the file was read to its end.
    pub counts: Option<Counts>,
    /// What else was counted, or why the file was refused.
    words: String,
}

/// Loads a text by a spec, in the pieces that it arrives in.
fn load(binding: &Binding, member: &Member, text: impl Read) -> Loaded {
    let part = FileToLoad {
        binding: Arc::new(binding.clone()),
        member: member.clone(),
        tally: Arc::default(),
        dictionaries: binding.dictionaries.iter().map(|_| Default::default()).collect(),
        siblings: Arc::default(),
        meter: Arc::default(),
        attempt: 1,
    };
    let taken = Mutex::new(Loaded::default());
    let hand_on = |piece| {
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        match piece {
            ReaderMessage::Reject(reject) => taken.rejects.push(*reject),
            ReaderMessage::Rows(rows) => {
                taken.bytes.extend_from_slice(&rows.bytes);
                taken.source_rows += rows.source_rows;
                taken.table_rows += rows.table_rows;
                taken.columns = rows.columns.map(|columns| columns.to_vec());
            }
        }
        Ok(())
    };
    let outcome = part::cut(&part, true, text, &hand_on);
    let mut taken = taken.into_inner().unwrap_or_else(PoisonError::into_inner);
    match outcome {
        Ok((counts, nulls, newline)) => {
            taken.counts = Some(counts);
            taken.words = format!("{nulls:?} {newline}");
        }
        Err(error) => taken.words = format!("{error:#}"),
    }
    taken
}

/// Loads a text, and says what must hold of it.
pub(super) fn loads(
    shape: &FuzzedSpec,
    choices: Choices,
    format: &Format,
    text: &[u8],
    cut: &AllCut,
) -> anyhow::Result<()> {
    // A byte order mark is no text: where it is skipped, the first record is another.
    let cut = Some(cut).filter(|_| !text.starts_with(BOM));
    let mut binding = shape.binding.clone();
    binding.source.format = format.clone();
    binding.source.personal = choices.bit(13);
    if choices.bit(14) {
        binding.lines = None;
    }
    let loaded = load(&binding, &shape.member, text);
    let pieces = load(&binding, &shape.member, choices.pieces(text));
    assert_eq!(loaded, pieces, "in pieces it is loaded otherwise");
    if let Some(cut) = cut {
        rejects_are_where_they_say(&binding, &loaded, cut);
    }
    let Some(counts) = loaded.counts else { return Ok(()) };
    assert!(counts.add_up(), "{counts:?}");
    if let Some(cut) = cut {
        assert!(cut.error.is_none(), "{:?}, and all of it is loaded", cut.error);
        assert_eq!(counts.lines, cut.records.len() as u64, "every record is counted");
    }
    assert_eq!(counts.rejected, loaded.rejects.len() as u64);
    assert_eq!(counts.loaded, loaded.source_rows, "{counts:?}");
    match (&loaded.columns, binding.source.pack.is_some()) {
        (_, true) => assert!(loaded.table_rows <= loaded.source_rows),
        (Some(columns), _) => {
            let mut binary = binding.clone();
            binary.lines = None;
            let rows = load(&binary, &shape.member, text);
            lines_say_what_rows_say(&loaded.bytes, columns, &binding, &rows.bytes);
        }
        (None, _) => assert_eq!(rows(&binding, &loaded.bytes)?.len() as u64, loaded.table_rows),
    }
    Ok(())
}

fn rejects_are_where_they_say(binding: &Binding, loaded: &Loaded, cut: &AllCut) {
    let mut records = cut.records.iter();
    for reject in &loaded.rejects {
        let record = records.find(|record| record.position.line == reject.line);
        assert!(record.is_some(), "no record is at {reject:?}");
        let Some(record) = record else { return };
        let end = record.position.byte + record.raw.len() as u64;
        assert!((record.position.byte..=end).contains(&reject.byte), "{reject:?}, {record:?}");
        match binding.source.personal {
            true => assert!(reject.bytes.is_empty(), "a personal reject keeps no bytes"),
            false => assert_eq!(reject.bytes, record.raw),
        }
    }
}

/// The rows of texts that a file becomes by a spec of these.
pub(super) fn texts(format: &Format, text: &[u8]) -> anyhow::Result<(Loaded, Vec<BinaryRow>)> {
    let all = FuzzedSpec::all().map_err(|source_rows| anyhow::anyhow!(source_rows))?;
    let shape = &all[TEXTS];
    let mut binding = shape.binding.clone();
    binding.source.format = format.clone();
    binding.lines = None;
    let loaded = load(&binding, &shape.member, text);
    let rows = rows(&binding, &loaded.bytes)?;
    Ok((loaded, rows))
}
