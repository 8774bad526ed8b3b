//! Whether the disk is large enough: the forecast against what is free, first by the objects' sizes, before
//! scratch files are written, then by the archives' directories, before the first row is sent.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use indicatif::HumanBytes;

use super::seconds::{Estimate, Tonight};
use super::server::{DataLocation, SpaceSettings};
use super::{FROM_FILES, LoadMethods, Past, SourceSize, sizes};
use crate::catalog::ledger::Forecast;
use crate::error::{Exit, Failure};
use crate::plan::task::Task;
use crate::postgres::Session;

/// A forecast that leaves less than this share of what is free is warned of.
const SPARE: f64 = 0.1;

/// Marks an error: no row was sent, for the disk is too small.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("no row was sent")]
pub(crate) struct DiskTooSmall;

/// What is free, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Free {
    /// Bytes.
    pub bytes: u64,
    /// For people.
    pub place: String,
    /// The file system's number, to tell whether two places share it.
    device: Option<u64>,
    /// Whether WAL goes there too.
    with_wal: bool,
}

impl Free {
    /// What is free on the file system of a folder; `None` where it cannot be asked.
    pub(crate) fn of(folder: &Path) -> Option<Free> {
        let state = nix::sys::statvfs::statvfs(folder).ok()?;
        // 32 bits wide on some systems.
        #[allow(clippy::useless_conversion)]
        let bytes = u64::from(state.blocks_available()) * u64::from(state.fragment_size());
        let device = std::fs::metadata(folder).ok().map(|found| found.dev());
        Some(Free { bytes, place: folder.display().to_string(), device, with_wal: true })
    }

    /// What a setting says is free.
    pub(crate) fn by_setting(bytes: u64) -> Free {
        Free { bytes, place: "by disk_free".to_owned(), device: None, with_wal: true }
    }
}

/// Whether a forecast fits what is free.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum CapacityVerdict {
    /// It fits.
    Enough,
    /// It fits, with less than a tenth of what is free to spare.
    Near,
    /// It does not fit.
    Short,
}

/// Holds bytes that are needed against bytes that are free.
pub(crate) fn verdict(needed: u64, free: u64) -> CapacityVerdict {
    match free.checked_sub(needed) {
        None => CapacityVerdict::Short,
        Some(spare) if (spare as f64) < free as f64 * SPARE => CapacityVerdict::Near,
        Some(_) => CapacityVerdict::Enough,
    }
}

/// All that the forecast of one night rests on.
pub(crate) struct CapacityCheck {
    database: String,
    source_sizes: Vec<SourceSize>,
    past: Past,
    settings: SpaceSettings,
    side_by_side: usize,
    scratch_folder: PathBuf,
    /// Bytes that the build has already.
    present: u64,
    /// What is still to be done.
    tasks: Vec<Task>,
    /// What is free where the server's files are, as a setting says it.
    disk_free: Option<u64>,
    place: DataLocation,
    state: Mutex<CheckState>,
}

#[derive(Default)]
struct CheckState {
    forecast: Forecast,
    scratch: u64,
    warnings: Vec<String>,
    /// Those of them that an account has.
    noted: Vec<String>,
}

/// Where a build goes, and what is known of the space there.
pub(crate) struct Site<'a> {
    /// A session in the build, or in any database of the server.
    pub session: &'a Session,
    /// Whether the server is on this machine.
    pub is_here: bool,
    /// What a setting says is free.
    pub disk_free: Option<u64>,
    /// Where inner zips are spooled.
    pub scratch: &'a Path,
    /// Index builds side by side.
    pub side_by_side: usize,
}

