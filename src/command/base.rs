//! A build begun as a copy of the previous build's files: large tables that have not changed are
//! then there with their keys, and only have to be proved. The build before the live one is read by
//! nobody as a rule; where somebody does read it, Postgres refuses, and the build begins empty.

use std::sync::Arc;

use super::Context;
use super::build::Baking;
use super::outlook;
use super::plan::Specs;
use crate::error::{Exit, exit_of, failure, render};
use crate::failpoint;
use crate::forecast::Way;
use crate::index;
use crate::manifest::Manifest;
use crate::pg::{Session, db};
use crate::registry::State;
use crate::reuse::{self, Asked, Decision, Kept};
use crate::schema::{Kind, SchemaFile, catalog};
use crate::seal;

/// The share of the previous build's tables and keys that has to stay: what goes away again was copied in vain.
/// [the whole release, prices changed, a third stays: 64 s with 20 s of copying, and 61 s where COPY brought it over]
const MOST: f64 = 0.5;

/// The build to begin with, and what stays of it.
pub(super) struct Base {
    kept: Arc<Vec<Kept>>,
    /// Files whose tables stay, as they run on them.
    files: Vec<SchemaFile>,
    /// Those tables.
    tables: Vec<String>,
}

impl Base {
    /// The previous build, where so many rows of it are what would be loaded, and they are so much of it,
    /// that copying its files is worth it.
    ///
    /// # Errors
    /// When nothing has landed for a source, or a server cannot be asked.
    pub(super) async fn choose(
        context: &Context,
        control: &Session,
        specs: &Specs,
        manifest: Manifest,
    ) -> anyhow::Result<Option<Base>> {
        let mut kept = outlook::kept(context, control, specs.schema.database.as_str()).await?;
        kept.retain(|kept| kept.tag.state == State::Previous);
        kept.truncate(1);
        let Some(previous) = kept.first() else { return Ok(None) };
        if has_sessions(control, &previous.database).await? {
            tracing::info!(build = previous.tag.build, "somebody reads it: it is not copied");
            return Ok(None);
        }
        let used = previous.ledger.used.clone().unwrap_or_default();
        let (kept, manifest) = (Arc::new(kept), Arc::new(manifest));
        let store = context.store().await;
        let mut known = Vec::new();
        let mut asked = Vec::new();
        for (name, input) in &manifest.sources {
            let Some(source) = specs.sources.get(name) else { continue };
            let objects = outlook::objects(context, &store, input, &mut known);
            asked.push(Asked { source: source.clone(), input: input.clone(), objects });
        }
        let side_by_side = context.config.connections;
        let mut base = Base { kept: Arc::clone(&kept), files: Vec::new(), tables: Vec::new() };
        let (mut rows, mut bytes) = (0, 0);
        for decision in reuse::decide_all(&kept, asked, &manifest, side_by_side).await? {
            let file = specs.schema.files.iter().find(|file| file.table == decision.source);
            let (Some(keep), Some(source), Some(file)) =
                (decision.keep, specs.sources.get(&decision.source), file)
            else {
                continue;
            };
            let Some(file) = file.on_standing(source.tables()) else { continue };
            base.files.push(file);
            base.tables.extend(source.tables().map(|table| table.as_str().to_owned()));
            rows += keep.entry.counted;
            bytes += used.of_source(&keep.entry).sum();
        }
        let all: u64 = used.tables.values().map(|table| table.sum()).sum();
        let is_most = bytes as f64 >= MOST * all as f64;
        Ok((is_most && rows >= context.config.base_rows).then_some(base))
    }

    /// The build's own name.
    pub(super) fn build(&self) -> &str {
        self.kept.first().map_or("", |kept| &kept.tag.build)
    }

    /// Whether a source's tables stayed.
    pub(super) fn has(&self, source: &str) -> bool {
        self.files.iter().any(|file| file.table == source)
    }

    /// How tables get their rows, as far as what stayed tells.
    pub(super) fn ways(&self) -> impl Iterator<Item = (String, Way)> {
        self.files.iter().map(|file| (file.table.clone(), Way::InPlace))
    }

    /// Whether what stayed is what would be loaded now.
    ///
    /// # Errors
    /// Only a bug of kiln's.
    pub(super) async fn decide(
        &self,
        asked: Vec<Asked>,
        manifest: &Arc<Manifest>,
        side_by_side: usize,
    ) -> anyhow::Result<Vec<Decision>> {
        let mut decisions = reuse::decide_all(&self.kept, asked, manifest, side_by_side).await?;
        for keep in decisions.iter_mut().filter_map(|decision| decision.keep.as_mut()) {
            keep.in_place = true;
            keep.evidence.push_str(", in a copy of its files");
        }
        Ok(decisions)
    }
}

