//! `kiln synth`: generated files of any size, written as they are made, into a folder or a
//! bucket. A thread makes the bytes; here they are hashed, cut into parts and sent off, so that
//! no file is ever whole in memory or on a disk that is not its own.

use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use aws_smithy_types::base64;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::{self, Sender};
use tokio_util::sync::CancellationToken;

use super::{Context, Start};
use crate::command::cli;
use crate::config::strict::suggest;
use crate::config::{Config, databases};
use crate::dev::failures::of_synth;
use crate::dev::synth;
use crate::dev::synth::{CHANGING, DATABASES, Member, Nights, Object, Only, Plan, objects};
use crate::error::{Exit, Failure, shell, stopped};
use crate::fetch::digest::hex;
use crate::fetch::location::S3Location;
use crate::fetch::store::{ObjectPiece, STREAM_PART_BYTES, Store};
use crate::load::meter::Meter;
use crate::report::progress::Progress;
use crate::report::{self, GeneratedObject};

/// What is shown of the writing is what is shown of a load.
impl synth::Progress for Meter {
    fn total(&self, bytes: u64) {
        self.total.store(bytes, Ordering::Relaxed);
    }

    fn bytes(&self, more: u64) {
        self.bytes.fetch_add(more, Ordering::Relaxed);
    }

    fn rows(&self, more: u64) {
        self.rows.fetch_add(more, Ordering::Relaxed);
    }
}

/// Where the files go.
enum To {
    Folder(PathBuf),
    Store(Store),
}

/// Who watches and who may stop it.
struct SynthWatch {
    progress: Progress,
    stop: CancellationToken,
    dry_run: bool,
}

/// `kiln synth [DATABASE…]`.
///
/// # Errors
/// When a number is out of range, or the folder or the store refuses.
pub(super) async fn run(start: Start, args: &cli::Synth) -> anyhow::Result<()> {
    let (year, quarter) = args.quarter;
    let nights = Nights { all: args.night, then: args.then.clone() };
    let night = nights.count();
    let plan = Plan { scale: args.scale, seed: args.seed, nights, year, quarter };
    plan.check().map_err(of_synth)?;
    let wanted = wanted(&start.config, &args.databases)?;
    known_to_change(&wanted, &args.then)?;
    let (stop, quiet) = (start.stop.clone(), start.quiet);
    let dry_run = args.dry_run.dry_run;
    let watch = |progress| SynthWatch { progress, stop, dry_run };
    let made = match args.to.as_deref() {
        Some(url) if url.starts_with("s3://") => {
            let location = S3Location::parse(url).ok_or_else(|| {
                Failure::new(Exit::Usage, format!("--to {url} is no bucket"))
                    .hint("--to s3://bucket/prefix")
            })?;
            let store = Store::connect(&location, None, start.config.s3_stall).await;
            write_all(&wanted, &plan, &To::Store(store), watch(Progress::new(quiet))).await?
        }
        Some(folder) => {
            let to = To::Folder(folder.into());
            write_all(&wanted, &plan, &to, watch(Progress::new(quiet))).await?
        }
        None => {
            refuse_configured(&start.config)?;
            let context = Context::open_store(start).await?;
            let to = To::Store(context.store().await);
            let outcome = write_all(&wanted, &plan, &to, watch(context.progress.clone())).await;
            context.close_after(outcome).await?
        }
    };
    if quiet && !args.json.json {
        return Ok(());
    }
    report::made(&made, night, args.json.json)
}

/// A name that says nothing here would leave the night as the one before, unnoticed.
fn known_to_change(databases: &[&str], then: &[Only]) -> anyhow::Result<()> {
    let of = CHANGING.iter().filter(|(database, _)| databases.contains(database));
    let known: Vec<&str> = of.flat_map(|(_, sources)| sources.iter().copied()).collect();
    let mut named = then.iter().flat_map(|only| &only.0);
    let Some(name) = named.find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
    let mean = suggest(name, known.iter().copied());
    let databases = databases.join(", ");
    let message = format!(
        "--then {name}: no source of that name changes from night to night in {databases}{mean}"
    );
    Err(Failure::new(Exit::Usage, message)
        .hint(format!("nothing, or some of: {}", known.join(", ")))
        .into())
}

