//! Writes a sealed build's file. It appears under its name when it is whole, and not before.

use std::io::Write as _;
use std::path::Path;
use std::pin::pin;

use bytes::Bytes;
use flate2::{Compression, GzBuilder};
use futures_util::StreamExt as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{END_OF_ROWS, FileHeader, MARK};
use crate::config::failpoint;
use crate::error::{Exit, Failure, failure, stopped};
use crate::export::subset::KeptTable;
use crate::fetch::digest::hex;
use crate::postgres::{Session, data_error, db, literal};
use crate::spec::schema::{Schema, SectionKind};

/// Chunks on their way to the thread that compresses; with their size this bounds the memory.
const CHUNKS_IN_FLIGHT: usize = 8;
/// Rows are handed to the compressor in pieces of about this size.
const CHUNK: usize = 64 << 10;

/// What a file is made of.
pub(crate) struct Script<'a> {
    /// Its first line.
    pub header: &'a FileHeader,
    /// The numbered files that the build was made by.
    pub schema: &'a Schema,
    /// The tables whose rows it carries.
    pub tables: &'a [KeptTable],
    /// A session in the build.
    pub session: &'a Session,
    /// The stop signal.
    pub stop: &'a CancellationToken,
}

/// A file that was written.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SubsetFile {
    /// Where.
    pub path: std::path::PathBuf,
    /// Its size.
    pub bytes: u64,
    /// sha256 of the SQL in it.
    pub sha256: String,
}

