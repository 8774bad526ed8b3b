//! A spec tried on a file: decoded, validated and encoded as in the night, into its table in a scratch
//! database, which says what the rows are and whether key and checks hold.

mod stored;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::SinkExt as _;
use tokio::sync::mpsc;
use tokio_postgres::CopyInSink;
use tokio_util::sync::CancellationToken;

use crate::command::{cli, scratch};
use crate::config::Config;
use crate::config::personal::{self, HashKey};
use crate::config::strict::{Problems, suggest};
use crate::error::{Exit, Failure, exit_of, failure, shell, stopped};
use crate::fetch::member::Member;
use crate::fetch::object::Object;
use crate::fetch::plainfile;
use crate::load::bind::{self, Binding};
use crate::load::copy::FileToLoad;
use crate::load::copy::part::{self, CopyChunk, ReadPart, ReaderMessage, Siblings};
use crate::load::validate::dictionary::Shared;
use crate::load::validate::{Counts, Reject};
use crate::load::{encode, members};
use crate::postgres::{Session, data_error, db};
use crate::report::{RejectKind, RejectPosition, TriedFile, TriedSpec};
use crate::spec::schema::{Schema, SchemaFile, SectionKind};
use crate::spec::source::{Source, Sources};

/// Rows that go into the scratch database; of a larger file the rest is only validated.
const ROWS_MAX: u64 = 500_000;
/// Groups of rejects that are kept, and positions that are shown of each.
const KINDS_MAX: usize = 100;
const PLACES_MAX: usize = 3;
/// Characters of a rejected record that are shown.
const EXAMPLE_MAX: usize = 120;
/// Pieces on their way between the threads.
const PIECES_IN_FLIGHT: usize = 4;

/// Tries the source on the object.
///
/// # Errors
/// When the file cannot be read to its end, or the schema cannot be made.
pub(super) async fn run(
    config: &Config,
    args: &cli::SourceCheck,
    object: Arc<Object>,
    stop: &CancellationToken,
) -> anyhow::Result<TriedSpec> {
    let (schema, source) = read(config, args)?;
    let found = {
        let (source, object) = (source.clone(), Arc::clone(&object));
        let scratch = config.folder("scratch")?;
        super::blocking(move || members::find(&source, &[object], &scratch), stop).await?
    };
    let on = args.scratch.server.as_deref();
    scratch::with(config, on, "source check", stop, async |scratch| {
        let session = scratch.database().await?;
        let mut trial = SourceTrial::open(config, &schema, source, session, stop).await?;
        for member in found.members {
            trial.load(member, stop).await?;
        }
        trial.note_sections();
        trial.tell(args, &object).await
    })
    .await
}

/// The source, with what is wrong in its own two files; its neighbours' mistakes do not matter.
fn read(config: &Config, args: &cli::SourceCheck) -> anyhow::Result<(Schema, Source)> {
    let (root, database) = (&config.root, &args.database);
    let sources = Sources::read(root, database, &Problems::default())?;
    if !sources.stems.contains(&args.source) {
        let mean = suggest(&args.source, sources.stems.iter().map(String::as_str));
        let message = format!("{database} has no source {:?}{mean}", args.source);
        return Err(Failure::new(Exit::Usage, message)
            .hint(format!("to draft one: kiln source new {database} {}", shell::word(&args.file)))
            .into());
    }
    let spec = std::path::Path::new("sources").join(database).join(format!("{}.toml", args.source));
    let text = plainfile::text(&root.join(&spec)).map_err(|error| {
        Failure::new(Exit::Usage, format!("cannot read {}", spec.display())).because(error)
    })?;
    let problems = Problems::default();
    let source = Source::parse(&spec, &text, &problems);
    problems.into_result("sources/README.md says what a spec may hold")?;
    let source = source.ok_or_else(|| anyhow::anyhow!("a spec without problems is none"))?;
    if source.personal {
        personal::keep_out_of_core_dumps();
    }
    let schema = Schema::read(root, database, &Problems::default())?;
    Ok((schema, source))
}

struct SourceTrial {
    /// As the file has it: with its true budget.
    source: Source,
    binding: Arc<Binding>,
    dictionaries: Arc<[Shared]>,
    siblings: Arc<Siblings>,
    /// The table's file, and the files of its dictionaries.
    tables: Vec<SchemaFile>,
    /// The database's other files: what the night would make beside and of it.
    others: Vec<SchemaFile>,
    session: Session,
    counts: Vec<TriedFile>,
    kinds: BTreeMap<(Option<String>, String), RejectKind>,
    sent: u64,
    all_sent: bool,
    /// Sections that every release has, and this one has not.
    missing: Vec<String>,
}