/// What is generated has CMS's names and is newer than CMS's own: the next night would load it.
fn refuse_configured(config: &Config) -> anyhow::Result<()> {
    let Some(location) = &config.s3 else { return Ok(()) };
    let place = format!("s3://{}/{}", location.bucket, location.prefix);
    Err(Failure::new(Exit::Usage, format!("{place} is where CMS's files land"))
        .hint(format!("kiln synth --to FOLDER, or --to {} if that is meant", shell::word(&place)))
        .into())
}

/// Generates all files of these databases into the context's store.
///
/// # Errors
/// When the store refuses.
pub(super) async fn into_store(
    context: &Context,
    databases: &[&'static str],
    plan: &Plan,
) -> anyhow::Result<Vec<GeneratedObject>> {
    let (progress, stop) = (context.progress.clone(), context.stop.clone());
    let to = To::Store(context.store().await);
    write_all(databases, plan, &to, SynthWatch { progress, stop, dry_run: false }).await
}

/// The named databases, or those of the project that there is something for.
pub(super) fn wanted(config: &Config, named: &[String]) -> anyhow::Result<Vec<&'static str>> {
    if named.is_empty() {
        let known = databases(config)?;
        return Ok(DATABASES.into_iter().filter(|name| known.iter().any(|k| k == name)).collect());
    }
    let find = |name: &String| {
        DATABASES.into_iter().find(|known| known == name).ok_or_else(|| {
            let message = format!("there is nothing to generate for {name}");
            Failure::new(Exit::Usage, message)
                .hint(format!("one of: {}", DATABASES.join(", ")))
                .into()
        })
    };
    named.iter().map(find).collect()
}

async fn write_all(
    databases: &[&'static str],
    plan: &Plan,
    to: &To,
    watch: SynthWatch,
) -> anyhow::Result<Vec<GeneratedObject>> {
    let mut made = Vec::new();
    for database in databases {
        for object in objects(database, plan) {
            made.push(write(object, to, &watch).await?);
        }
    }
    Ok(made)
}

async fn write(object: Object, to: &To, watch: &SynthWatch) -> anyhow::Result<GeneratedObject> {
    let Object { database, posted, .. } = object;
    let (name, planned) = (object.name.clone(), object.planned.clone());
    let key =
        |store: &Store| format!("{}{posted}/{name}", store.location.database_prefix(database));
    let location = match to {
        To::Folder(folder) => folder.join(database).join(&name).display().to_string(),
        To::Store(store) => format!("s3://{}/{}", store.location.bucket, key(store)),
    };
    let mut made = GeneratedObject {
        database,
        name: name.clone(),
        location,
        bytes: None,
        sha256: None,
        planned,
        members: Vec::new(),
    };
    if watch.dry_run {
        return Ok(made);
    }
    let meter = Arc::new(Meter::default());
    let shown = watch.progress.watch("generating", vec![(name.clone(), meter.clone())]);
    let written = match to {
        To::Folder(folder) => {
            let (folder, name, stop) = (folder.join(database), name.clone(), watch.stop.clone());
            tokio::task::spawn_blocking(move || to_folder(object, &folder, &name, &meter, stop))
                .await?
        }
        To::Store(store) => to_store(object, store, &key(store), meter, &watch.stop).await,
    };
    drop(shown);
    // A stop breaks the writing off in many ways; it is one thing.
    if written.is_err() && watch.stop.is_cancelled() {
        return Err(stopped());
    }
    let Whole { bytes, sha256, members } = written?;
    tracing::info!(object = made.location, bytes, sha256 = hex(&sha256), "generated");
    (made.bytes, made.sha256, made.members) = (Some(bytes), Some(hex(&sha256)), members);
    Ok(made)
}

/// An object that was written to its end.
struct Whole {
    bytes: u64,
    sha256: [u8; 32],
    members: Vec<Member>,
}

/// Writes to a temporary file beside the place and then takes the name: a file under its name is
/// whole.
fn to_folder(
    object: Object,
    folder: &Path,
    name: &str,
    meter: &Meter,
    stop: CancellationToken,
) -> anyhow::Result<Whole> {
    let doing = || format!("write {}", folder.join(name).display());
    std::fs::create_dir_all(folder).with_context(doing)?;
    let file = tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o644))
        .tempfile_in(folder)
        .with_context(doing)?;
    let mut out = HashingWriter::new(std::io::BufWriter::with_capacity(1 << 20, file), stop);
    let members = object.write(&mut out, meter).map_err(of_synth)?;
    out.flush().with_context(doing)?;
    let HashingWriter { out, hash, bytes, .. } = out;
    let file = out.into_inner().map_err(|error| error.into_error()).with_context(doing)?;
    file.persist(folder.join(name)).map_err(|error| error.error).with_context(doing)?;
    Ok(Whole { bytes, sha256: hash.finalize().into(), members })
}

