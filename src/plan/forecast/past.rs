//! What the last nights came to: the ledgers of sealed builds, out of the history in the database
//! `kiln`, so that no session is opened on the live build.

use super::LoadMethod;
use crate::catalog::ledger::used::{TableBytes, Used};
use crate::catalog::ledger::{Ledger, SourceEntry, SourceState};
use crate::postgres::{Session, db};

/// How many nights are looked at: a source that was left out last night was there before.
const NIGHTS: i64 = 5;

/// The last nights that were sealed, newest first.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// Their ledgers; only those that say what was used.
    pub ledgers: Vec<Ledger>,
}

/// What one source came to, the last time that it was loaded.
pub struct PastSource<'a> {
    /// Its entry.
    pub entry: &'a SourceEntry,
    /// What its build used.
    pub used: &'a Used,
    /// The build.
    pub build: &'a str,
}

impl PastSource<'_> {
    /// Bytes of text.
    pub fn text(&self) -> u64 {
        self.entry.sum(|file| file.bytes)
    }

    /// Bytes of its table, its dictionaries and their indexes.
    pub fn stored(&self) -> TableBytes {
        self.used.of_source(self.entry)
    }

    /// Bytes of its objects.
    pub fn objects(&self) -> u64 {
        self.used.objects.get(&self.entry.source).copied().unwrap_or(0)
    }
}

impl Past {
    /// Reads the history of one database.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn read(control: &Session, database: &str) -> anyhow::Result<Past> {
        let rows = control
            .query(
                "select ledger from kiln.run
                 where database = $1 and (ledger ->> 'sealed')::boolean
                   and ledger ->> 'used' is not null and command in ('run', 'build', 'resume', 'finish')
                 order by started_at desc limit $2",
                &[&database, &NIGHTS],
            )
            .await
            .map_err(db("read the last nights"))?;
        // A ledger of another version of kiln's may have another form: then it says nothing.
        let ledgers = rows.iter().filter_map(|row| serde_json::from_value(row.get(0)).ok());
        Ok(Past { ledgers: ledgers.collect() })
    }

    /// The newest night, and what it used.
    pub fn newest(&self) -> Option<(&Ledger, &Used)> {
        self.ledgers.iter().find_map(|ledger| Some((ledger, ledger.used.as_ref()?)))
    }

    /// The builds that one run made, and so say how long everything takes, newest first: a resume does
    /// what was left, a finish what workers left.
    pub fn whole(&self) -> impl Iterator<Item = (&Ledger, &Used)> {
        let is_rest = |ledger: &&Ledger| ["resume", "finish"].contains(&ledger.command.as_str());
        let whole = self.ledgers.iter().filter(move |ledger| !is_rest(ledger));
        let whole = whole.filter(|ledger| !ledger.stages.is_empty());
        whole.filter_map(|ledger| Some((ledger, ledger.used.as_ref()?)))
    }

    /// The newest of them.
    pub fn newest_whole(&self) -> Option<(&Ledger, &Used)> {
        self.whole().next()
    }

    /// What a source came to, the last time that it was loaded.
    pub fn source(&self, name: &str) -> Option<PastSource<'_>> {
        self.ledgers.iter().find_map(|ledger| of_ledger(ledger, name))
    }

    /// The same, the last time that its table got its rows in this way; the last time at all where it
    /// never did.
    pub fn source_by(&self, name: &str, method: LoadMethod) -> Option<PastSource<'_>> {
        let all = self.ledgers.iter().filter_map(|ledger| of_ledger(ledger, name));
        let mut by = all.filter(|past| past.entry.load_method() == method);
        by.next().or_else(|| self.source(name))
    }

    /// Seconds that tables made from others took at least and at most in whole nights.
    pub fn keyed(&self, table: &str) -> Option<(f64, f64)> {
        let seconds = self.whole().filter_map(|(_, used)| used.keyed.get(table).copied());
        seconds.map(|seconds| (seconds, seconds)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Seconds that the newest whole night took; nothing where there was none.
    pub fn seconds(&self) -> Option<f64> {
        self.newest_whole().map(|(_, used)| used.seconds)
    }
}

fn of_ledger<'a>(ledger: &'a Ledger, name: &str) -> Option<PastSource<'a>> {
    let entry = ledger.sources.iter().find(|entry| entry.source == name)?;
    let is_loaded = entry.state == SourceState::Loaded && !entry.files.is_empty();
    let used = ledger.used.as_ref()?;
    is_loaded.then_some(PastSource { entry, used, build: &ledger.build })
}