impl SourceTrial {
    async fn open(
        config: &Config,
        schema: &Schema,
        source: Source,
        session: Session,
        stop: &CancellationToken,
    ) -> anyhow::Result<SourceTrial> {
        let is_filled =
            |file: &&SchemaFile| source.tables().any(|table| table.as_str() == file.table);
        let (tables, others): (Vec<SchemaFile>, Vec<SchemaFile>) =
            schema.files.iter().cloned().partition(|file| is_filled(&file));
        if !tables.iter().any(|file| file.table == source.name.as_str()) {
            let message = format!("source {} has no table in sql/{}", source.name, schema.database);
            return Err(failure(Exit::Usage, message));
        }
        for table in &tables {
            table.apply(&session, &SectionKind::PreData, stop).await?;
        }
        let columns = bind::tables(&session, &source).await?;
        let key = hash_key(config)?;
        let problems = Problems::default();
        let mut binding = Binding::new(&source, &columns, Some(&key), &problems);
        problems.into_result("sources/README.md and sql/README.md say what fits")?;
        // Every reject kind is wanted: the true budget is held against the counts at the end.
        if let Some(binding) = &mut binding {
            binding.source.budget.rejects = u64::MAX / 2;
            // One COPY a file: what is tried is few.
            binding.lines = None;
        }
        let binding =
            binding.ok_or_else(|| anyhow::anyhow!("a spec without problems did not bind"))?;
        Ok(SourceTrial {
            source,
            dictionaries: binding.dictionaries.iter().map(|_| Shared::default()).collect(),
            siblings: Arc::default(),
            binding: Arc::new(binding),
            tables,
            others,
            session,
            counts: Vec::new(),
            kinds: BTreeMap::new(),
            sent: 0,
            all_sent: true,
            missing: Vec::new(),
        })
    }

    /// Loads one file: all of it is validated, and as much as fits the trial goes to Postgres.
    async fn load(&mut self, member: Member, stop: &CancellationToken) -> anyhow::Result<()> {
        let part = FileToLoad {
            binding: Arc::clone(&self.binding),
            member: member.clone(),
            tally: Arc::default(),
            dictionaries: Arc::clone(&self.dictionaries),
            siblings: Arc::clone(&self.siblings),
            meter: Arc::default(),
            attempt: 1,
        };
        let (sender, mut pieces) = mpsc::channel(PIECES_IN_FLIGHT);
        let hand_on = move |piece| sender.blocking_send(piece).map_err(|_| stopped());
        let reader = tokio::task::spawn_blocking(move || part::read(&part, true, &hand_on));
        let fed = self.feed(&mut pieces, stop).await;
        drop(pieces);
        let read = reader.await.map_err(|panic| anyhow::anyhow!("reading a file: {panic}"))?;
        // A file that breaks off says more than COPY, which only missed its end; a reader that was left
        // says nothing.
        let ReadPart { proof, counts, .. } = match (read, fed) {
            (Err(error), Err(fed)) if exit_of(&error) == Exit::Terminated => return Err(fed),
            (read, fed) => {
                let read = read?;
                fed?;
                read
            }
        };
        let Counts { lines, header, loaded, rejected, filtered, misfits, .. } = counts;
        self.counts.push(TriedFile {
            file: if member.path.is_empty() { member.name } else { member.path },
            bytes: proof.bytes(),
            lines,
            header,
            loaded,
            rejected,
            filtered,
            misfits,
        });
        Ok(())
    }

    /// Notes the sections that the file lacks of those that every release has.
    fn note_sections(&mut self) {
        let Some(wanted) = &self.source.sections else { return };
        let Some(pattern) = &self.source.member else { return };
        let names = self.counts.iter().filter_map(|file| file.file.rsplit(" → ").next());
        let has = names.filter_map(|name| wanted.of_name(pattern, name)).collect();
        self.missing = wanted.missing(&has, None).into_iter().map(str::to_owned).collect();
    }

    async fn feed(
        &mut self,
        pieces: &mut mpsc::Receiver<ReaderMessage>,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let mut copy = match self.sent < ROWS_MAX {
            true => {
                let sql = self.binding.copy_sql();
                let begun = self.session.copy_in::<_, Bytes>(&sql).await;
                let mut copy = Box::pin(begun.map_err(db("begin COPY"))?);
                let header = Bytes::from_static(encode::HEADER);
                copy.send(header).await.map_err(|error| data_error("COPY", &error))?;
                Some(copy)
            }
            false => None,
        };
        while let Some(piece) = tokio::select! {
            piece = pieces.recv() => piece,
            () = stop.cancelled() => return Err(stopped()),
        } {
            let CopyChunk { bytes, source_rows, .. } = match piece {
                ReaderMessage::Reject(reject) => {
                    note(&mut self.kinds, *reject);
                    continue;
                }
                ReaderMessage::Rows(rows) => rows,
            };
            let Some(mut open) = copy.take() else {
                self.all_sent &= source_rows == 0;
                continue;
            };
            let refused = |error| data_error("COPY", &error);
            if self.sent < ROWS_MAX {
                open.send(bytes).await.map_err(refused)?;
                self.sent += source_rows;
                copy = Some(open);
            } else {
                self.all_sent &= source_rows == 0;
                end(open).await?;
            }
        }
        match copy {
            Some(open) => end(open).await,
            None => Ok(()),
        }
    }

