//! `kiln land`: what the old per-source scripts did: a verified upload under today's folder.

mod download;
mod place;
mod withdraw;

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

use aws_smithy_types::base64;
use sha2::{Digest as _, Sha256};

use super::{Context, Start};
use crate::command::cli;
use crate::config::known_database;
use crate::config::strict::Problems;
use crate::error::{Exit, Failure, from_io, stopped};
use crate::fetch::archive::whole_zip;
use crate::fetch::digest::hex;
use crate::fetch::kind::{self, FileKind};
use crate::fetch::object::Object;
use crate::fetch::plainfile;
use crate::fetch::store::{HashWriter, Pin};
use crate::report::{self, Landed};
use crate::spec::source::Sources;
use download::download;
use place::FileLocation;

/// `kiln land DATABASE FILE|URL…`.
///
/// # Errors
/// When a file is not whole, nobody wants it, or the store has something else afterwards.
pub(super) async fn run(start: Start, args: &cli::Land) -> anyhow::Result<()> {
    known_database(&start.config, &args.database)?;
    if args.withdraw {
        return withdraw::run(start, args).await;
    }
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
    let place = FileLocation::parse(place)?;
    let name = place.name()?;
    let readers = wanted_by(context, database, &name)?;
    let file = match &place {
        FileLocation::Web(url) => download(context, url, &name).await?,
        FileLocation::File(path) => plainfile::open(path).map_err(unreadable(path.clone()))?,
    };
    // A way to open a file that has no name; and what is uploaded is what was looked at.
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let look = Look { file: file.try_clone()?, place: place.shown(), name: name.clone() };
    let scratch = context.config.folder("scratch")?;
    let verdict = tokio::task::spawn_blocking(move || look.verify(&scratch));
    let (size, digest) = tokio::select! {
        verdict = verdict => verdict??,
        () = context.stop.cancelled() => return Err(stopped()),
    };
    let store = context.store().await;
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d");
    let key = format!("{}{day}/{name}", store.location.database_prefix(database));
    let location = format!("s3://{}/{key}", store.location.bucket);
    let replaces = store.existing(&key).await?.map(|object| object.size);
    if !dry_run {
        let shown = context.progress.stage(&format!("uploading {name}"));
        let pin = store.upload(&key, &path, &base64::encode(digest), &context.stop).await?;
        prove(context, pin, digest).await?;
        if let Some(landed) = store.existing(&key).await? {
            store.reinstate(&landed).await?;
        }
        drop(shown);
    }
    drop(file);
    tracing::info!(object = location, size, sha256 = hex(&digest), replaces, "landed");
    Ok(Landed { name, location, size, sha256: hex(&digest), readers, replaces })
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

fn unreadable(path: PathBuf) -> impl Fn(std::io::Error) -> anyhow::Error {
    move |error| {
        let message = format!("cannot read {}", path.display());
        Failure::new(Exit::InputUnavailable, message).because(error).into()
    }
}

/// A file that is to land, to be looked at.
struct Look {
    file: File,
    place: String,
    name: String,
}

impl Look {
    /// Size and sha256; a zip must have a directory, and the outer members their CRCs.
    fn verify(mut self, scratch: &std::path::Path) -> anyhow::Result<(u64, [u8; 32])> {
        let unreadable = unreadable(self.place.clone().into());
        let mut hash = HashWriter(Sha256::new());
        // One that was downloaded stands at its end.
        self.file.rewind().map_err(&unreadable)?;
        let size = std::io::copy(&mut self.file, &mut hash).map_err(&unreadable)?;
        self.file.rewind().map_err(&unreadable)?;
        let mut head = Vec::new();
        self.file.by_ref().take(kind::HEAD as u64).read_to_end(&mut head).map_err(&unreadable)?;
        let is_zip = self.name.to_ascii_lowercase().ends_with(".zip");
        let not_landed = format!("{} is not landed", self.name);
        is_what_it_is_called(FileKind::of(&head), is_zip)
            .and_then(|()| if is_zip { whole_zip(self.file, scratch) } else { Ok(()) })
            .map_err(|error| error.context(not_landed))?;
        Ok((size, hash.0.finalize().into()))
    }
}

/// Refuses a file that is something else than its name says, and says what it is.
fn is_what_it_is_called(kind: FileKind, is_zip: bool) -> anyhow::Result<()> {
    let (refused, hint) = match (kind, is_zip) {
        (FileKind::Zip | FileKind::Unknown, true) | (FileKind::Text | FileKind::Unknown, false) => {
            return Ok(());
        }
        (kind, true) => (format!("it is {}, not a zip archive", words(kind)), kind.hint_for_zip()),
        (FileKind::Empty, false) => ("it is empty".to_owned(), "download it again"),
        (FileKind::Page, false) => {
            (format!("it is {}, not the file", words(kind)), FileKind::Page.hint_for_zip())
        }
        (kind, false) => {
            (format!("it is {}, and not called so", words(kind)), "land it as it was posted")
        }
    };
    Err(Failure::new(Exit::InputRejected, refused).hint(hint).into())
}

fn words(kind: FileKind) -> &'static str {
    kind.words().unwrap_or("something else")
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
