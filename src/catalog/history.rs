//! What the server knows of a database's builds and runs: the facts behind `kiln status`.

use serde::Serialize;

use crate::catalog::ledger::GateEntry;
use crate::catalog::registry::contract::{Contract, contracts};
use crate::catalog::registry::waiver::{self, Waiver};
use crate::catalog::registry::{Build, BuildState, Word, builds, number_of};
use crate::postgres::{Session, db};

/// What `kiln status` says of one database.
#[derive(Debug, Serialize)]
pub(crate) struct DatabaseStatus {
    /// The database.
    pub database: String,
    /// Whether it is asked of the private server of this machine.
    pub is_private: bool,
    /// The build that apps read.
    pub live: Option<Build>,
    /// Seconds since it was sealed.
    pub age_seconds: Option<i64>,
    /// The other builds, oldest first.
    pub others: Vec<Build>,
    /// What apps accept.
    pub contracts: Vec<Contract>,
    /// Builds that were rolled away from and are gone, as far as they are newer than the live one.
    pub rejected: Vec<RejectedBuild>,
    /// Gates that do not count now.
    pub waivers: Vec<Waiver>,
    /// What the gates on data say of the sealed build that waits, where that is asked.
    pub gates: Vec<GateEntry>,
    /// The run that holds the lock now.
    pub running: Option<RunLine>,
    /// The last run that ended.
    pub last: Option<RunLine>,
    /// The last run that failed, if none has succeeded since.
    pub failed: Option<RunLine>,
}

/// A build that was rolled away from.
#[derive(Debug, Serialize)]
pub(crate) struct RejectedBuild {
    /// Its own name.
    pub build: String,
    /// Who, when and why.
    pub word: Word,
}

/// A run, as the history has it.
#[derive(Debug, Serialize)]
pub(crate) struct RunLine {
    /// The run's id.
    pub run: String,
    /// Its command.
    pub command: String,
    /// Its build.
    pub build: Option<String>,
    /// When it began.
    pub started: String,
    /// Its exit code; `None` while it runs, or when it was killed.
    pub exit_code: Option<i32>,
    /// Its error, as people read it.
    pub error: Option<String>,
    /// The same as data; `None` where it was killed, or of a kiln that did not note it.
    pub failure: Option<serde_json::Value>,
    /// The command that continues from there.
    pub next: Option<String>,
    /// Why it had nothing to do; `build` is then the one that was live.
    pub nothing_to_do: Option<String>,
}

/// Gathers the facts of one database; `goes_on` says whether a build that a killed run left has
/// something to go on with.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn of_database(
    control: &Session,
    database: &str,
    goes_on: impl AsyncFn(&str) -> bool,
) -> anyhow::Result<DatabaseStatus> {
    let mut all = builds(control, database).await?;
    let live = all.iter().position(|build| build.name == database).map(|at| all.remove(at));
    let sealed = live.as_ref().and_then(|b| b.tag.as_ref()).and_then(|tag| tag.sealed.clone());
    let age_seconds = sealed
        .and_then(|at| at.parse::<jiff::Timestamp>().ok())
        .map(|at| jiff::Timestamp::now().as_second() - at.as_second());
    let rejected = rejected(control, database, live.as_ref(), &all).await?;
    let held = crate::catalog::lock::is_held(control, database).await?;
    let mut open = run_line(control, database, "ended_at is null").await?;
    let whole = all.iter().rev().filter(|build| !build.is_subset());
    let left = whole.into_iter().find(|build| build.state() == BuildState::Building);
    let next = match left.and_then(|build| build.tag.as_ref()) {
        Some(tag) if open.is_some() && !held && goes_on(&tag.build).await => {
            format!("kiln resume {0} && kiln swap {database}", tag.build)
        }
        _ => format!("kiln run {database}"),
    };
    Ok(DatabaseStatus {
        database: database.to_owned(),
        is_private: false,
        live,
        age_seconds,
        others: all,
        rejected,
        contracts: contracts(control, Some(database)).await?,
        waivers: waiver::standing(control, database).await?,
        gates: Vec::new(),
        running: open.take_if(|_| held),
        last: run_line(control, database, "ended_at is not null").await?,
        failed: match open {
            Some(killed) => {
                Some(RunLine { error: Some("killed".into()), next: Some(next), ..killed })
            }
            None => failed(control, database).await?,
        },
    })
}

/// What only these have read does not come back by itself, though they are gone.
async fn rejected(
    control: &Session,
    database: &str,
    live: Option<&Build>,
    all: &[Build],
) -> anyhow::Result<Vec<RejectedBuild>> {
    let sql = "select build, rejected from kiln.promoted
               where database = $1 and rejected is not null order by build";
    let rows = control.query(sql, &[&database]).await.map_err(db("read what was rejected"))?;
    let mut found = Vec::new();
    for row in rows {
        let build: String = row.get(0);
        let is_newer = number_of(&build) > live.map_or(0, Build::number);
        if is_newer && !all.iter().any(|known| known.own_name() == build) {
            found.push(RejectedBuild { build, word: serde_json::from_value(row.get(1))? });
        }
    }
    Ok(found)
}

/// The last failure, unless a night or a swap has gone well since. A swap that was refused does not hide
/// what kept the build before it from being made.
async fn failed(control: &Session, database: &str) -> anyhow::Result<Option<RunLine>> {
    let condition = "ended_at is not null and coalesce(exit_code, 1) <> 0
         and started_at > coalesce((select max(started_at) from kiln.run
             where database = $1 and exit_code = 0
               and command in ('run', 'build', 'resume', 'finish', 'swap', 'rollback')), '-infinity')";
    let of_a_build =
        format!("{condition} and command in ('run', 'build', 'resume', 'load', 'begin', 'finish')");
    match run_line(control, database, &of_a_build).await? {
        Some(found) => Ok(Some(found)),
        None => run_line(control, database, condition).await,
    }
}

async fn run_line(
    control: &Session,
    database: &str,
    condition: &str,
) -> anyhow::Result<Option<RunLine>> {
    let sql = format!(
        "select run, command, build, to_char(started_at at time zone 'utc',
                'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), exit_code, error, next,
                ledger ->> 'nothing_to_do', to_jsonb(line) -> 'failure'
         from kiln.run line where database = $1 and {condition} order by started_at desc limit 1"
    );
    let row = control.query_opt(&sql, &[&database]).await.map_err(db("read the history"))?;
    Ok(row.map(|row| RunLine {
        run: row.get(0),
        command: row.get(1),
        build: row.get(2),
        started: row.get(3),
        exit_code: row.get(4),
        error: row.get(5),
        next: row.get(6),
        nothing_to_do: row.get(7),
        // A database `kiln` that no newer kiln has begun a run in has no such column.
        failure: row.get::<_, Option<serde_json::Value>>(8).filter(|failure| !failure.is_null()),
    }))
}
