//! `kiln url`: the URL of the live database, so that `psql "$(kiln url druginfo)"` works.

use super::Start;
use crate::cli;
use crate::config::known_database;
use crate::error::{Exit, Failure};
use crate::local;
use crate::pg::Server;

/// `kiln url DATABASE`.
///
/// # Errors
/// When the private server is not up, or nothing is live.
pub async fn run(start: &Start, args: &cli::Url) -> anyhow::Result<()> {
    let config = &start.config;
    known_database(config, &args.database)?;
    let url = match &config.postgres_url {
        Some(url) => url.clone(),
        None => {
            let status = local::status(&config.home).await?;
            status.postgres.map(|running| running.url()).ok_or_else(|| {
                Failure::new(Exit::Database, "the private Postgres is not up").hint("kiln up")
            })?
        }
    };
    let server = Server::new(&url, config.postgres_ca.as_deref(), "url")?;
    // A URL that leads nowhere helps nobody: connect once.
    server.connect(&args.database).await.map_err(|error| {
        Failure::new(Exit::Database, format!("{} is not live", args.database))
            .hint(format!("kiln run {}", args.database))
            .because(format!("{error:#}"))
    })?;
    say!("{}", server.url(&args.database)?);
    Ok(())
}