impl CapacityCheck {
    /// Asks the server what there is to know.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub(crate) async fn new(
        site: &Site<'_>,
        database: &str,
        source_sizes: Vec<SourceSize>,
        past: Past,
        tasks: Vec<Task>,
    ) -> anyhow::Result<CapacityCheck> {
        let settings = super::server::settings(site.session).await?;
        let place = super::server::place(site.session, site.is_here).await?;
        let forecast = sizes(&source_sizes, &past, &settings, site.side_by_side);
        let capacity = CapacityCheck {
            database: database.to_owned(),
            source_sizes,
            past,
            settings,
            side_by_side: site.side_by_side,
            scratch_folder: site.scratch.to_owned(),
            present: 0,
            tasks,
            disk_free: site.disk_free,
            place,
            state: Mutex::new(CheckState { forecast, ..CheckState::default() }),
        };
        capacity.state().forecast.seconds =
            capacity.expected(&[], &FROM_FILES).seconds(capacity.side_by_side);
        Ok(capacity)
    }

    /// Says how much of the database is there already: it needs the rest.
    #[must_use]
    pub(crate) fn present(mut self, bytes: u64) -> CapacityCheck {
        self.present = bytes;
        self
    }

    /// The forecast as it stands.
    pub(crate) fn forecast(&self) -> Forecast {
        self.state().forecast.clone()
    }

    /// Adds what a person may want to know, in the place of what this said before.
    pub(crate) fn renew_warnings(&self, all: &mut Vec<String>) {
        let mut state = self.state();
        all.retain(|warning| !state.noted.contains(warning));
        all.extend(state.warnings.iter().cloned());
        state.noted = state.warnings.clone();
    }

    /// Bytes that inner zips took in the scratch folder.
    pub(crate) fn scratch_used(&self) -> u64 {
        self.state().scratch
    }

    /// What the tasks are expected to take, as far as the text is known.
    pub(crate) fn expected(&self, text: &[(String, u64)], methods: &LoadMethods) -> Estimate {
        let source_sizes = self.source_sizes_with(text);
        let texts = super::sizes::texts(&source_sizes, &self.past);
        let night = Tonight {
            source_sizes: &source_sizes,
            texts: &texts,
            methods,
            workers: self.side_by_side,
        };
        night.estimate(self.tasks.clone(), &self.past)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, CheckState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn source_sizes_with(&self, text: &[(String, u64)]) -> Vec<SourceSize> {
        let mut source_sizes = self.source_sizes.clone();
        for size in &mut source_sizes {
            if let Some((_, bytes)) = text.iter().find(|(name, _)| *name == size.source) {
                size.text = Some(*bytes);
            }
        }
        source_sizes
    }

    /// What is free where the server's files are; `None` where nobody knows.
    fn server_free(&self) -> Option<Free> {
        if let Some(bytes) = self.disk_free {
            return Some(Free::by_setting(bytes));
        }
        match &self.place {
            DataLocation::Data(folder) => Free::of(folder),
            DataLocation::Tablespace(folder) => {
                Free::of(folder).map(|free| Free { with_wal: false, ..free })
            }
            DataLocation::Unknown => None,
        }
    }

    /// Before scratch files are written: they must fit, and so must the database beside them
    /// where both share a file system and a former build tells its size. Without one, the text's
    /// size is a guess until the directories are read.
    ///
    /// # Errors
    /// [`Exit::Usage`] where the scratch folder is too small, [`Exit::Database`] where the
    /// server's disk is.
    pub(crate) fn before_fetch(&self) -> anyhow::Result<()> {
        let forecast = self.forecast();
        let scratch = Free::of(&self.scratch_folder);
        if let Some(free) = &scratch
            && verdict(forecast.scratch, free.bytes) == CapacityVerdict::Short
        {
            return Err(self.no_scratch(&forecast, free));
        }
        let Some(free) = self.server_free() else {
            tracing::info!(
                database = self.database,
                "nobody tells what the server's disk has free: KILN_DISK_FREE would"
            );
            return Ok(());
        };
        if forecast.from.is_empty() {
            return Ok(());
        }
        let shared =
            scratch.is_some_and(|other| other.device.is_some() && other.device == free.device);
        self.hold(&forecast, &free, if shared { forecast.scratch } else { 0 })
    }

    /// Before rows are sent: the directories say how much text there is, and inner zips have been
    /// spooled (`spooled` bytes).
    ///
    /// # Errors
    /// [`Exit::Database`], marked [`DiskTooSmall`], where the server's disk is too small.
    pub(crate) fn before_rows(
        &self,
        text: &[(String, u64)],
        methods: &LoadMethods,
        spooled: u64,
    ) -> anyhow::Result<()> {
        let source_sizes = self.source_sizes_with(text);
        let forecast = Forecast {
            scratch: self.forecast().scratch,
            seconds: self.expected(text, methods).seconds(self.side_by_side),
            ..sizes(&source_sizes, &self.past, &self.settings, self.side_by_side)
        };
        {
            let mut state = self.state();
            state.forecast = forecast.clone();
            state.scratch = spooled;
        }
        tracing::info!(
            database = self.database,
            text = forecast.text,
            bytes = forecast.database,
            temporary = forecast.temporary_peak,
            wal = forecast.wal_peak,
            seconds = forecast.seconds,
            "forecast"
        );
        match self.server_free() {
            Some(free) => self.hold(&forecast, &free, 0),
            None => Ok(()),
        }
    }

    fn hold(&self, forecast: &Forecast, free: &Free, scratch: u64) -> anyhow::Result<()> {
        let wal = if free.with_wal { forecast.wal_peak } else { 0 };
        let database = forecast.database.saturating_sub(self.present);
        let needed = database + forecast.temporary_peak + wal + scratch;
        let parts: Vec<String> = [
            ("database", database),
            ("index sorts", forecast.temporary_peak),
            ("WAL", wal),
            ("inner zips", scratch),
        ]
        .iter()
        .filter(|(_, bytes)| *bytes > 0)
        .map(|(name, bytes)| format!("{name} {}", HumanBytes(*bytes)))
        .collect();
        let words = format!(
            "{} for {} ({}), and {} is free ({})",
            HumanBytes(needed),
            self.database,
            parts.join(", "),
            HumanBytes(free.bytes),
            free.place
        );
        match verdict(needed, free.bytes) {
            CapacityVerdict::Enough => Ok(()),
            CapacityVerdict::Near => {
                let warning = format!("little room: the forecast is {words}");
                tracing::warn!("{warning}");
                // The second look says it better.
                self.state().warnings = vec![warning];
                Ok(())
            }
            CapacityVerdict::Short => {
                let message = format!("no room: the forecast is {words}");
                let failure = Failure::new(Exit::Database, message).hint(format!(
                    "free space: `kiln prune {}` drops builds that nobody goes back to; \
                     KILN_DISK_FREE says how much a build may take",
                    self.database
                ));
                Err(anyhow::Error::from(failure).context(DiskTooSmall))
            }
        }
    }

    fn no_scratch(&self, forecast: &Forecast, free: &Free) -> anyhow::Error {
        let message = format!(
            "no room for inner zips while they load: {} at most, and {} is free in {}",
            HumanBytes(forecast.scratch),
            HumanBytes(free.bytes),
            free.place
        );
        let failure = Failure::new(Exit::Usage, message)
            .hint("free space there, or set KILN_HOME to a folder on a larger disk");
        anyhow::Error::from(failure).context(DiskTooSmall)
    }
}
