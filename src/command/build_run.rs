//! A build being made, with all that is known of it: what `kiln run`, `build`, `begin`, `finish`, `resume`,
//! `load`, `subset` and `restore` work on.

use std::collections::BTreeMap;

use super::Context;
use crate::catalog::ledger::Ledger;
use crate::catalog::lock::RunLock;
use crate::catalog::registry::Tag;
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::stamp::DigestReading;
use crate::config::strict::Problems;
use crate::plan::RunPlan;
use crate::plan::forecast::capacity::CapacityCheck;
use crate::release::gates::Live;
use crate::spec::Specs;

/// A build being made.
pub(super) struct BuildRun<'a> {
    pub context: &'a Context,
    pub lock: RunLock,
    pub build: BuildDatabase,
    pub specs: Specs,
    pub without: Vec<String>,
    pub ledger: Ledger,
    pub tag: Tag,
    /// Whether something in the build is worth keeping when it fails.
    pub worth_keeping: bool,
    /// What the run decided; `None` where what is wrong with specs kept it from deciding, and for what
    /// is not made of sources.
    pub plan: Option<RunPlan>,
    /// Whether nothing was to count as kept.
    pub full_refresh: bool,
    /// The command that makes it once more, where it was no night's.
    pub asked: Option<String>,
    /// What is live, for gates that are asked before rows are loaded.
    pub live: Option<Live>,
    /// The forecast, once the manifest is fixed.
    pub capacity: Option<CapacityCheck>,
    /// Where the WAL ended when the load began.
    pub wal_before: u64,
    /// Seconds that what followed rows took, for each table.
    pub keyed: BTreeMap<String, f64>,
    pub problems: Problems,
    /// How tables are read again, where no spec says it.
    pub readings: Vec<DigestReading>,
}

impl<'a> BuildRun<'a> {
    /// Puts the parts together; nothing is read or written.
    pub(super) fn assemble(
        context: &'a Context,
        lock: RunLock,
        build: BuildDatabase,
        specs: Specs,
        ledger: Ledger,
        tag: Tag,
    ) -> BuildRun<'a> {
        let (without, problems) = (Vec::new(), Problems::default());
        BuildRun {
            context,
            lock,
            build,
            specs,
            without,
            ledger,
            tag,
            worth_keeping: false,
            plan: None,
            full_refresh: false,
            asked: None,
            live: None,
            capacity: None,
            wal_before: 0,
            keyed: BTreeMap::new(),
            problems,
            readings: Vec::new(),
        }
    }
}
