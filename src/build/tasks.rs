//! `kiln.task`, the tasks of a build: written, read, claimed and ended here alone.
//!
//! A claim is an advisory lock that the session which does the task holds: it ends with the session,
//! however that ends. The row says `running` beside it, and is `done` in the very transaction that holds
//! what the task has made: neither is ever there without the other.

use serde_json::Value;

use crate::error::ErrorRecord;
use crate::plan::task::{Task, TaskKind, TaskState, TaskStatus};
use crate::postgres::{Session, db};

/// The class of the advisory locks: "kiln" in ASCII. They are of one database, which is a build.
const CLASS: i32 = 0x6b69_6c6e;

/// The right to do one attempt of a task, for as long as the session lives that claimed it.
#[derive(Debug)]
pub(crate) struct Claim {
    id: i32,
    attempt: i32,
}

/// Writes tasks into the build. Those that it has and that are done stay; checks are done again, for what
/// they look at may have changed.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn write(session: &Session, tasks: &[Task]) -> anyhow::Result<()> {
    let doing = || db("write the tasks");
    session
        .execute("delete from kiln.task where state <> 'done' or kind = 'check'", &[])
        .await
        .map_err(doing())?;
    let insert = "insert into kiln.task (name, kind, subject, needs, bytes, seconds)
                  values ($1, $2, $3, $4, $5, $6) on conflict (name) do nothing";
    let insert = session.prepare(insert).await.map_err(doing())?;
    for Task { name, kind, subject, needs, bytes, seconds } in tasks {
        let (kind, bytes) = (kind.word(), bytes.cast_signed());
        session
            .execute(&insert, &[name, &kind, subject, needs, &bytes, seconds])
            .await
            .map_err(doing())?;
    }
    Ok(())
}

/// Writes what tasks are expected to take, now that it is known better.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn note_expected(session: &Session, tasks: &[Task]) -> anyhow::Result<()> {
    let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
    let bytes: Vec<i64> = tasks.iter().map(|task| task.bytes.cast_signed()).collect();
    let seconds: Vec<f64> = tasks.iter().map(|task| task.seconds).collect();
    let sql = "update kiln.task t set bytes = e.bytes, seconds = e.seconds
               from unnest($1::text[], $2::int8[], $3::float8[]) e (name, bytes, seconds)
               where t.name = e.name";
    let noted = session.execute(sql, &[&names, &bytes, &seconds]).await;
    noted.map(|_| ()).map_err(db("note what tasks are expected to take"))
}

/// The tasks of a build as they stand. One that says that it runs and whose lock nobody holds has lost its
/// worker, and waits.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn list(session: &Session) -> anyhow::Result<Vec<TaskStatus>> {
    let sql = "select name, kind, subject, needs, bytes, seconds,
                      case when state = 'running' and not exists
                          (select from pg_locks l
                           where l.locktype = 'advisory' and l.classid = $1::int4::oid
                             and l.objid = t.id::oid and l.objsubid = 2 and l.granted
                             and l.database = (select oid from pg_database
                                               where datname = current_database()))
                           then 'waiting' else state end,
                      coalesce(extract(epoch from
                          coalesce(finished_at, clock_timestamp()) - started_at)::float8, 0)
               from kiln.task t order by id";
    let rows = session.query(sql, &[&CLASS]).await.map_err(db("read the tasks"))?;
    let status = |row: &tokio_postgres::Row| -> anyhow::Result<TaskStatus> {
        let (kind, state): (String, String) = (row.get(1), row.get(6));
        let kind = TaskKind::of_word(&kind);
        let kind = kind.ok_or_else(|| anyhow::anyhow!("a task of another kiln's kind"))?;
        let bytes: i64 = row.get(4);
        let task = Task {
            name: row.get(0),
            kind,
            subject: row.get(2),
            needs: row.get(3),
            bytes: bytes.unsigned_abs(),
            seconds: row.get(5),
        };
        let state = match state.as_str() {
            "running" => TaskState::Running,
            "done" => TaskState::Done,
            "failed" => TaskState::Failed,
            _ => TaskState::Waiting,
        };
        Ok(TaskStatus { task, state, took: row.get(7), share: None })
    };
    rows.iter().map(status).collect()
}

/// Whether a build has tasks: those of older kilns have none.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn are_there(session: &Session) -> anyhow::Result<bool> {
    let row = session.query_one("select to_regclass('kiln.task') is not null", &[]).await;
    row.map(|row| row.get(0)).map_err(db("look for the tasks"))
}

/// Claims a task for this session; nothing where another has it, or has done it.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn claim(
    session: &Session,
    name: &str,
    worker: &str,
) -> anyhow::Result<Option<Claim>> {
    // Its commit waits for the disk as every other: VACUUM takes no row for visible to all whose commit shares a
    // group of 32 with one that is not on disk yet.
    let sql = "with named as materialized (select id from kiln.task where name = $1),
                    mine as materialized (select id from named where pg_try_advisory_lock($2, id))
               update kiln.task t
               set state = 'running', attempt = attempt + 1, worker = $3, error = null,
                   started_at = clock_timestamp(), finished_at = null
               from mine
               where t.id = mine.id and state in ('waiting', 'running')
               returning t.id, t.attempt";
    let row = session.query_opt(sql, &[&name, &CLASS, &worker]).await;
    match row.map_err(db(format!("claim {name}")))? {
        Some(row) => Ok(Some(Claim { id: row.get(0), attempt: row.get(1) })),
        None => {
            // The lock may be had, and the task be done.
            release(session).await?;
            Ok(None)
        }
    }
}

