//! The JSON log in `KILN_HOME/log`: one object a line, with run, build and source where there
//! are any.

use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;

use crate::config::Config;

/// Days of logs that are kept.
const LOG_DAYS: usize = 30;

/// Starts the JSON log in `KILN_HOME/log`: one object a line, with run, build and source where
/// there are any.
///
/// # Errors
/// When the folder cannot be made or the filter is not one.
pub fn log_to_file(config: &Config) -> anyhow::Result<()> {
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("kiln")
        .filename_suffix("jsonl")
        .max_log_files(LOG_DAYS)
        .build(config.folder("log")?)?;
    let filter = EnvFilter::try_new(&config.log).map_err(|error| {
        crate::error::failure(
            crate::error::Exit::Usage,
            format!("KILN_LOG={:?} is not a log filter: {error}", config.log),
        )
    })?;
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_env_filter(filter)
        .with_writer(appender)
        .try_init();
    Ok(())
}