impl Baking<'_> {
    /// Begins the build on a base, where there is one that may be copied.
    ///
    /// # Errors
    /// Only a stop, or a failure that an empty build would meet as well.
    pub(super) async fn begin_on_base(&mut self) -> anyhow::Result<Option<Session>> {
        let Some(base) = self.choose_base().await else { return Ok(None) };
        match self.copy_base(&base).await {
            Ok(session) => {
                tracing::info!(base = base.build(), tables = ?base.tables, "begun as a copy");
                self.base = Some(base);
                Ok(Some(session))
            }
            Err(error) if matches!(exit_of(&error), Exit::Terminated | Exit::Bug) => Err(error),
            Err(error) => {
                let error = render(&error);
                tracing::warn!(base = base.build(), error, "not begun as a copy");
                self.build.drop_alone(&self.lock).await?;
                Ok(None)
            }
        }
    }

    async fn choose_base(&self) -> Option<Base> {
        if !self.reuse {
            return None;
        }
        // What is wrong is said where the manifest is fixed for good.
        let manifest = outlook::fix(self.context, &self.specs, &self.without).await.ok()?;
        let chosen = Base::choose(self.context, &self.lock, &self.specs, manifest).await;
        chosen.ok().flatten()
    }

    /// Refuses a build whose rights and settings are not those that it was sealed with: a copy would
    /// carry them into the new seal. Its rows are read and held against their digests later.
    async fn refuse_touched(&self, kept: &Kept) -> anyhow::Result<()> {
        let database = self.build.other(&kept.database)?;
        let session = database.session("base").await?;
        let Some(stamp) = seal::read(&session).await? else { return Err(changed()) };
        let (connections, stop) = (self.context.config.connections, &self.context.stop);
        let touched = seal::touched(&database, &session, &stamp, true, connections, stop).await?;
        match touched.reasons.is_empty() {
            true => Ok(()),
            false => Err(failure(Exit::ChecksFailed, touched.reasons.join("; "))),
        }
    }

    async fn copy_base(&mut self, base: &Base) -> anyhow::Result<Session> {
        let Some(kept) = base.kept.first() else { return Err(changed()) };
        self.refuse_touched(kept).await?;
        self.make_database(Some(&kept.database)).await?;
        failpoint::hit(failpoint::CREATED)?;
        let session = self.build.session("pre-data").await?;
        if catalog::fingerprint(&session).await?.digest != kept.tag.fingerprint {
            return Err(changed());
        }
        keep_tables(&session, base, &self.build.owner.to_string()).await?;
        // One transaction: each commit waits for the disk.
        session.batch_execute("begin").await.map_err(db("begin"))?;
        self.build.prepare(&session).await?;
        for file in &self.specs.schema.files {
            let standing = base.files.iter().find(|standing| standing.table == file.table);
            standing.unwrap_or(file).apply(&session, &Kind::PreData, &self.context.stop).await?;
        }
        for file in &base.files {
            index::note_post_data(&session, &file.table).await?;
        }
        session.batch_execute("commit").await.map_err(db("commit the tables"))?;
        Ok(session)
    }
}

/// Whether anybody but kiln is on a database: Postgres would wait for them, and then refuse.
async fn has_sessions(control: &Session, database: &str) -> anyhow::Result<bool> {
    let sql = "select exists (select from pg_stat_activity
                   where datname = $1 and application_name not like 'kiln %')";
    let row = control.query_one(sql, &[&database]).await.map_err(db("look for readers"))?;
    Ok(row.get(0))
}

/// Leaves these tables, with their keys and indexes, and nothing else.
async fn keep_tables(session: &Session, base: &Base, owner: &str) -> anyhow::Result<()> {
    let mut sql = String::from(
        "begin; drop schema kiln cascade; alter schema public rename to kept; create schema public;",
    );
    for table in &base.tables {
        sql.push_str(&format!(
            "alter table kept.\"{table}\" set schema public; grant all on public.\"{table}\" to {owner};"
        ));
    }
    session.batch_execute(&sql).await.map_err(db("keep tables of the copy"))?;
    let before = objects_of(session, &base.tables).await?;
    session
        .batch_execute("drop schema kept cascade")
        .await
        .map_err(db("drop what does not stay of the copy"))?;
    if objects_of(session, &base.tables).await? != before {
        return Err(failure(Exit::ChecksFailed, "tables of the copy hang on others"));
    }
    session.batch_execute("commit").await.map_err(db("keep tables of the copy"))
}

/// Columns, constraints and indexes of these tables.
async fn objects_of(session: &Session, tables: &[String]) -> anyhow::Result<Vec<String>> {
    let rows = session
        .query(
            "with kept as (select oid from pg_class where relnamespace = 'public'::regnamespace
                               and relname::text = any ($1))
             select 'column ' || attrelid::regclass || ' ' || attname || ' '
                    || format_type(atttypid, atttypmod) || ' ' || atthasdef
             from pg_attribute where attrelid in (select oid from kept)
                 and attnum > 0 and not attisdropped
             union all select 'constraint ' || conname || ' ' || pg_get_constraintdef(oid)
             from pg_constraint where conrelid in (select oid from kept)
             union all select 'index ' || pg_get_indexdef(indexrelid)
             from pg_index where indrelid in (select oid from kept)
             order by 1",
            &[&tables],
        )
        .await
        .map_err(db("look at the copy"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

fn changed() -> anyhow::Error {
    failure(Exit::ChecksFailed, "its catalog is not the one that was sealed")
}
