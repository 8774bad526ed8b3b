//! `kiln status`: what is live since when, its version, period and age, what stands beside it,
//! what failed last, and the command that goes on from there.

use super::{Context, Start};
use crate::cli;
use crate::pg::{Session, db};
use crate::registry::builds;
use crate::registry::control::{contracts, open};
use crate::registry::status::{DatabaseStatus, RunLine};
use crate::report;

/// `kiln status [DATABASE…]`.
///
/// # Errors
/// When the server cannot be asked.
pub async fn run(start: Start, args: &cli::Status) -> anyhow::Result<()> {
    let context = Context::open(start, false).await?;
    let outcome = gather(&context, args).await;
    let said = context.close_after(outcome).await?;
    report::status(&said, args.json.json)
}

async fn gather(context: &Context, args: &cli::Status) -> anyhow::Result<Vec<DatabaseStatus>> {
    let control = open(&context.server).await?;
    let mut said = Vec::new();
    for database in context.databases(&args.databases)? {
        let mut all = builds(&control, &database).await?;
        let live = all.iter().position(|build| build.name == database).map(|at| all.remove(at));
        let sealed = live.as_ref().and_then(|b| b.tag.as_ref()).and_then(|tag| tag.sealed.clone());
        let age_seconds = sealed
            .and_then(|at| at.parse::<jiff::Timestamp>().ok())
            .map(|at| jiff::Timestamp::now().as_second() - at.as_second());
        said.push(DatabaseStatus {
            live,
            age_seconds,
            others: all,
            contracts: contracts(&control, Some(&database)).await?,
            running: run_line(&control, &database, "ended_at is null").await?,
            last: run_line(&control, &database, "ended_at is not null").await?,
            failed: failed(&control, &database).await?,
            database,
        });
    }
    Ok(said)
}

/// The last failure, unless a night or a swap has gone well since.
async fn failed(control: &Session, database: &str) -> anyhow::Result<Option<RunLine>> {
    let condition = "ended_at is not null and coalesce(exit_code, 1) <> 0
         and started_at > coalesce((select max(started_at) from kiln.run
             where database = $1 and exit_code = 0
               and command in ('run', 'build', 'resume', 'swap', 'rollback')), '-infinity')";
    run_line(control, database, condition).await
}

async fn run_line(
    control: &Session,
    database: &str,
    condition: &str,
) -> anyhow::Result<Option<RunLine>> {
    let sql = format!(
        "select run, command, build, to_char(started_at at time zone 'utc',
                'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), exit_code, error, next
         from kiln.run where database = $1 and {condition} order by started_at desc limit 1"
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
    }))
}
