//! Writes texts through the csv crate in the habits of one publisher: delimiter, quotes, line
//! ends and encoding.

use std::borrow::Cow;
use std::io::{Result, Write};

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use encoding_rs::WINDOWS_1252;

use super::object::Written;

/// How a publisher writes tables.
#[derive(Clone, Copy)]
pub(super) struct Style {
    delimiter: u8,
    quotes: QuoteStyle,
    crlf: bool,
    cp1252: bool,
}

impl Style {
    /// Tabs, no quotes, CRLF, cp1252: the FDA's directory, CMS's PBP and crosswalk.
    pub(super) const TABS: Style =
        Style { delimiter: b'\t', quotes: QuoteStyle::Never, crlf: true, cp1252: true };
    /// Commas, quotes where needed, LF.
    pub(super) const PLAIN: Style =
        Style { delimiter: b',', quotes: QuoteStyle::Necessary, crlf: false, cp1252: false };
    /// Commas, every field quoted, CRLF.
    pub(super) const QUOTED: Style =
        Style { delimiter: b',', quotes: QuoteStyle::Always, crlf: true, cp1252: false };

    /// With LF.
    pub(super) const fn lf(self) -> Style {
        Style { crlf: false, ..self }
    }

    /// With CRLF.
    pub(super) const fn crlf(self) -> Style {
        Style { crlf: true, ..self }
    }

    /// In cp1252 where a name needs more than ASCII.
    pub(super) const fn cp1252(self) -> Style {
        Style { cp1252: true, ..self }
    }
}

/// A table being written.
pub(super) struct Table<'w> {
    csv: Writer<&'w mut dyn Write>,
    cp1252: bool,
    written: Written,
}

impl<'w> Table<'w> {
    /// Begins with a header line.
    pub(super) fn new<T: AsRef<str>>(
        out: &'w mut dyn Write,
        style: Style,
        header: &[T],
    ) -> Result<Table<'w>> {
        let terminator = if style.crlf { Terminator::CRLF } else { Terminator::Any(b'\n') };
        let csv = WriterBuilder::new()
            .delimiter(style.delimiter)
            .quote_style(style.quotes)
            .terminator(terminator)
            .flexible(true)
            .from_writer(out);
        let mut table = Table { csv, cp1252: style.cp1252, written: Written::default() };
        table.line(header)?;
        Ok(table)
    }

    /// Writes a line that is no row: more of the header.
    pub(super) fn line<T: AsRef<str>>(&mut self, fields: &[T]) -> Result<()> {
        let cp1252 = self.cp1252;
        self.csv.write_record(fields.iter().map(|field| match cp1252 {
            true => WINDOWS_1252.encode(field.as_ref()).0,
            false => Cow::Borrowed(field.as_ref().as_bytes()),
        }))?;
        Ok(())
    }

    /// Writes a row.
    pub(super) fn row<T: AsRef<str>>(&mut self, fields: &[T]) -> Result<()> {
        self.written.rows += 1;
        self.line(fields)
    }

    /// Says that the row just written, or about to be, is not what it was the night before.
    pub(super) fn changed(&mut self, is: bool) {
        self.written.changed += u64::from(is);
    }

    /// What was written.
    pub(super) fn finish(mut self) -> Result<Written> {
        self.csv.flush()?;
        Ok(self.written)
    }
}
