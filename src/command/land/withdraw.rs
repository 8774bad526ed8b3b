//! `kiln land --withdraw`: a file that should not have landed. Nothing is deleted, for a build may have
//! pinned it; no later plan reads it. Where the live build was made of it, what comes after is older:
//! the gate `older` is waived for its sources, for the next promotion.

use serde_json::json;

use super::super::{Context, Start};
use crate::catalog::manifest::Manifest;
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::registry::control::{self, Audit, write_audit};
use crate::catalog::registry::waiver::{self, Gate, NewWaiver};
use crate::catalog::registry::{Build, BuildState, builds};
use crate::command::cli;
use crate::config::strict::Problems;
use crate::error::{Exit, Failure, message_of};
use crate::fetch::store::{ListedObject, Store, file_name, withdrawn};
use crate::plan::reuse::KeptBuild;
use crate::postgres::{Server, Session};
use crate::report::{self, Withdrawn};
use crate::spec::source::Sources;

/// `kiln land DATABASE --withdraw NAME…`.
///
/// # Errors
/// When no such file has landed, or a server refuses.
pub(super) async fn run(start: Start, args: &cli::Land) -> anyhow::Result<()> {
    let context = Context::open(start, true).await?;
    let outcome = withdraw_all(&context, args).await;
    let quiet = context.quiet && !args.json.json;
    let withdrawn = context.close_after(outcome).await?;
    if quiet {
        return Ok(());
    }
    report::withdrawn(&args.database, &withdrawn, args.dry_run.dry_run, args.json.json)
}

async fn withdraw_all(context: &Context, args: &cli::Land) -> anyhow::Result<Vec<Withdrawn>> {
    let store = context.store().await;
    let prefix = store.location.database_prefix(&args.database);
    let (standing, gone) = withdrawn::apart(store.list(&prefix).await?);
    // All that are meant are known before the first is withdrawn.
    let meant = args.files.iter().map(|name| meant(&store, &standing, &gone, name));
    let meant: Vec<&ListedObject> = meant.collect::<anyhow::Result<_>>()?;
    let control = match args.dry_run.dry_run {
        true => control::existing(context.server(&args.database)).await?,
        false => Some(control::open(context.server(&args.database)).await?),
    };
    let (live, waiting) = match &control {
        Some(control) => (
            live(context, control, &args.database).await?,
            waiting(context, control, &args.database).await?,
        ),
        None => (None, Vec::new()),
    };
    let mut all = Vec::new();
    for object in meant {
        let one = described(context, &args.database, &store, object, live.as_ref(), &waiting)?;
        if let Some(control) = control.as_ref().filter(|_| !args.dry_run.dry_run) {
            let why = args.why.as_deref().unwrap_or_default();
            let withdraw = Withdraw { context, control, store: &store, database: &args.database };
            withdraw.run(object, &one, why).await?;
        }
        all.push(one);
    }
    Ok(all)
}

/// The landed object that a name means: that of a file, of a day and a file, or an address.
fn meant<'a>(
    store: &Store,
    standing: &'a [ListedObject],
    gone: &[ListedObject],
    name: &str,
) -> anyhow::Result<&'a ListedObject> {
    let bucket = &store.location.bucket;
    let is_meant = |object: &&ListedObject| match name.strip_prefix("s3://") {
        Some(place) => place == format!("{bucket}/{}", object.key),
        None => object.key == name || object.key.ends_with(&format!("/{name}")),
    };
    let found: Vec<&ListedObject> = standing.iter().filter(is_meant).collect();
    let refuse = |message: String, hint: String| -> anyhow::Error {
        Failure::new(Exit::Usage, message).hint(hint).into()
    };
    match found.as_slice() {
        [one] => Ok(one),
        [] if gone.iter().any(|object| is_meant(&object)) => {
            Err(refuse(format!("{name} is withdrawn already"), "kiln plan DATABASE".to_owned()))
        }
        [] => Err(refuse(
            format!("no file {name} has landed in s3://{bucket}"),
            "give its name as `kiln land` said it, DAY/NAME, or the whole s3:// address".to_owned(),
        )),
        [first, ..] => {
            let days: Vec<&str> = found.iter().map(|object| object.key.as_str()).collect();
            let day = first.key.rsplit('/').nth(1).unwrap_or_default();
            Err(refuse(
                format!("{name} has landed {} times: {}", found.len(), days.join(", ")),
                format!("say which: {day}/{name}"),
            ))
        }
    }
}

