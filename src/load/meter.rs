//! How far the reading of rows is: who reads counts, who shows looks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What one source has done so far; shared with the threads that do it.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Bytes of text read.
    pub bytes: AtomicU64,
    /// Rows sent.
    pub rows: AtomicU64,
    /// Bytes of text in all.
    pub total: AtomicU64,
    /// Rows in all, where they are known before and the bytes are not: of a table out of a sealed build.
    pub rows_total: AtomicU64,
}

impl Meter {
    /// Bytes read, rows sent, and the bytes in all as far as they can be told.
    pub(crate) fn read(&self) -> (u64, u64, u64) {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (bytes, rows, total) = (get(&self.bytes), get(&self.rows), get(&self.total));
        match get(&self.rows_total) {
            known if known > 0 && rows > 0 => {
                let total = bytes as f64 * known as f64 / rows as f64;
                (bytes, rows, total as u64)
            }
            _ => (bytes, rows, total),
        }
    }

    /// The share of its rows, or of its bytes, that is read; all of none.
    pub(crate) fn share(&self) -> f64 {
        let (bytes, rows, total) = self.read();
        let share = |done: u64, all: u64| (all > 0).then(|| done as f64 / all as f64);
        let of_rows = share(rows, self.rows_total.load(Ordering::Relaxed));
        of_rows.or_else(|| share(bytes, total)).unwrap_or(1.0)
    }
}

/// Work that is under way, for who shows it.
#[derive(Debug)]
pub(crate) struct ActiveWork {
    /// What it is.
    pub title: String,
    /// Sources, or tables, with what tells how far they are; none where nothing tells it.
    pub meters: Vec<(String, Arc<Meter>)>,
    is_over: AtomicBool,
}

impl ActiveWork {
    /// Work that begins.
    pub(crate) fn new(title: &str, meters: Vec<(String, Arc<Meter>)>) -> ActiveWork {
        ActiveWork { title: title.to_owned(), meters, is_over: AtomicBool::new(false) }
    }

    /// Whether it is done, or given up.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

/// Where work is put that may be shown; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch(Arc<Mutex<Option<Arc<ActiveWork>>>>);

impl Watch {
    /// Work begins; it is over when what this returns is dropped.
    pub(crate) fn begin(&self, title: &str, meters: Vec<(String, Arc<Meter>)>) -> ActiveWorkGuard {
        let watched = Arc::new(ActiveWork::new(title, meters));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&watched));
        ActiveWorkGuard(watched)
    }

    /// What is under way now.
    pub(crate) fn now(&self) -> Option<Arc<ActiveWork>> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        last.filter(|watched| !watched.is_over())
    }
}

/// Work that is under way until this is dropped.
#[derive(Debug)]
pub(crate) struct ActiveWorkGuard(Arc<ActiveWork>);

impl Drop for ActiveWorkGuard {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}