impl Script<'_> {
    /// Writes it: into a hidden file beside `path`, which takes the name at the very end.
    ///
    /// # Errors
    /// [`Exit::Usage`] when the file cannot be written, else the server's.
    pub(crate) async fn write(&self, path: &Path) -> anyhow::Result<SubsetFile> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let cannot = |error: std::io::Error| {
            Failure::new(Exit::Usage, format!("cannot write {}", path.display())).because(error)
        };
        let file = tempfile::Builder::new()
            .prefix(".kiln-")
            .suffix(".partial")
            .tempfile_in(folder)
            .map_err(cannot)?;
        let (sender, receiver) = mpsc::channel(CHUNKS_IN_FLIGHT);
        let work = tokio::task::spawn_blocking(move || compress(file, receiver));
        let fed = self.feed(&sender).await;
        drop(sender);
        let packed = work.await.map_err(|panic| anyhow::anyhow!("writing a file: {panic}"));
        // Where the file cannot be written, feeding it fails in its wake.
        let packed = packed?.map_err(cannot);
        let (file, sha256) = match packed {
            Ok(packed) => fed.map(|()| packed)?,
            Err(error) => return Err(error.into()),
        };
        failpoint::hit(failpoint::EXPORT)?;
        if self.stop.is_cancelled() {
            return Err(stopped());
        }
        let written = file.persist(path).map_err(|error| cannot(error.error))?;
        let bytes = written.metadata().map_err(cannot)?.len();
        Ok(SubsetFile { path: path.to_path_buf(), bytes, sha256 })
    }

    async fn feed(&self, sender: &mpsc::Sender<Bytes>) -> anyhow::Result<()> {
        let say = async |text: String| hand_on(sender, text.into()).await;
        say(self.opening()?).await?;
        say(self.sections(&SectionKind::PreData)?).await?;
        for table in self.tables {
            self.rows(table, sender).await?;
        }
        say(self.sections(&SectionKind::PostData)?).await?;
        say(self.sections(&SectionKind::Derive)?).await?;
        say(self.closing()?).await
    }

    fn opening(&self) -> anyhow::Result<String> {
        let header = serde_json::to_string(self.header)?;
        let FileHeader { database, subset, .. } = self.header;
        Ok(format!(
            "{MARK}header {header}\n\
             -- {database}: {subset}. With kiln: kiln restore FILE. Without: createdb -T template0\n\
             -- -E UTF8 -l C {database}, then: gunzip -c FILE | psql -v ON_ERROR_STOP=1 {database}\n\
             begin;\n\
             set local client_encoding = 'UTF8';\n\
             set local search_path = public, pg_catalog;\n\
             set local datestyle = 'ISO, YMD';\n\
             {MARK}kiln\n{}",
            include_str!("../../catalog/registry/build.sql")
        ))
    }

    /// The sections of one kind, file by file.
    fn sections(&self, kind: &SectionKind) -> anyhow::Result<String> {
        let mut text = String::new();
        for file in &self.schema.files {
            for section in file.of_kind(kind) {
                let place = format!("{}:{}", file.path.display(), section.line);
                if section.sql.lines().any(|line| line.starts_with(MARK)) {
                    let message = format!("{place}: a line begins with `{}`", MARK.trim_end());
                    return Err(failure(Exit::Usage, message));
                }
                text.push_str(&format!("{MARK}{} {place}\n{}", kind.word(), section.sql));
                if !text.ends_with('\n') {
                    text.push('\n');
                }
            }
        }
        Ok(text)
    }

    async fn rows(&self, table: &KeptTable, sender: &mpsc::Sender<Bytes>) -> anyhow::Result<()> {
        let begin = format!(
            "{MARK}copy {0}\ncopy \"{0}\" ({1}) from stdin;\n",
            table.name,
            table.column_list()
        );
        hand_on(sender, begin.into()).await?;
        let sql = format!("copy ({}) to stdout", table.ordered());
        let stream = self.session.copy_out(&sql).await.map_err(db("begin COPY TO"))?;
        let mut stream = pin!(stream);
        let mut chunk = Vec::with_capacity(CHUNK + CHUNK / 4);
        loop {
            let message = tokio::select! {
                message = stream.next() => message,
                () = self.stop.cancelled() => {
                    self.session.canceller().cancel().await;
                    return Err(stopped());
                }
            };
            let Some(message) = message else { break };
            chunk.extend_from_slice(&message.map_err(|error| data_error("COPY TO", &error))?);
            if chunk.len() >= CHUNK {
                let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK + CHUNK / 4));
                hand_on(sender, full.into()).await?;
            }
        }
        chunk.extend_from_slice(END_OF_ROWS);
        hand_on(sender, chunk.into()).await
    }

    /// What `psql` needs for the stamp that apps read; `kiln restore` writes its own.
    fn closing(&self) -> anyhow::Result<String> {
        let header = self.header;
        let manifest = literal(&serde_json::to_string(&header.manifest)?);
        let mut text =
            format!("{MARK}stamp\ninsert into kiln.manifest (document) values ({manifest});\n");
        for table in &header.tables {
            let Some(source) = &table.source else { continue };
            let optional =
                |text: &Option<String>| text.as_deref().map_or_else(|| "null".to_owned(), literal);
            text.push_str(&format!(
                "insert into kiln.source (source, state, attempt, period, posted, rows, rejected, \
                 digest, entry, loaded_at) values ({}, 'loaded', 1, {}, {}, {}, 0, {}, '{{}}', \
                 clock_timestamp());\n",
                literal(&table.table),
                optional(&source.period),
                optional(&source.posted),
                source.packed.as_ref().map_or(table.rows, |packed| packed.rows),
                literal(&source.digest)
            ));
        }
        let sources = header.tables.iter().filter_map(|table| table.source.as_ref());
        let mut periods: Vec<&str> =
            sources.filter_map(|source| source.period.as_deref()).collect();
        periods.sort_unstable();
        periods.dedup();
        let without: Vec<String> =
            header.manifest.without.iter().map(|source| literal(source)).collect();
        text.push_str(&format!(
            "insert into kiln.stamp (build, database, version, serves_from, fingerprint, period, without, \
             run, tool, manifest, ledger) values ({}, {}, {}, {}, {}, {}, array[{}]::text[], 'psql', \
             {}, {manifest}, '{{}}');\n{MARK}end\ncommit;\nvacuum analyze;\n",
            literal(&format!("{}_subset", header.database)),
            literal(&header.database),
            header.version,
            header.lock().serves_from,
            literal(&header.fingerprint),
            literal(&periods.join(", ")),
            without.join(", "),
            literal(&header.tool),
        ));
        Ok(text)
    }
}

async fn hand_on(sender: &mpsc::Sender<Bytes>, bytes: Bytes) -> anyhow::Result<()> {
    // The thread's own error says why it is gone.
    sender.send(bytes).await.map_err(|_| failure(Exit::Usage, "the file cannot be written"))
}

type CompressedFile = (tempfile::NamedTempFile, String);

fn compress(
    file: tempfile::NamedTempFile,
    mut receiver: mpsc::Receiver<Bytes>,
) -> std::io::Result<CompressedFile> {
    let mut sha256 = Sha256::new();
    // No name and no time in the gzip header: the same rows are the same bytes.
    let buffered = std::io::BufWriter::new(file);
    let mut packer = GzBuilder::new().mtime(0).write(buffered, Compression::default());
    while let Some(bytes) = receiver.blocking_recv() {
        sha256.update(&bytes);
        packer.write_all(&bytes)?;
    }
    let file = packer.finish()?.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    Ok((file, hex(&sha256.finalize())))
}