    async fn tell(self, args: &cli::SourceCheck, object: &Object) -> anyhow::Result<TriedSpec> {
        let source = &self.source;
        self.write_dictionaries().await?;
        let (columns, rows) = self.rows(args.rows).await?;
        let (checks, note) = if self.all_sent { self.checks().await? } else { (Vec::new(), None) };
        let sum = |of: fn(&TriedFile) -> u64| self.counts.iter().map(of).sum::<u64>();
        let tried = TriedSpec {
            database: args.database.clone(),
            source: args.source.clone(),
            file: args.file.clone(),
            name_matches: source.object.is_match(object.pin.file_name()),
            personal: source.personal,
            allowed: source.rejects_allowed(sum(|file| file.lines - file.header)),
            rows_min: source.budget.rows_min,
            loaded: sum(|file| file.loaded),
            rejected: sum(|file| file.rejected),
            files: Vec::new(),
            columns,
            rows,
            rejects: Vec::new(),
            tried_rows: self.sent,
            all_tried: self.all_sent,
            checks,
            note,
            missing: self.missing,
        };
        Ok(TriedSpec { files: self.counts, rejects: self.kinds.into_values().collect(), ..tried })
    }
}

/// Ends a COPY; whether all rows went into it is checked elsewhere.
async fn end(mut copy: Pin<Box<CopyInSink<Bytes>>>) -> anyhow::Result<()> {
    let refused = |error| data_error("COPY", &error);
    copy.send(Bytes::from_static(&encode::TRAILER)).await.map_err(refused)?;
    copy.as_mut().finish().await.map_err(refused)?;
    Ok(())
}

/// Rejects of one kind are counted, the first of them kept.
fn note(kinds: &mut BTreeMap<(Option<String>, String), RejectKind>, reject: Reject) {
    let Reject { line, byte, column, reason, bytes } = reject;
    let mut key = (column, reason);
    if !kinds.contains_key(&key) && kinds.len() >= KINDS_MAX {
        key = (None, "others".to_owned());
    }
    let kind = kinds.entry(key.clone()).or_insert_with(|| {
        let text: String = String::from_utf8_lossy(&bytes).chars().take(EXAMPLE_MAX).collect();
        let example = (!bytes.is_empty()).then(|| text.escape_debug().to_string());
        RejectKind { column: key.0, reason: key.1, count: 0, places: Vec::new(), example }
    });
    kind.count += 1;
    if kind.places.len() < PLACES_MAX {
        kind.places.push(RejectPosition { line, byte });
    }
}

/// The installation's key, or one that is forgotten with the trial: its hashes are shown to nobody.
fn hash_key(config: &Config) -> anyhow::Result<Arc<HashKey>> {
    let key = match &config.hash_key_file {
        Some(file) => Some(HashKey::read(file)?),
        None => {
            let (a, b) = (uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
            HashKey::new(&[a.into_bytes(), b.into_bytes()].concat())
        }
    };
    key.map(Arc::new).ok_or_else(|| anyhow::anyhow!("32 bytes are no key"))
}

/// The exit code of the trial.
///
/// # Errors
/// [`Exit::InputRejected`] when the budget is spent or rows are too few, [`Exit::ChecksFailed`]
/// when the rows break the table's key or a check.
pub(super) fn verdict(tried: &TriedSpec) -> anyhow::Result<()> {
    let TriedSpec { database, source, .. } = tried;
    let spec = format!("sources/{database}/{source}.toml");
    if tried.rejected > tried.allowed {
        let message = format!("{} rows rejected, the budget is {}", tried.rejected, tried.allowed);
        return Err(Failure::new(Exit::InputRejected, message)
            .hint(format!("mend {spec} or its table; the kinds are listed above"))
            .into());
    }
    if tried.loaded < tried.rows_min {
        let message = format!("{} rows, expected {} at least", tried.loaded, tried.rows_min);
        return Err(Failure::new(Exit::InputRejected, message)
            .hint(format!("if so few are normal, lower `rows_min` in {spec}"))
            .into());
    }
    if !tried.missing.is_empty() {
        let which = if tried.missing.len() == 1 { "section" } else { "sections" };
        let message = format!("{} lacks {which} {}", tried.file, tried.missing.join(", "));
        return Err(Failure::new(Exit::InputRejected, message)
            .hint(format!(
                "the night would refuse it, but for: \
                 kiln waive {database} sections --source {source} --why 'WHY'"
            ))
            .into());
    }
    if let Some((check, failed)) =
        tried.checks.iter().find_map(|check| Some((check, check.failed.as_ref()?)))
    {
        let message = format!("{}: {failed}", check.title);
        return Err(Failure::new(Exit::ChecksFailed, message)
            .hint(format!(
                "look at those rows: mended, they are tried again; if the file is right and its rule is \
                 not, the rule stands in {}",
                check.file
            ))
            .into());
    }
    Ok(())
}
