//! A node of the graph of a build: what is done, and which tasks must be done first.

use serde::{Deserialize, Serialize};

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskKind {
    /// A source's rows, from its files.
    Load,
    /// A source's rows, from a kept build.
    Copy,
    /// What the `-- post-data` section of a table's file says.
    Index,
    /// What the `-- derive` section of a table's file says.
    Derive,
    /// A table's visibility map and statistics: `vacuum (freeze, analyze)`.
    Analyze,
    /// A query that must return no row.
    Check,
}

impl TaskKind {
    /// As it stands in `kiln.task`.
    pub fn word(self) -> &'static str {
        match self {
            TaskKind::Load => "load",
            TaskKind::Copy => "copy",
            TaskKind::Index => "index",
            TaskKind::Derive => "derive",
            TaskKind::Analyze => "analyze",
            TaskKind::Check => "check",
        }
    }

    /// The kind of this word.
    pub fn of_word(word: &str) -> Option<TaskKind> {
        use TaskKind::{Analyze, Check, Copy, Derive, Index, Load};
        [Load, Copy, Index, Derive, Analyze, Check].into_iter().find(|kind| kind.word() == word)
    }

    /// Whether it gives a source its rows.
    pub fn is_rows(self) -> bool {
        matches!(self, TaskKind::Load | TaskKind::Copy)
    }
}

/// A task. What becomes of it is a row of `kiln.task` in the build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// `index:pricing`; `rows:pricing` whichever way the rows come, for what waits for them waits all the
    /// same.
    pub name: String,
    /// What it does.
    pub kind: TaskKind,
    /// The source, the table, or the check's place.
    pub subject: String,
    /// The names of the tasks that must be done first.
    pub needs: Vec<String>,
    /// Bytes of text that are read for it; 0 where none are.
    pub bytes: u64,
    /// Seconds that it is expected to take, on a worker of its own.
    pub seconds: f64,
}

impl Task {
    /// A task whose size is not known yet.
    pub fn new(kind: TaskKind, subject: &str, needs: Vec<String>) -> Task {
        let name = name(kind, subject);
        Task { name, kind, subject: subject.to_owned(), needs, bytes: 0, seconds: 0.0 }
    }
}

/// The name of a task.
pub fn name(kind: TaskKind, subject: &str) -> String {
    let word = if kind.is_rows() { "rows" } else { kind.word() };
    format!("{word}:{subject}")
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskState {
    /// Nobody does it.
    Waiting,
    /// A worker does it: it holds the task's lock.
    Running,
    /// It is done, and committed.
    Done,
    /// The last attempt failed; what needs it cannot be done.
    Failed,
}

/// A task and what has become of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskStatus {
    /// The task.
    #[serde(flatten)]
    pub task: Task,
    /// Where it stands.
    pub state: TaskState,
    /// Seconds since it was begun; that it took, when it is over.
    pub took: f64,
    /// The share of its work that is done, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

impl TaskStatus {
    /// A task that nobody has begun.
    pub fn waiting(task: Task) -> TaskStatus {
        TaskStatus { task, state: TaskState::Waiting, took: 0.0, share: None }
    }
}