async fn release(session: &Session) -> anyhow::Result<()> {
    let sql = "select pg_advisory_unlock_all()";
    session.batch_execute(sql).await.map_err(db("let a task go"))
}

impl Claim {
    /// Commits what the task has made in the open transaction of its session, and that it is done, or that
    /// its input was refused, as one.
    ///
    /// # Errors
    /// When Postgres reports an error, or the claim was lost.
    pub(crate) async fn finish(self, session: &Session, end: &TaskEnd) -> anyhow::Result<()> {
        let doing = || db("commit a task");
        let state = if end.error.is_none() { "done" } else { "failed" };
        let error = end.error.as_ref().map(serde_json::to_value).transpose()?;
        let ended = session
            .execute(
                "update kiln.task set state = $3, finished_at = clock_timestamp(), result = $4,
                        error = $5
                 where id = $1 and attempt = $2 and state = 'running'",
                &[&self.id, &self.attempt, &state, &end.result, &error],
            )
            .await
            .map_err(doing())?;
        if ended != 1 {
            anyhow::bail!("task {} was taken by another worker", self.id);
        }
        session.batch_execute("commit").await.map_err(doing())?;
        release(session).await
    }

    /// Notes that the task failed, through another session: its own has a transaction that is lost.
    ///
    /// # Errors
    /// When Postgres reports an error.
    pub(crate) async fn fail(self, session: &Session, error: &ErrorRecord) -> anyhow::Result<()> {
        let error = serde_json::to_value(error)?;
        let noted = session
            .execute(
                "update kiln.task set state = 'failed', finished_at = clock_timestamp(), error = $3
                 where id = $1 and attempt = $2 and state = 'running'",
                &[&self.id, &self.attempt, &error],
            )
            .await;
        noted.map(|_| ()).map_err(db("note that a task failed"))
    }

    /// Gives the task back: it waits again.
    ///
    /// # Errors
    /// When Postgres reports an error.
    pub(crate) async fn give_back(self, session: &Session) -> anyhow::Result<()> {
        let noted = session
            .execute(
                "update kiln.task set state = 'waiting', started_at = null
                 where id = $1 and attempt = $2 and state = 'running'",
                &[&self.id, &self.attempt],
            )
            .await;
        noted.map(|_| ()).map_err(db("give a task back"))
    }
}

/// How a task ended.
#[derive(Debug, Default)]
pub(crate) struct TaskEnd {
    /// What the ledger says of it, beside rows and times.
    pub result: Option<Value>,
    /// Why its input was refused, where it was.
    pub error: Option<ErrorRecord>,
}

/// The tasks that failed, in their order, and why.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn failed(session: &Session) -> anyhow::Result<Vec<(String, ErrorRecord)>> {
    let sql = "select name, error from kiln.task
               where state = 'failed' and error is not null order by id";
    let rows = session.query(sql, &[]).await.map_err(db("read the tasks that failed"))?;
    rows.iter().map(|row| Ok((row.get(0), serde_json::from_value(row.get(1))?))).collect()
}

/// The tasks that are not done, in their order; none of them changes before the open transaction ends.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn undone(session: &Session) -> anyhow::Result<Vec<String>> {
    let doing = || db("look for tasks that are not done");
    session.batch_execute("lock table kiln.task in share mode").await.map_err(doing())?;
    let sql = "select name from kiln.task where state <> 'done' order by id";
    let rows = session.query(sql, &[]).await.map_err(doing())?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Lets a task that failed be done once more.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn again(session: &Session, name: &str) -> anyhow::Result<()> {
    let sql = "update kiln.task set state = 'waiting' where name = $1 and state = 'failed'";
    session.execute(sql, &[&name]).await.map(|_| ()).map_err(db("let a task be done again"))
}

/// The results of the tasks of one kind that are done, in their order.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn results(
    session: &Session,
    kind: TaskKind,
) -> anyhow::Result<Vec<(String, Value)>> {
    let sql = "select subject, result from kiln.task
               where kind = $1 and state = 'done' and result is not null order by id";
    let rows = session.query(sql, &[&kind.word()]).await.map_err(db("read the tasks' results"))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// A task that became one of another kind while it was done: a copy that fell back to loading.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn is_now(session: &Session, name: &str, kind: TaskKind) -> anyhow::Result<()> {
    let sql = "update kiln.task set kind = $2 where name = $1";
    let noted = session.execute(sql, &[&name, &kind.word()]).await;
    noted.map(|_| ()).map_err(db("note the task's kind"))
}

/// Adds a task for each table that has no task which analyzes it: what a section has made beside the table
/// that its file is named for.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn analyze_the_rest(session: &Session) -> anyhow::Result<()> {
    let sql = "insert into kiln.task (name, kind, subject, needs, bytes, seconds)
               select 'analyze:' || relname, 'analyze', relname, '{}', 0, 0 from pg_class
               where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
               order by pg_table_size(oid) desc, relname
               on conflict (name) do nothing";
    session.execute(sql, &[]).await.map(|_| ()).map_err(db("look for tables to analyze"))
}
