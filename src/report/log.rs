//! The JSON log in `KILN_HOME/log`: one flat object a line, so that `jq 'select(.build == …)'`
//! finds all that concerns a run, a build or a source, whichever thread said it.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::config::Config;
use crate::error::{Exit, Failure, failure, redacted};

/// Days of logs that are kept.
const LOG_DAYS: usize = 30;

/// Starts the log of this run. What only looks at what is live does without where the folder cannot
/// be written, or where there is no project that it would lie in.
///
/// # Errors
/// When the folder cannot be made or the filter is not one.
pub(crate) fn log_to_file(config: &Config, run: &str, only_looks: bool) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| {
        let message = format!("KILN_LOG={:?} is not a log filter: {error}", config.log);
        failure(Exit::Usage, message)
    })?;
    let appender = match log_file(config) {
        Ok(appender) => appender,
        Err(_) if only_looks => return Ok(()),
        Err(error) => return Err(error),
    };
    let _ = tracing_subscriber::fmt()
        .fmt_fields(JsonFields::new())
        .event_format(JsonLines { run: run.to_owned() })
        .with_env_filter(filter)
        .with_writer(appender)
        .try_init();
    Ok(())
}

fn log_file(config: &Config) -> anyhow::Result<RollingFileAppender> {
    anyhow::ensure!(config.has_project || config.home.exists(), "no place for a log");
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("kiln")
        .filename_suffix("jsonl")
        .max_log_files(LOG_DAYS)
        .build(config.folder("log")?);
    appender.map_err(|error| {
        let message = format!("cannot write a log in {}", config.home.join("log").display());
        Failure::new(Exit::Usage, message)
            .hint("set KILN_HOME to a folder that this user may write")
            .because(error)
            .into()
    })
}

/// One line an event: time, level, run, then what the spans around it say (build, source), then
/// its own fields.
struct JsonLines {
    run: String,
}

impl<S> FormatEvent<S, JsonFields> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        line.insert("time".to_owned(), crate::catalog::registry::now().into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        line.insert("run".to_owned(), self.run.as_str().into());
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let said = extensions.get::<FormattedFields<JsonFields>>();
            let fields =
                said.and_then(|said| serde_json::from_str::<Map<String, Value>>(said).ok());
            line.extend(fields.unwrap_or_default());
        }
        event.record(&mut FieldCollector(&mut line));
        writeln!(writer, "{}", Value::Object(line))
    }
}

struct FieldCollector<'a>(&'a mut Map<String, Value>);

impl FieldCollector<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for FieldCollector<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, redacted(&format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, redacted(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}
