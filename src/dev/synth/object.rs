//! What `kiln synth` makes: objects as a publisher posts them, each written as one stream from
//! its first byte to its last, so that a sink need not seek and memory does not grow.

use std::io::{self, Result, Write};

use jiff::civil::Date;
use serde::Serialize;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::error::{Error, doing};
use crate::progress::Progress;

/// Rows of one text, and how many of them were otherwise (or not there) the night before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) rows: u64,
    pub(super) changed: u64,
}

/// A text that was written: a member of a zip, or the object itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Its name, without the zips around it.
    pub name: String,
    /// The source that reads it; none for what lies beside the data.
    pub source: Option<&'static str>,
    /// Data rows.
    pub rows: u64,
    /// Bytes of text.
    pub bytes: u64,
    /// Rows that were otherwise, or not there, the night before.
    pub changed: u64,
}

/// When an object is posted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Posting {
    /// The day of this night.
    pub(super) day: Date,
    /// The time of every member of a zip: the same each night, as the bytes are to follow content.
    pub(super) stamp: Date,
}

type Body = Box<dyn FnOnce(&mut dyn Write) -> Result<Written> + Send>;
type Make = Box<dyn FnOnce(&mut dyn Write, &dyn Progress) -> Made + Send>;
type Made = std::result::Result<Vec<Member>, Error>;

/// An object to be written.
pub struct Object {
    /// The database that it is for.
    pub database: &'static str,
    /// The file name that its publisher would give it.
    pub name: String,
    /// The day of posting; objects land in a folder of that day.
    pub posted: Date,
    /// Rows of each source that will be written.
    pub planned: Vec<(&'static str, u64)>,
    /// Bytes of text to expect, roughly: for progress.
    pub bytes_about: u64,
    make: Make,
}

/// A text to be written.
pub(super) struct Text {
    pub(super) name: String,
    pub(super) source: Option<&'static str>,
    pub(super) rows: u64,
    pub(super) bytes_about: u64,
    pub(super) body: Body,
}

impl Text {
    /// Something that lies beside the data: a readme.
    pub(super) fn beside(name: impl Into<String>, text: &'static str) -> Text {
        let body = move |out: &mut dyn Write| {
            out.write_all(text.as_bytes())?;
            Ok(Written::default())
        };
        Text {
            name: name.into(),
            source: None,
            rows: 0,
            bytes_about: text.len() as u64,
            body: Box::new(body),
        }
    }
}

impl Object {
    pub(super) fn new(
        database: &'static str,
        name: String,
        posted: Date,
        planned: Vec<(&'static str, u64)>,
        bytes_about: u64,
        make: impl FnOnce(&mut dyn Write, &dyn Progress) -> Made + Send + 'static,
    ) -> Object {
        Object { database, name, posted, planned, bytes_about, make: Box::new(make) }
    }

    /// An object that is a text.
    pub(super) fn bare(database: &'static str, posted: Date, text: Text) -> Object {
        let planned = planned(std::slice::from_ref(&text));
        let (name, about) = (text.name.clone(), text.bytes_about);
        let make =
            move |out: &mut dyn Write, told: &dyn Progress| Ok(vec![write(text, out, told)?]);
        Object::new(database, name, posted, planned, about, make)
    }

    /// An object that is a zip of texts.
    pub(super) fn zip(
        database: &'static str,
        name: impl Into<String>,
        posting: Posting,
        texts: Vec<Text>,
    ) -> Object {
        let planned = planned(&texts);
        let about = texts.iter().map(|text| text.bytes_about).sum();
        let make = move |out: &mut dyn Write, told: &dyn Progress| {
            Ok(write_zip(texts, posting.stamp, out, told)?)
        };
        Object::new(database, name.into(), posting.day, planned, about, make)
    }

    /// Writes it and says what was written.
    ///
    /// # Errors
    /// Sizes that do not fit together, or a write that fails.
    pub fn write(self, out: &mut dyn Write, told: &dyn Progress) -> Made {
        told.total(self.bytes_about);
        let members = (self.make)(out, told)?;
        // The estimate gives way to the truth.
        told.total(members.iter().map(|member| member.bytes).sum());
        Ok(members)
    }
}

fn planned(texts: &[Text]) -> Vec<(&'static str, u64)> {
    texts.iter().filter_map(|text| Some((text.source?, text.rows))).collect()
}

fn write_zip(
    texts: Vec<Text>,
    stamp: Date,
    out: &mut dyn Write,
    told: &dyn Progress,
) -> Result<Vec<Member>> {
    let options = options(stamp)?;
    let mut zip = ZipWriter::new_stream(out);
    let mut members = Vec::with_capacity(texts.len());
    for text in texts {
        zip.start_file(text.name.as_str(), options.large_file(true))?;
        members.push(write(text, &mut zip, told)?);
    }
    zip.finish().map_err(doing("generate: finish the zip"))?.into_inner().flush()?;
    Ok(members)
}

fn write(text: Text, out: &mut dyn Write, told: &dyn Progress) -> Result<Member> {
    let mut counted = Counted::new(out, told);
    let Text { name, source, body, .. } = text;
    let written = body(&mut counted).map_err(doing(format!("generate: member {name}")))?;
    told.rows(written.rows);
    let bytes = counted.bytes;
    Ok(Member { name, source, rows: written.rows, bytes, changed: written.changed })
}

/// How members are packed: deflated, with this day as their time.
pub(super) fn options(day: Date) -> Result<SimpleFileOptions> {
    // The calendar keeps month and day in range; the year may be out of what a zip can say.
    let (year, month, of_month) = (day.year() as u16, day.month() as u8, day.day() as u8);
    let stamp = DateTime::from_date_and_time(year, month, of_month, 0, 0, 0)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
        .map_err(doing(format!("generate release: {day} is no date for a zip")))?;
    Ok(SimpleFileOptions::default()
        .last_modified_time(stamp)
        .unix_permissions(0o644)
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(4)))
}

/// Counts what is written through it.
pub(super) struct Counted<'t, W> {
    out: W,
    told: &'t dyn Progress,
    pub(super) bytes: u64,
}

impl<'t, W: Write> Counted<'t, W> {
    pub(super) fn new(out: W, told: &'t dyn Progress) -> Self {
        Counted { out, told, bytes: 0 }
    }
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let count = self.out.write(bytes)?;
        self.bytes += count as u64;
        self.told.bytes(count as u64);
        Ok(count)
    }

    fn flush(&mut self) -> Result<()> {
        self.out.flush()
    }
}
