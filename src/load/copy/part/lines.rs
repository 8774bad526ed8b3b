//! Rows of texts on their way to COPY as lines, with the columns that hold something in any row so far: of
//! CMS's 840 columns of a benefit section, 222 do. What a COPY does not name costs the server nothing; a
//! row with one column more begins another COPY.

use std::sync::{Arc, Mutex, PoisonError};

use crate::load::bind::Binding;
use crate::load::encode::line::{self, Null};

/// Which of a table's columns COPY names.
pub(crate) type CopyColumns = Arc<[bool]>;

/// Those that have held something in rows of a source, over all its files. None before the first rows.
pub(super) type Filled = Mutex<Option<CopyColumns>>;

/// Makes lines of rows.
pub(super) struct LineWriter {
    null: Null,
    /// Columns that hold something in this file, or that would not be null where COPY left them out.
    own: Vec<bool>,
    filled: Arc<Filled>,
}

impl LineWriter {
    /// For the rows of this source; `None` where they are sent in binary.
    pub(super) fn new(binding: &Binding, filled: &Arc<Filled>) -> Option<LineWriter> {
        let mut own: Vec<bool> = binding.targets.iter().map(|target| target.has_default).collect();
        // COPY names one at least.
        *own.first_mut()? = true;
        Some(LineWriter { null: binding.lines?, own, filled: Arc::clone(filled) })
    }

    /// Looks at a row that is among the next ones.
    pub(super) fn note(&mut self, row: &[u8]) {
        line::note(row, &mut self.own);
    }

    /// Rows as lines, and the columns that they have.
    pub(super) fn of(&self, rows: &[u8]) -> (Vec<u8>, CopyColumns) {
        let columns = self.columns();
        let (mut lines, mut rest) = (Vec::with_capacity(rows.len()), rows);
        while !rest.is_empty() {
            rest = line::append(rest, &columns, self.null, &mut lines);
        }
        (lines, columns)
    }

    /// This file's columns, and what other files of the source had before.
    fn columns(&self) -> CopyColumns {
        let mut filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        let known = filled.get_or_insert_with(|| self.own.as_slice().into());
        let mut pairs = self.own.iter().zip(known.iter());
        if pairs.any(|(own, known)| own > known) {
            *known = self.own.iter().zip(known.iter()).map(|(own, known)| own | known).collect();
        }
        Arc::clone(known)
    }
}
