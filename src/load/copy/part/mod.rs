//! One file to rows, in a blocking thread: open, cut, hold the header against the spec,
//! validate, encode, and hand on in chunks.

mod chunk;
mod header;
mod lines;
mod pack;
mod place;

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::FileToLoad;
use crate::error::{Exit, Failure, Position};
use crate::fetch::ahead::ahead;
use crate::fetch::member::Member;
use crate::fetch::verified::{Complete, VerifiedReader};
use crate::load::decode::Records;
use crate::load::validate::{Counts, Nulls, Outcome, Reject, Validator};
use crate::postgres::Ident;
use crate::spec::source::Source;
pub use chunk::{ChunkBuilder, CopyChunk};
pub(crate) use lines::CopyColumns;
use lines::Filled;
use pack::SetPieces;

/// After the budget is spent, this many more rejects are looked for, so that a person sees
/// more than the first.
const REJECTS_BEYOND: u64 = 20;
/// Rejects that an error message shows.
const REJECTS_SHOWN: usize = 3;

/// What the reading thread hands on.
pub(crate) enum ReaderMessage {
    /// Encoded rows.
    Rows(CopyChunk),
    /// A row that was refused.
    Reject(Box<Reject>),
}

/// A source's rejects over all its parts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    rejected: AtomicU64,
    shown: Mutex<Vec<String>>,
    /// Where the first of those is.
    first: OnceLock<Position>,
}

impl Tally {
    fn note(&self, reject: &Reject, member: &Member) -> u64 {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.len() < REJECTS_SHOWN {
            self.first.get_or_init(|| {
                let mut first = Position::at_line(reject.line).column(reject.column.as_ref());
                first.fill(&member.position());
                first
            });
            let member = member.place();
            let column = reject.column.as_ref().map_or(String::new(), |c| format!(", column {c}"));
            let Reject { line, byte, reason, .. } = reject;
            shown.push(format!("{member} line {line}, byte {byte}{column}: {reason}"));
        }
        self.rejected.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// The error of a source whose budget is spent.
    pub(crate) fn over_budget(&self, allowed: u64, at_least: bool) -> anyhow::Error {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let count = self.count();
        let rows = if count == 1 { "row" } else { "rows" };
        let more = if at_least { "at least " } else { "" };
        let message =
            format!("{more}{count} {rows} rejected, the budget is {allowed}: {}", shown.join("; "));
        Failure::new(Exit::InputRejected, message)
            .hint("`select * from kiln.reject` in the kept build shows them all")
            .at(self.first.get().cloned().unwrap_or_default())
            .into()
    }
}

/// What the files of a source leave to one another.
#[derive(Default)]
pub struct Siblings {
    /// Rows that wait for those of the next file: a plan may go on there.
    held: Mutex<Option<ChunkBuilder>>,
    pieces: Arc<SetPieces>,
    filled: Arc<Filled>,
}

/// A part that was read to its end.
pub(crate) struct ReadPart {
    /// The proof that it was.
    pub proof: Complete,
    /// What was counted.
    pub counts: Counts,
    /// Which rows are null.
    pub nulls: Nulls,
}

/// Reads a part to its end and hands rows on, all of them with the source's last one; blocking.
///
/// # Errors
/// When the input cannot be read or is refused (with object and member), or `hand_on` fails.
pub(crate) fn read(
    part: &FileToLoad,
    last: bool,
    hand_on: &impl Fn(ReaderMessage) -> anyhow::Result<()>,
) -> anyhow::Result<ReadPart> {
    let meter = Arc::clone(&part.meter);
    let on_bytes = move |count| {
        meter.bytes.fetch_add(count, Ordering::Relaxed);
    };
    part.member
        .open(on_bytes, |input| rows(part, last, input, hand_on))
        .map_err(|error| part.member.located(error))
}

fn rows<R: Read + Send>(
    part: &FileToLoad,
    last: bool,
    input: VerifiedReader<R>,
    hand_on: &impl Fn(ReaderMessage) -> anyhow::Result<()>,
) -> anyhow::Result<ReadPart> {
    let ((counts, nulls, ended_in_newline), input) =
        ahead(input, |text| cut(part, last, text, hand_on))?;
    let proof = input.finish()?;
    refuse_odd_end(part, &counts, ended_in_newline)?;
    Ok(ReadPart { proof, counts, nulls })
}

/// Makes rows of a text; and says whether it ended in a line end.
pub(crate) fn cut(
    part: &FileToLoad,
    last: bool,
    text: impl Read,
    hand_on: &impl Fn(ReaderMessage) -> anyhow::Result<()>,
) -> anyhow::Result<(Counts, Nulls, bool)> {
    let source = &part.binding.source;
    let mut records = Records::new(text, &source.format);
    header::begin(source, &mut records)?;
    let (layout, header) = header::read(source, &mut records)?;
    let mut validator =
        Validator::new(&part.binding, layout, &part.member.known, &part.dictionaries, header);
    let held = || part.siblings.held.lock().unwrap_or_else(PoisonError::into_inner);
    let mut chunk =
        held().take().unwrap_or_else(|| ChunkBuilder::new(&part.binding, &part.siblings));
    loop {
        let start = chunk.rows.len();
        let Some(outcome) = validator.take_next(&mut records, &mut chunk.rows)? else { break };
        match outcome {
            Outcome::Row if chunk.added(start) => {}
            Outcome::Row => return Err(twice(source, validator.counts.lines)),
            Outcome::Filtered => {}
            Outcome::Rejected(reject) => {
                let count = part.tally.note(&reject, &part.member);
                hand_on(ReaderMessage::Reject(Box::new(reject)))?;
                let absolute = source.budget.rejects;
                if source.budget.reject_ratio == 0.0 && count > absolute + REJECTS_BEYOND {
                    return Err(part.tally.over_budget(absolute, true));
                }
            }
        }
        if let Some(rows) = chunk.full() {
            hand_on(ReaderMessage::Rows(rows))?;
        }
    }
    if !last && chunk.goes_on() {
        *held() = Some(chunk);
    } else if let Some(rows) = chunk.rest() {
        hand_on(ReaderMessage::Rows(rows))?;
    }
    let nulls = validator.nulls();
    Ok((validator.finish(), nulls, records.ended_in_newline()))
}

/// The error of a row whose place another one has taken.
fn twice(source: &Source, line: u64) -> anyhow::Error {
    let of = |index: usize| source.dictionaries[index].columns.iter().map(Ident::as_str);
    let pack = source.pack.as_ref();
    let key: Vec<&str> = pack.map_or(Vec::new(), |pack| of(pack.by).chain(of(pack.at)).collect());
    let message = format!("line {line} has the {} of a row before it", key.join(", "));
    Failure::new(Exit::InputRejected, message)
        .hint(format!(
            "the publisher has to say which of the two holds; until then: kiln run {}",
            source.without()
        ))
        .at(Position::at_line(line))
        .into()
}

fn refuse_odd_end(
    part: &FileToLoad,
    counts: &Counts,
    ended_in_newline: bool,
) -> anyhow::Result<()> {
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
            .at(Position::at_line(counts.lines))
            .into());
    }
    Ok(())
}