async fn to_store(
    object: Object,
    store: &Store,
    key: &str,
    meter: Arc<Meter>,
    stop: &CancellationToken,
) -> anyhow::Result<Whole> {
    // One part is on its way, one waits, one fills.
    let (sender, receiver) = mpsc::channel(1);
    let stopping = stop.clone();
    let making = tokio::task::spawn_blocking(move || {
        let mut out = HashingWriter::new(PartSender { sender, part: Vec::new() }, stopping);
        let members = object.write(&mut out, &*meter).map_err(of_synth)?;
        let HashingWriter { out, hash, bytes, .. } = out;
        let sha256: [u8; 32] = hash.finalize().into();
        let PartSender { sender, part } = out;
        // When the upload has ended before, its own error says why.
        let _ = sender.blocking_send(ObjectPiece::Last(part, base64::encode(sha256)));
        anyhow::Ok(Whole { bytes, sha256, members })
    });
    let uploaded = store.upload_pieces(key, receiver, stop).await;
    let made = making.await?;
    match (made, uploaded) {
        (Ok(whole), Ok(_)) => Ok(whole),
        // Either may have broken the other off: a refusal is the cause where the maker only
        // found nobody who takes its parts.
        (Err(made), Err(uploaded)) => Err(if broken_pipe(&made) { uploaded } else { made }),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

fn broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

/// Hands parts to the upload.
struct PartSender {
    sender: Sender<ObjectPiece>,
    part: Vec<u8>,
}

impl Write for PartSender {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.part.is_empty() {
            self.part.reserve_exact(STREAM_PART_BYTES);
        }
        let count = bytes.len().min(STREAM_PART_BYTES - self.part.len());
        self.part.extend_from_slice(&bytes[..count]);
        if self.part.len() == STREAM_PART_BYTES {
            let part = std::mem::take(&mut self.part);
            let sent = self.sender.blocking_send(ObjectPiece::More(part));
            sent.map_err(|_| std::io::Error::from(std::io::ErrorKind::BrokenPipe))?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Hashes and counts what goes through, and ends at a stop.
struct HashingWriter<W> {
    out: W,
    hash: Sha256,
    bytes: u64,
    stop: CancellationToken,
}

impl<W: Write> HashingWriter<W> {
    fn new(out: W, stop: CancellationToken) -> Self {
        HashingWriter { out, hash: Sha256::new(), bytes: 0, stop }
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.stop.is_cancelled() {
            return Err(std::io::Error::other("stopped"));
        }
        let count = self.out.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