/// What is live, where it may be asked.
async fn live(
    context: &Context,
    control: &Session,
    database: &str,
) -> anyhow::Result<Option<KeptBuild>> {
    let owner = &context.config.owner_role;
    let kept = KeptBuild::standing(context.server(database), owner, control, database).await?;
    Ok(kept.into_iter().find(|kept| kept.database == database))
}

/// The builds that may still go live, in words, and what they are made from.
async fn waiting(
    context: &Context,
    control: &Session,
    database: &str,
) -> anyhow::Result<Vec<(String, Manifest)>> {
    let mut found = Vec::new();
    for build in builds(control, database).await? {
        let state = build.state();
        if build.invalid
            || !matches!(state, BuildState::Building | BuildState::Failed | BuildState::Sealed)
        {
            continue;
        }
        let manifest =
            manifest_in(context.server(database), &context.config.owner_role, &build).await;
        match manifest {
            Ok(Some(manifest)) => {
                found.push((format!("{} ({})", build.own_name(), state.word()), manifest));
            }
            // It died before its inputs were fixed.
            Ok(None) => {}
            Err(error) => {
                let error = message_of(&error);
                tracing::warn!(
                    build = build.own_name(),
                    error,
                    "what it is made from is not known"
                );
            }
        }
    }
    Ok(found)
}

async fn manifest_in(
    server: &Server,
    owner: &str,
    build: &Build,
) -> anyhow::Result<Option<Manifest>> {
    let session = BuildDatabase::new(server, &build.name, owner)?.session("withdraw").await?;
    Manifest::noted(&session).await
}

fn described(
    context: &Context,
    database: &str,
    store: &Store,
    object: &ListedObject,
    live: Option<&KeptBuild>,
    waiting: &[(String, Manifest)],
) -> anyhow::Result<Withdrawn> {
    // What is wrong with a spec is said by whoever loads by it.
    let sources = Sources::read(&context.config.root, database, &Problems::default())?;
    let name = file_name(&object.key);
    let readers = sources.all.iter().filter(|source| source.object.is_match(name));
    let is_live = |source: &String| {
        let input = live.and_then(|live| live.manifest.sources.get(source));
        input.is_some_and(|input| input.objects.iter().any(|pin| object.is(pin)))
    };
    let readers: Vec<String> = readers.map(|source| source.name.as_str().to_owned()).collect();
    let has_read = |manifest: &Manifest| {
        manifest.sources.values().flat_map(|input| &input.objects).any(|pin| object.is(pin))
    };
    let waiting = waiting.iter().filter(|(_, manifest)| has_read(manifest));
    let live_readers: Vec<String> = readers.iter().filter(|name| is_live(name)).cloned().collect();
    Ok(Withdrawn {
        location: format!("s3://{}/{}", store.location.bucket, object.key),
        marker: format!("s3://{}/{}", store.location.bucket, object.withdrawal()),
        readers,
        live_build: live.filter(|_| !live_readers.is_empty()).map(|live| live.tag.build.clone()),
        waiting: waiting.map(|(build, _)| build.clone()).collect(),
        older_waived: live_readers,
    })
}

struct Withdraw<'a> {
    context: &'a Context,
    control: &'a Session,
    store: &'a Store,
    database: &'a str,
}

impl Withdraw<'_> {
    /// Audits, then marks it: whoever is interrupted between the two does it again, for what is marked
    /// is not withdrawn twice.
    async fn run(&self, object: &ListedObject, one: &Withdrawn, why: &str) -> anyhow::Result<()> {
        let (who, database) = (&self.context.who, self.database);
        let account = json!({
            "withdrawn": one.location, "etag": object.etag, "why": why, "login": who.login,
            "host": who.host, "at": crate::catalog::registry::now(),
        });
        let audit = Audit {
            action: "withdraw",
            database,
            from: one.live_build.as_deref(),
            to: None,
            why,
            details: json!({
                "location": one.location, "etag": object.etag, "sources": one.readers,
                "older_waived": one.older_waived,
            }),
        };
        write_audit(self.control, who, &audit).await?;
        let reason = format!("{} was withdrawn: {why}", file_name(&object.key));
        for source in &one.older_waived {
            let new = NewWaiver {
                database,
                gate: Gate::Older,
                source: Some(source),
                build: None,
                until: None,
                why: &reason,
            };
            waiver::grant(self.control, who, &new).await?;
        }
        self.store.withdraw(object, account.to_string()).await?;
        tracing::info!(object = one.location, why, "withdrawn");
        Ok(())
    }
}
