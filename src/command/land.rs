//! `kiln land`: what the old per-source scripts did: a verified upload under today's folder.

use std::io::{Seek as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::Path;

use aws_smithy_types::base64;
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};

use super::{Context, Start, name_of};
use crate::cli;
use crate::config::known_database;
use crate::digest::hex;
use crate::error::{Exit, Failure, from_io};
use crate::fetch::archive::refuse_encrypted;
use crate::fetch::object::Object;
use crate::fetch::verified::{Expected, Verified};
use crate::pg::stopped;
use crate::report::{self, Landed};
use crate::source::Sources;
use crate::store::{HashWriter, Pin, file_name};
use crate::strict::Problems;

/// `kiln land DATABASE FILE|URL…`.
///
/// # Errors
/// When a file is not whole, nobody wants it, or the store has something else afterwards.
pub async fn run(start: Start, args: &cli::Land) -> anyhow::Result<()> {
    known_database(&start.config, &args.database)?;
    let context = Context::open_store(start).await?;
    let outcome = land_all(&context, args).await;
    let quiet = context.quiet && !args.json.json;
    let landed = context.close_after(outcome).await?;
    if quiet {
        return Ok(());
    }
    report::landed(&landed, args.dry_run.dry_run, args.json.json)
}

async fn land_all(context: &Context, args: &cli::Land) -> anyhow::Result<Vec<Landed>> {
    let mut landed = Vec::new();
    for place in &args.files {
        landed.push(land(context, &args.database, place, args.dry_run.dry_run).await?);
    }
    Ok(landed)
}

/// Lands one file; also what `kiln demo` uses.
pub(super) async fn land(
    context: &Context,
    database: &str,
    place: &str,
    dry_run: bool,
) -> anyhow::Result<Landed> {
    let url = place.starts_with("http://") || place.starts_with("https://");
    let name = match url {
        true => file_name(place.split(['?', '#']).next().unwrap_or(place)).to_owned(),
        false => name_of(Path::new(place)),
    };
    let readers = wanted_by(context, database, &name)?;
    let downloaded = match url {
        true => Some(download(context, place).await?),
        false => None,
    };
    let path = downloaded.as_ref().map_or_else(|| Path::new(place).to_path_buf(), nameless);
    let verdict = tokio::task::spawn_blocking(verify(path.clone(), name.clone()));
    let (size, digest) = tokio::select! {
        verdict = verdict => verdict??,
        () = context.stop.cancelled() => return Err(stopped()),
    };
    let store = context.store().await;
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d");
    let key = format!("{}{day}/{name}", store.location.database_prefix(database));
    let location = format!("s3://{}/{key}", store.location.bucket);
    if !dry_run {
        let shown = context.progress.stage(&format!("uploading {name}"));
        let pin = store.upload(&key, &path, &base64::encode(digest), &context.stop).await?;
        prove(context, pin, digest).await?;
        drop(shown);
    }
    tracing::info!(object = location, size, sha256 = hex(&digest), "landed");
    Ok(Landed { name, location, size, sha256: hex(&digest), readers })
}

/// The sources that would read a file of this name; a file that nobody reads is a slip.
fn wanted_by(context: &Context, database: &str, name: &str) -> anyhow::Result<Vec<String>> {
    let problems = Problems::default();
    let sources = Sources::read(&context.config.root, database, &problems)?;
    problems.into_result("kiln schema check")?;
    let readers: Vec<String> = sources
        .all
        .iter()
        .filter(|source| source.object.is_match(name))
        .map(|source| source.name.as_str().to_owned())
        .collect();
    if readers.is_empty() {
        let message = format!("no source of {database} reads a file named {name}");
        return Err(Failure::new(Exit::Usage, message)
            .hint(format!("name it as CMS does; `object` in sources/{database}/*.toml says how"))
            .into());
    }
    Ok(readers)
}

/// Size and sha256 of a file; a zip must have a directory, and the outer members their CRCs.
fn verify(
    path: std::path::PathBuf,
    name: String,
) -> impl FnOnce() -> anyhow::Result<(u64, [u8; 32])> {
    move || {
        let unreadable = |error: std::io::Error| {
            Failure::new(Exit::InputUnavailable, format!("cannot read {}", path.display()))
                .because(error)
        };
        let mut file = std::fs::File::open(&path).map_err(unreadable)?;
        let mut hash = HashWriter(Sha256::new());
        let size = std::io::copy(&mut file, &mut hash).map_err(unreadable)?;
        if name.to_ascii_lowercase().ends_with(".zip") {
            file.rewind().map_err(unreadable)?;
            whole_zip(file).map_err(|error| error.context(format!("{name} is not landed")))?;
        }
        Ok((size, hash.0.finalize().into()))
    }
}

