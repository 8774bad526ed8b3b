//! Packs texts as CMS does: each in a zip of its own, those in an outer zip. A sink that can seek
//! gets sizes in its headers, for which an inner zip is made in an unlinked temporary file; a
//! sink that cannot gets zip within zip as one stream, sizes in data descriptors. Memory stays
//! the same whatever the size.

use std::fs::File;
use std::io::{self, Result, Seek, SeekFrom, Write};

use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use super::layout::Source;
use super::object::{Counted, Member, Written, options};
use super::tamper::{At, Tamper};
use super::{Inner, Release};
use crate::error::doing;
use crate::progress::Progress;

/// No generated line is longer; decides when a text may pass 4 GiB.
const LONGEST_LINE: u64 = 512;

/// The outer zip while it is being written.
pub(super) struct Archive<'a, W: Write + Seek> {
    outer: ZipWriter<W>,
    tamper: Tamper<'a>,
    told: &'a dyn Progress,
    period: String,
    options: SimpleFileOptions,
    inner: Inner,
    zip64: bool,
    streamed: bool,
}

/// One text of the release: a source, its part, and the most rows that it may have.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) source: Source,
    pub(super) part: u32,
    pub(super) rows: u64,
}

impl<'a, W: Write> Archive<'a, StreamWriter<W>> {
    /// For a sink that only takes bytes.
    pub(super) fn streamed(out: W, release: &Release, told: &'a dyn Progress) -> Result<Self> {
        Archive::of(ZipWriter::new_stream(out), release, Tamper::default(), told, true)
    }
}

impl<'a, W: Write + Seek> Archive<'a, W> {
    pub(super) fn new(
        out: W,
        release: &Release,
        tamper: Tamper<'a>,
        told: &'a dyn Progress,
    ) -> Result<Self> {
        Archive::of(ZipWriter::new(out), release, tamper, told, false)
    }

    fn of(
        outer: ZipWriter<W>,
        release: &Release,
        tamper: Tamper<'a>,
        told: &'a dyn Progress,
        streamed: bool,
    ) -> Result<Self> {
        Ok(Archive {
            outer,
            tamper,
            told,
            period: release.period.clone(),
            options: options(release.day(0))?,
            inner: release.inner,
            zip64: release.zip64,
            streamed,
        })
    }

    /// Writes a text in its zip.
    pub(super) fn member(
        &mut self,
        zip_name: &str,
        part: Part,
        body: impl FnOnce(&mut dyn Write) -> Result<Written>,
    ) -> Result<Option<Member>> {
        if !self.streamed {
            let (zip, member) = self.text(part, body)?;
            self.add(zip_name, zip)?;
            return Ok(member);
        }
        // How large it becomes is not known when its header is written.
        let options = self.options.large_file(true);
        let options = match self.inner {
            // A quick level: what is compressed already becomes no smaller.
            Inner::Deflated => options.compression_level(Some(2)),
            Inner::Stored => stored(options),
        };
        self.outer.start_file(zip_name, options)?;
        let mut zip = ZipWriter::new_stream(&mut self.outer);
        let member = write_text(
            &mut zip,
            part,
            (&self.period, self.options.large_file(large(part))),
            (&mut self.tamper, self.told),
            body,
        )?;
        zip.finish().map_err(doing("generate release: finish an inner zip"))?;
        Ok(member)
    }

    /// Makes the zip of one text in a temporary file.
    pub(super) fn text(
        &mut self,
        part: Part,
        body: impl FnOnce(&mut dyn Write) -> Result<Written>,
    ) -> Result<(File, Option<Member>)> {
        let mut zip = self.bundle()?;
        let options = self.options.large_file(self.zip64 || large(part));
        let to = (self.period.as_str(), options);
        let member = write_text(&mut zip, part, to, (&mut self.tamper, self.told), body)?;
        Ok((rewound(zip)?, member))
    }

    /// An empty zip in a temporary file.
    pub(super) fn bundle(&self) -> Result<ZipWriter<File>> {
        let file =
            tempfile::tempfile().map_err(doing("generate release: make a temporary file"))?;
        Ok(ZipWriter::new(file))
    }

    /// Puts an inner zip into the outer one.
    pub(super) fn add(&mut self, name: &str, zip: File) -> Result<()> {
        let Some(name) = self.tamper.member(name) else { return Ok(()) };
        let options = self.nested(&zip)?;
        copy_into(&mut self.outer, &name, zip, options)
    }

    /// Puts an inner zip into a zip that will itself be an inner one.
    pub(super) fn add_to(
        &mut self,
        bundle: &mut ZipWriter<File>,
        name: &str,
        zip: File,
    ) -> Result<()> {
        let Some(name) = self.tamper.member(name) else { return Ok(()) };
        let options = self.nested(&zip)?;
        copy_into(bundle, &name, zip, options)
    }

    /// Writes the outer zip's directory.
    pub(super) fn finish(self) -> Result<()> {
        self.outer.finish().map_err(doing("generate release: finish the zip"))?.flush()?;
        Ok(())
    }

    fn nested(&self, zip: &File) -> Result<SimpleFileOptions> {
        // Deflate may make what is compressed already a little longer.
        let large = self.zip64 || zip.metadata()?.len() > u64::from(u32::MAX) / 100 * 99;
        let options = self.options.large_file(large);
        Ok(match self.inner {
            Inner::Deflated => options,
            Inner::Stored => stored(options),
        })
    }
}

fn stored(options: SimpleFileOptions) -> SimpleFileOptions {
    options.compression_level(None).compression_method(CompressionMethod::Stored)
}

fn large(part: Part) -> bool {
    part.rows.saturating_mul(LONGEST_LINE) > u64::from(u32::MAX)
}

/// Writes one text into its own zip, unless a test drops it.
fn write_text<W: Write + Seek>(
    zip: &mut ZipWriter<W>,
    part: Part,
    (period, options): (&str, SimpleFileOptions),
    (tamper, told): (&mut Tamper<'_>, &dyn Progress),
    body: impl FnOnce(&mut dyn Write) -> Result<Written>,
) -> Result<Option<Member>> {
    let Part { source, part, .. } = part;
    let shown = (source == Source::PharmacyNetworks).then_some(part);
    let Some(name) = tamper.member(&source.text_name(period, shown)) else { return Ok(None) };
    zip.start_file(name.as_str(), options)?;
    let at = At { source: source.name(), part, line: 1 };
    let mut counted = Counted::new(tamper.on(zip, at), told);
    let written = body(&mut counted).map_err(doing(format!("generate release: member {name}")))?;
    let bytes = counted.bytes;
    told.rows(written.rows);
    let Written { rows, changed } = written;
    Ok(Some(Member { name, source: Some(source.name()), rows, bytes, changed }))
}

/// Finishes a zip in a temporary file and goes back to its start.
pub(super) fn rewound(zip: ZipWriter<File>) -> Result<File> {
    let mut file = zip.finish().map_err(doing("generate release: finish an inner zip"))?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn copy_into<W: Write + Seek>(
    into: &mut ZipWriter<W>,
    name: &str,
    mut zip: File,
    options: SimpleFileOptions,
) -> Result<()> {
    into.start_file(name, options)?;
    io::copy(&mut zip, into).map_err(doing(format!("generate release: member {name}")))?;
    Ok(())
}
