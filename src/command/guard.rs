//! `kiln guard`: for the app's start. It asks the live database itself, with no more than an
//! app's rights, and exits 0 only if the version fits.

use serde_json::json;
use tokio_postgres::error::SqlState;

use super::{Context, Start};
use crate::catalog::registry::build::ident;
use crate::catalog::stamp;
use crate::command::cli;
use crate::error::{Exit, Failure};
use crate::postgres::is_state;

/// `kiln guard DATABASE --accepts MIN..MAX`.
///
/// # Errors
/// [`Exit::SchemaRefused`] when the version does not fit or nothing is live.
pub(super) async fn run(start: Start, args: &cli::Guard) -> anyhow::Result<()> {
    ident(&args.database)?;
    let context = Context::open(start, false).await?;
    let outcome = guard(&context, args).await;
    context.close_after(outcome).await
}

async fn guard(context: &Context, args: &cli::Guard) -> anyhow::Result<()> {
    let database = &args.database;
    let refused =
        |message: String, hint: String| Failure::new(Exit::SchemaRefused, message).hint(hint);
    let session =
        context.server(database).connect(database).await.map_err(|error| {
            match is_state(&error, &SqlState::INVALID_CATALOG_NAME) {
                true => refused(format!("{database} is not live"), format!("kiln run {database}"))
                    .into(),
                false => error,
            }
        })?;
    let stamp = stamp::version(&session).await?.ok_or_else(|| {
        refused(format!("{database} carries no stamp of kiln's"), format!("kiln status {database}"))
    })?;
    let fits = args.accepts.meets(stamp.serves_from, stamp.version);
    if args.json.json {
        let said = json!({
            "database": database, "build": stamp.build, "version": stamp.version,
            "serves_from": stamp.serves_from,
            "period": stamp.period, "accepts": [args.accepts.min, args.accepts.max], "fits": fits,
        });
        say!("{said}");
    }
    if fits {
        return Ok(());
    }
    let (min, max) = (args.accepts.min, args.accepts.max);
    let message = format!(
        "{database} has schema version {} (build {}), this app accepts {min}..{max}",
        stamp.version, stamp.build
    );
    // Going back helps an app that is older than what is live, and no other.
    let hint = match max < stamp.serves_from {
        true => {
            let serves = match stamp.serves_from < stamp.version {
                true => format!("one of {}..{}", stamp.serves_from, stamp.version),
                false => stamp.version.to_string(),
            };
            format!(
                "deploy an app that accepts {serves}; or, where the build before it is one that this app \
                 accepts: kiln rollback {database}"
            )
        }
        false => format!("a build that it accepts is not live yet: kiln status {database}"),
    };
    Err(refused(message, hint).into())
}
