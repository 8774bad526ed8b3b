//! Whether quotes mean something in a file, and whether fields in them hold line ends.
//!
//! Both are decided on the whole of it: one stray quote at its far end is enough to make RFC 4180
//! the wrong rule. A quote that is opened by mistake and closed some lines later reads like a field
//! with line ends, of the right width; the rows in it tell, for they are rows.

use std::collections::HashMap;

use super::cut;
use crate::error::Exit;
use crate::fetch::member::Member;
use crate::load::decode::Record;
use crate::spec::source::Quoting;

/// Widths that are distinguished: a file of more is no table anyway.
const WIDTHS_MAX: usize = 1000;
/// Lines of a field that are looked at.
const LINES_MAX: usize = 100;

/// What came of reading a file in one way.
#[derive(Debug, Default)]
struct QuoteTrial {
    /// Records whose fields lost quotes.
    unquoted: u64,
    /// Records whose quotes are not right, and the line of the first.
    flawed: u64,
    line: u64,
    widths: HashMap<usize, u64>,
    /// Lines within quotes, by the fields that each has read alone.
    inner: HashMap<usize, u64>,
    error: Option<String>,
}

impl QuoteTrial {
    fn width(&self) -> usize {
        let most = self.widths.iter().max_by_key(|(width, count)| (**count, **width));
        most.map_or(0, |(width, _)| *width)
    }

    /// Records of another width than most, and flawed ones.
    fn odd(&self) -> u64 {
        let most = self.widths.values().max().copied().unwrap_or(0);
        self.widths.values().sum::<u64>() - most + self.flawed
    }

    fn note(&mut self, record: &Record<'_>, delimiter: u8) {
        if record.flaw.is_some() {
            self.flawed += 1;
            self.line = if self.flawed == 1 { record.position.line } else { self.line };
            return;
        }
        let text: usize =
            (0..record.len()).filter_map(|at| record.field(at)).map(<[u8]>::len).sum();
        let whole = text + record.len().saturating_sub(1);
        self.unquoted += u64::from(whole != record.raw.len());
        if self.widths.len() < WIDTHS_MAX || self.widths.contains_key(&record.len()) {
            *self.widths.entry(record.len()).or_default() += 1;
        }
        if memchr::memchr(b'\n', record.raw).is_some() {
            for line in record.raw.split(|byte| *byte == b'\n').take(LINES_MAX) {
                let width = memchr::memchr_iter(delimiter, line).count() + 1;
                *self.inner.entry(width).or_default() += 1;
            }
        }
    }
}

fn trial(member: &Member, delimiter: u8, way: (Quoting, bool)) -> anyhow::Result<QuoteTrial> {
    cut(member, delimiter, way, |records| {
        let mut trial = QuoteTrial::default();
        loop {
            match records.next_record() {
                Ok(Some(record)) => trial.note(&record, delimiter),
                Ok(None) => return Ok(trial),
                // An open quote is the answer to what is asked here; a lost input is not.
                Err(error) if crate::error::exit_of(&error) == Exit::InputRejected => {
                    trial.error = Some(error.to_string());
                    return Ok(trial);
                }
                Err(error) => return Err(error),
            }
        }
    })
}

/// Quotes mean something when fields stand in them throughout the file, and reading them so makes
/// no row odder than taking them for characters.
pub(super) fn meaning(
    member: &Member,
    delimiter: u8,
    doubts: &mut Vec<String>,
) -> anyhow::Result<(Quoting, bool)> {
    let double = trial(member, delimiter, (Quoting::Double, false))?;
    if double.flawed == 0 {
        if double.unquoted == 0 && double.error.is_none() {
            return Ok((Quoting::None, false));
        }
    } else {
        let multiline = trial(member, delimiter, (Quoting::Double, true))?;
        let rows = multiline.inner.get(&multiline.width()).copied().unwrap_or(0);
        if multiline.error.is_none() && multiline.odd() < double.odd() && rows == 0 {
            doubts.push(
                "fields hold line ends, hence multiline = true: a stray quote would take \
                         rows along"
                    .to_owned(),
            );
            return Ok((Quoting::Double, true));
        }
    }
    let none = trial(member, delimiter, (Quoting::None, false))?;
    if double.error.is_none() && double.odd() <= none.odd() {
        return Ok((Quoting::Double, false));
    }
    let why = match &double.error {
        Some(error) => error.clone(),
        None => {
            format!("{} rows would be rejected (the first at line {})", double.odd(), double.line)
        }
    };
    doubts.push(format!("quotes are taken for characters: read as quotes, {why}"));
    Ok((Quoting::None, false))
}
