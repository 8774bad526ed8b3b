//! Packs texts as CMS does: each in a zip of its own, those in an outer zip. An inner zip is made
//! in an unlinked temporary file, so that memory stays the same whatever its size.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use anyhow::{Context as _, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::layout::Source;
use super::tamper::{At, Tamper};
use super::{Inner, Release};

/// No generated line is longer; decides when a text may pass 4 GiB.
const LONGEST_LINE: u64 = 512;

/// The outer zip while it is being written.
pub(super) struct Archive<'a, W: Write + Seek> {
    outer: ZipWriter<W>,
    tamper: Tamper<'a>,
    period: String,
    options: SimpleFileOptions,
    inner: Inner,
    zip64: bool,
}

impl<'a, W: Write + Seek> Archive<'a, W> {
    pub(super) fn new(out: W, release: &Release, tamper: Tamper<'a>) -> Result<Self> {
        let day = release.posted;
        // The calendar keeps month and day in range; the year may be out of what a zip can say.
        let stamp = DateTime::from_date_and_time(
            day.year() as u16,
            day.month() as u8,
            day.day() as u8,
            0,
            0,
            0,
        )
        .with_context(|| format!("generate release: posted {day} is no date for a zip"))?;
        let options = SimpleFileOptions::default()
            .last_modified_time(stamp)
            .unix_permissions(0o644)
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(1));
        Ok(Archive {
            outer: ZipWriter::new(out),
            tamper,
            period: release.period.clone(),
            options,
            inner: release.inner,
            zip64: release.zip64,
        })
    }

    /// Makes the zip of one text, of at most `rows` rows where that is many.
    pub(super) fn text(
        &mut self,
        source: Source,
        part: u32,
        rows: u64,
        body: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<File> {
        let mut zip = self.bundle()?;
        let shown = (source == Source::PharmacyNetworks).then_some(part);
        let name = source.text_name(&self.period, shown);
        if let Some(name) = self.tamper.member(&name) {
            let large = self.zip64 || rows.saturating_mul(LONGEST_LINE) > u64::from(u32::MAX);
            zip.start_file(name.as_str(), self.options.large_file(large))?;
            let at = At { source: source.name(), part, line: 1 };
            body(&mut self.tamper.on(&mut zip, at))
                .with_context(|| format!("generate release: member {name}"))?;
        }
        rewound(zip)
    }

    /// An empty zip in a temporary file.
    pub(super) fn bundle(&self) -> Result<ZipWriter<File>> {
        let file = tempfile::tempfile().context("generate release: make a temporary file")?;
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
        self.outer.finish().context("generate release: finish the zip")?.flush()?;
        Ok(())
    }

    fn nested(&self, zip: &File) -> Result<SimpleFileOptions> {
        // Deflate may make what is compressed already a little longer.
        let large = self.zip64 || zip.metadata()?.len() > u64::from(u32::MAX) / 100 * 99;
        let options = self.options.large_file(large);
        Ok(match self.inner {
            Inner::Deflated => options,
            Inner::Stored => {
                options.compression_level(None).compression_method(CompressionMethod::Stored)
            }
        })
    }
}

/// Finishes a zip in a temporary file and goes back to its start.
pub(super) fn rewound(zip: ZipWriter<File>) -> Result<File> {
    let mut file = zip.finish().context("generate release: finish an inner zip")?;
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
    io::copy(&mut zip, into).with_context(|| format!("generate release: member {name}"))?;
    Ok(())
}
