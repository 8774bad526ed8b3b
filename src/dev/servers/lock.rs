//! Lock files: `flock` locks, which the kernel gives back when their process dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::error::{Doing as _, Result};

/// Opens a lock file, which is never removed: a removed one could be locked twice.
///
/// # Errors
/// When the file cannot be made.
pub(crate) fn open(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .read(true)
        .open(path)
        .doing_with(|| format!("open {}", path.display()))
}

/// Waits for the lock; dropping the file gives it back.
///
/// # Errors
/// When the file cannot be made or locked.
pub(crate) fn exclusive(path: &Path) -> Result<File> {
    let file = open(path)?;
    file.lock().doing_with(|| format!("lock {}", path.display()))?;
    Ok(file)
}

/// The lock, or `None` when somebody holds it.
///
/// # Errors
/// When the file cannot be made or locked.
pub(crate) fn try_exclusive(path: &Path) -> Result<Option<File>> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            Err(error).doing_with(|| format!("lock {}", path.display()))
        }
    }
}

/// Whether somebody holds the lock exclusively.
///
/// # Errors
/// When the file cannot be made or locked.
pub(crate) fn is_held(path: &Path) -> Result<bool> {
    let file = open(path)?;
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => {
            Err(error).doing_with(|| format!("lock {}", path.display()))
        }
    }
}
