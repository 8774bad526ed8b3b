//! One file to rows, in a blocking thread: open, cut, hold the header against the spec,
//! validate, encode, and hand on in chunks.

mod header;

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::Part;
use crate::decode::Records;
use crate::error::{Exit, Failure};
use crate::fetch::verified::{Complete, Verified};
use crate::source::Encoding;
use crate::validate::{Counts, Outcome, Reject, Validator};

/// A chunk is handed on when it has grown to this.
const CHUNK: usize = 256 << 10;
/// After the budget is spent, this many more rejects are looked for, so that a person sees
/// more than the first.
const REJECTS_BEYOND: u64 = 20;
/// Rejects that an error message shows.
const REJECTS_SHOWN: usize = 3;

/// What the reading thread hands on.
pub enum Piece {
    /// Encoded rows, and how many they are.
    Rows(Bytes, u64),
    /// A row that was refused.
    Reject(Box<Reject>),
}

/// A source's rejects over all its parts.
#[derive(Debug, Default)]
pub struct Tally {
    rejected: AtomicU64,
    shown: Mutex<Vec<String>>,
}

impl Tally {
    fn note(&self, reject: &Reject, member: &str) -> u64 {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.len() < REJECTS_SHOWN {
            let column = reject.column.as_ref().map_or(String::new(), |c| format!(", column {c}"));
            let Reject { line, byte, reason, .. } = reject;
            shown.push(format!("{member} line {line}, byte {byte}{column}: {reason}"));
        }
        self.rejected.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// The error of a source whose budget is spent.
    pub fn over_budget(&self, allowed: u64, at_least: bool) -> anyhow::Error {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let count = self.count();
        let rows = if count == 1 { "row" } else { "rows" };
        let more = if at_least { "at least " } else { "" };
        let message =
            format!("{more}{count} {rows} rejected, the budget is {allowed}: {}", shown.join("; "));
        Failure::new(Exit::InputRejected, message)
            .hint("`select * from kiln.reject` in the kept build shows them all")
            .into()
    }
}

/// Reads a part to its end and hands rows on; blocking.
///
/// # Errors
/// The input's, with object and member, and what `hand_on` says.
pub fn read(
    part: &Part,
    hand_on: &impl Fn(Piece) -> anyhow::Result<()>,
) -> anyhow::Result<(Complete, Counts)> {
    let meter = Arc::clone(&part.meter);
    let on_bytes = move |count| {
        meter.bytes.fetch_add(count, Ordering::Relaxed);
    };
    part.member
        .open(on_bytes, |input| rows(part, input, hand_on))
        .map_err(|error| error.context(part.member.place()))
}

fn rows<R: Read>(
    part: &Part,
    input: Verified<R>,
    hand_on: &impl Fn(Piece) -> anyhow::Result<()>,
) -> anyhow::Result<(Complete, Counts)> {
    let source = &part.binding.source;
    let mut records = Records::new(input, &source.format);
    if matches!(source.format.encoding, Encoding::Utf8 | Encoding::Utf8OrWindows1252) {
        records.skip_prefix(b"\xef\xbb\xbf")?;
    }
    let (layout, header) = header::read(source, &mut records)?;
    let mut validator =
        Validator::new(&part.binding, layout, &part.member.known, &part.dictionaries, header);
    let mut chunk = Vec::with_capacity(CHUNK + CHUNK / 4);
    let mut rows = 0;
    while records.step()? {
        let outcome = match records.line() {
            Some(line) if validator.take_known(line, &mut chunk) => Outcome::Row,
            _ => validator.take(&records.record()?, &mut chunk),
        };
        match outcome {
            Outcome::Row => rows += 1,
            Outcome::Filtered => {}
            Outcome::Rejected(reject) => {
                let count = part.tally.note(&reject, &part.member.place());
                hand_on(Piece::Reject(Box::new(reject)))?;
                let absolute = source.budget.rejects;
                if source.budget.reject_ratio == 0.0 && count > absolute + REJECTS_BEYOND {
                    return Err(part.tally.over_budget(absolute, true));
                }
            }
        }
        if chunk.len() >= CHUNK {
            let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK + CHUNK / 4));
            hand_on(Piece::Rows(full.into(), rows))?;
            rows = 0;
        }
    }
    if !chunk.is_empty() {
        hand_on(Piece::Rows(chunk.into(), rows))?;
    }
    let counts = validator.finish();
    let ended_in_newline = records.ended_in_newline();
    let proof = records.into_input().finish()?;
    refuse_odd_end(part, &counts, ended_in_newline)?;
    Ok((proof, counts))
}

fn refuse_odd_end(part: &Part, counts: &Counts, ended_in_newline: bool) -> anyhow::Result<()> {
    let source = &part.binding.source;
    let spec = source.path.display();
    if counts.lines == counts.header && !source.format.header_only_allowed {
        return Err(Failure::new(Exit::InputRejected, "holds a header and no rows")
            .hint(format!("if that is normal: header_only = \"allow\" in {spec}"))
            .into());
    }
    if !ended_in_newline && source.format.final_newline_required {
        let message = format!("the last row (line {}) has no line end: is it cut?", counts.lines);
        return Err(Failure::new(Exit::InputRejected, message)
            .hint(format!("if that is normal: final_newline = \"optional\" in {spec}"))
            .into());
    }
    Ok(())
}