fn whole_zip(file: std::fs::File) -> anyhow::Result<()> {
    let broken = |error: zip::result::ZipError| match error {
        zip::result::ZipError::Io(error) => from_io(error),
        other => {
            Failure::new(Exit::InputRejected, format!("it is not a whole zip archive: {other}"))
                .hint("download it again")
                .into()
        }
    };
    let mut archive = zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(broken)?;
    for index in 0..archive.len() {
        let raw = archive.by_index_raw(index).map_err(broken)?;
        let name = raw.name().map_err(broken)?.into_owned();
        let encrypted = raw.encrypted();
        drop(raw);
        if encrypted {
            return Err(refuse_encrypted().context(format!("member {name}")));
        }
        let mut member = archive.by_index(index).map_err(broken)?;
        // Declared sizes may lie; a landing file is not to fill the time either.
        let expected = Expected {
            size: member.size(),
            compressed: member.compressed_size(),
            bytes_max: u64::MAX,
            crc: Some(member.crc32()),
            sha256: None,
        };
        let mut verified = Verified::new(&mut member, expected, |_| ());
        let copied = std::io::copy(&mut verified, &mut std::io::sink()).map_err(from_io);
        let whole = copied.and_then(|_| verified.finish());
        whole.map_err(|error| error.context(format!("member {name}")))?;
    }
    Ok(())
}

/// Proves that the store has these bytes: by its own sha256, or else by reading them back.
async fn prove(context: &Context, pin: Pin, digest: [u8; 32]) -> anyhow::Result<()> {
    let same = pin.sha256.as_deref() == Some(base64::encode(digest).as_str());
    if pin.sha256_by_store && same {
        return Ok(());
    }
    let object = Object::new(&context.store().await, pin, &context.stop);
    let url = object.pin.url();
    let read_back = move || {
        let mut hash = HashWriter(Sha256::new());
        std::io::copy(&mut object.whole(), &mut hash).map_err(from_io)?;
        anyhow::Ok(hash.0.finalize())
    };
    let found = tokio::task::spawn_blocking(read_back).await??;
    if found[..] == digest[..] {
        return Ok(());
    }
    let message =
        format!("{url} is not what was sent: sha256 {}, sent {}", hex(&found), hex(&digest));
    Err(Failure::new(Exit::InputUnavailable, message).hint("land it again").into())
}

/// A way to open a file that has no name.
fn nameless(file: &std::fs::File) -> std::path::PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// Downloads to a scratch file without a name, so that nothing is left however kiln ends; a body
/// shorter than announced is an error of the client's.
async fn download(context: &Context, url: &str) -> anyhow::Result<std::fs::File> {
    let shown = context.progress.stage(&format!("downloading {}", file_name(url)));
    let refused = |error: reqwest::Error| {
        let message = format!("download {url}: {}", crate::pg::source_chain(&error.without_url()));
        Failure::new(Exit::InputUnavailable, message).hint("check the URL in a browser")
    };
    let work = async {
        let client = reqwest::Client::builder()
            .connect_timeout(context.config.s3_stall)
            .read_timeout(context.config.s3_stall * 3)
            .build()
            .map_err(refused)?;
        let answer = client.get(url).send().await.and_then(|answer| answer.error_for_status());
        let answer = answer.map_err(refused)?;
        let announced = answer.content_length();
        let mut file = tempfile::tempfile_in(context.config.folder("scratch")?)?;
        let mut size = 0;
        let mut body = answer.bytes_stream();
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(refused)?;
            size += piece.len() as u64;
            file.write_all(&piece)?;
        }
        file.flush()?;
        match announced {
            Some(announced) if announced != size => {
                let message = format!("download {url}: {size} bytes of {announced} came");
                Err(Failure::new(Exit::InputUnavailable, message).hint("land it again").into())
            }
            _ => anyhow::Ok(file),
        }
    };
    let file = tokio::select! {
        done = work => done,
        () = context.stop.cancelled() => Err(stopped()),
    };
    drop(shown);
    file
}
