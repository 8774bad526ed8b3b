//! `kiln up` and `kiln down`: the private servers, for local work.

use serde_json::json;

use super::Start;
use crate::command::cli;
use crate::dev::local;

/// `kiln up`.
///
/// # Errors
/// When a server does not start.
pub(super) async fn up(start: &Start, args: cli::Json) -> anyhow::Result<()> {
    let home = start.config.folder(".")?;
    let up = local::up(&home, start.config.postgres_bin.as_deref()).await?;
    let said = json!({
        "postgres": up.postgres_url, "postgres_pid": up.postgres_pid,
        "s3": up.s3.endpoint, "s3_pid": up.s3_pid, "bucket": up.s3.bucket,
    });
    if args.json {
        say!("{said}");
    } else if !start.quiet {
        say!("Postgres  {} (process {})", up.postgres_url, up.postgres_pid);
        say!("S3        {} bucket {} (process {})", up.s3.endpoint, up.s3.bucket, up.s3_pid);
        say!("stop them with: kiln down");
    }
    Ok(())
}

/// `kiln down`.
///
/// # Errors
/// When a server does not stop, or another kiln uses it.
pub(super) async fn down(start: &Start, args: cli::Json) -> anyhow::Result<()> {
    let down = local::down(&start.config.home).await?;
    if args.json {
        say!("{}", json!({ "postgres": down.postgres, "s3": down.s3 }));
    } else if !start.quiet {
        let word = |stopped: bool| if stopped { "stopped" } else { "was not up" };
        say!("Postgres  {}", word(down.postgres));
        say!("S3        {}", word(down.s3));
    }
    Ok(())
}
