//! How far a run is: bars on a terminal, one plain line a minute without one, nothing with
//! `--quiet`. Everything goes to standard error. The time left is that of the whole night, not
//! of the stage that runs: the plan estimates it, the build's clock keeps what the estimate rests on.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use tokio::task::JoinHandle;

use crate::build::clock::{Clock, human};
use crate::config::Deadline;
use crate::load::meter::{self, ActiveWork, Meter};
use crate::report::say::error_line;

/// How often a plain line is printed.
const LINE_EVERY: Duration = Duration::from_secs(60);
/// How often the night is looked at: whether the deadline will be kept, and for who reads the log.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Who shows progress, and how.
#[derive(Clone)]
pub(crate) struct Progress {
    bars: Option<MultiProgress>,
    lines: bool,
    /// The night that is on.
    pub clock: Clock,
    /// Where a build puts what it does, for [`Progress::follow`] to show.
    pub watch: meter::Watch,
}

impl Progress {
    /// Bars on a terminal, lines without; nothing when quiet.
    pub(crate) fn new(quiet: bool) -> Progress {
        let terminal = std::io::stderr().is_terminal();
        Progress {
            bars: (terminal && !quiet).then(MultiProgress::new),
            lines: !terminal && !quiet,
            clock: Clock::default(),
            watch: meter::Watch::default(),
        }
    }

    /// A night begins: until the returned watch is dropped a line a minute says how far it is,
    /// and its forecast is held against the deadline.
    pub(crate) fn night(
        &self,
        database: &str,
        deadline: Option<Deadline>,
        later: f64,
    ) -> NightWatch {
        self.clock.begin(database, deadline, later);
        let progress = self.clone();
        let task = tokio::spawn(async move { progress.keep_watch().await });
        NightWatch { task, clock: self.clock.clone() }
    }

    async fn keep_watch(self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if let Some(warning) = self.clock.watch_deadline() {
                self.warn(&warning);
            }
            if tracing::enabled!(tracing::Level::DEBUG)
                && let Some((elapsed, left)) = self.clock.standing()
            {
                tracing::debug!(elapsed, left, running = ?self.clock.running(), "standing");
            }
        }
    }

    /// Says a warning once, above the bars.
    pub(crate) fn warn(&self, text: &str) {
        tracing::warn!("{text}");
        match (&self.bars, self.lines) {
            (Some(bars), _) => {
                let _ = bars.println(format!("warning: {text}"));
            }
            (None, true) => {
                error_line(format_args!("{} warning: {text}", crate::catalog::registry::now()));
            }
            (None, false) => {}
        }
    }

    /// Shows that something is under way that has no numbers (terminal only), until what this returns is
    /// dropped.
    pub(crate) fn stage(&self, text: &str) -> Stage {
        let bar = self.bars.as_ref().map(|bars| {
            let clock = self.clock.clone();
            let left = move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
                let doing = clock.running().join(", ");
                let doing = if doing.is_empty() { doing } else { format!(" ({doing})") };
                let left = clock.left().map_or_else(String::new, |left| format!(", {left}"));
                let _ = write!(out, "{doing}{left}");
            };
            let bar = bars.add(ProgressBar::new_spinner());
            bar.set_style(style("{spinner} {msg} {elapsed}{left}").with_key("left", left));
            bar.set_message(text.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Stage { bar }
    }

    /// Shows these meters until what this returns is dropped.
    pub(crate) fn watch(&self, title: &str, meters: Vec<(String, Arc<Meter>)>) -> ProgressDisplay {
        let (progress, watched) = (self.clone(), ActiveWork::new(title, meters));
        self.shown(async move { progress.show(&watched).await })
    }

    /// Shows what a build puts into `watch`, one after another, until what this returns is dropped.
    pub(crate) fn follow(&self) -> ProgressDisplay {
        let progress = self.clone();
        self.shown(async move {
            loop {
                if let Some(watched) = progress.watch.now() {
                    progress.show(&watched).await;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        })
    }

    fn shown(&self, work: impl Future<Output = ()> + Send + 'static) -> ProgressDisplay {
        let is_shown = self.bars.is_some() || self.lines;
        ProgressDisplay { task: is_shown.then(|| tokio::spawn(work)), bars: self.bars.clone() }
    }

    /// Shows it to its end.
    async fn show(&self, watched: &ActiveWork) {
        let meters = &watched.meters;
        match &self.bars {
            Some(_) if meters.is_empty() => {
                let _spinner = self.stage(&watched.title);
                while !watched.is_over() {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            }
            Some(bars) => show_bars(bars, watched, &self.clock).await,
            None => print_lines(watched, &self.clock).await,
        }
    }
}

/// A night being watched; over when dropped.
pub(crate) struct NightWatch {
    task: JoinHandle<()>,
    clock: Clock,
}

impl Drop for NightWatch {
    fn drop(&mut self) {
        self.task.abort();
        self.clock.end();
    }
}

/// A stage being shown; gone when dropped.
pub(crate) struct Stage {
    bar: Option<ProgressBar>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What is being shown; gone when dropped.
pub(crate) struct ProgressDisplay {
    task: Option<JoinHandle<()>>,
    bars: Option<MultiProgress>,
}

impl Drop for ProgressDisplay {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
        if let Some(bars) = &self.bars {
            let _ = bars.clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

async fn show_bars(bars: &MultiProgress, watched: &ActiveWork, clock: &Clock) {
    let meters = &watched.meters;
    let width = meters.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    // As wide as the terminal, whatever that is: a line that wraps is two.
    let line = "{prefix} {wide_bar} {bytes:>10}/{total_bytes:<10} {msg:>16}";
    let mut shown: Vec<ProgressBar> = Vec::new();
    for (name, _) in meters {
        let bar = bars.add(ProgressBar::new(0));
        bar.set_style(style(line));
        bar.set_prefix(format!("{name:width$}"));
        shown.push(bar);
    }
    let all = bars.add(ProgressBar::new(0));
    all.set_style(style(line));
    all.set_prefix(format!("{:width$}", "in all"));
    let speed = bars.add(ProgressBar::new_spinner());
    speed.set_style(style("{prefix} {wide_msg}"));
    speed.set_prefix(" ".repeat(width));
    let began = Instant::now();
    while !watched.is_over() {
        let (mut bytes_all, mut rows_all, mut total_all) = (0, 0, 0);
        for ((_, meter), bar) in meters.iter().zip(&shown) {
            let (bytes, rows, total) = meter.read();
            bar.set_length(total);
            bar.set_position(bytes);
            bar.set_message(format!("{} rows", HumanCount(rows)));
            bytes_all += bytes;
            rows_all += rows;
            total_all += total;
        }
        all.set_length(total_all);
        all.set_position(bytes_all);
        all.set_message(format!("{} rows", HumanCount(rows_all)));
        let said = rate(began.elapsed(), bytes_all, rows_all, total_all, clock.left());
        speed.set_message(format!("{said}{}", behind_rows(clock)));
        tokio::time::sleep(LOOK_EVERY).await;
    }
    for bar in shown.iter().chain([&all, &speed]) {
        bar.finish_and_clear();
    }
}

async fn print_lines(watched: &ActiveWork, clock: &Clock) {
    let ActiveWork { title, meters, .. } = watched;
    let (began, mut line) = (Instant::now(), Instant::now());
    while !watched.is_over() {
        tokio::time::sleep(LOOK_EVERY).await;
        if line.elapsed() < LINE_EVERY {
            continue;
        }
        line = Instant::now();
        let now = crate::catalog::registry::now();
        let running = clock.running().join(", ");
        let running = if running.is_empty() { running } else { format!(" ({running})") };
        if meters.is_empty() {
            let left = clock.left().map_or_else(String::new, |left| format!(", {left}"));
            error_line(format_args!("{now} {title}{left}{running}"));
            continue;
        }
        let (mut bytes_all, mut rows_all, mut total_all) = (0, 0, 0);
        for (bytes, rows, total) in meters.iter().map(|(_, meter)| meter.read()) {
            bytes_all += bytes;
            rows_all += rows;
            total_all += total;
        }
        let share = (bytes_all * 100).checked_div(total_all).unwrap_or(0);
        let said = rate(began.elapsed(), bytes_all, rows_all, total_all, clock.left());
        let (total, rows) = (HumanBytes(total_all), HumanCount(rows_all));
        error_line(format_args!(
            "{now} {title}: {share} % of {total}, {rows} rows, {said}{running}"
        ));
    }
}

/// ` · index pricing`: the tasks that run and have no bar.
fn behind_rows(clock: &Clock) -> String {
    let is_shown = |task: &String| !task.starts_with("load ") && !task.starts_with("copy ");
    let running: Vec<String> = clock.running().into_iter().filter(is_shown).collect();
    if running.is_empty() { String::new() } else { format!(" · {}", running.join(", ")) }
}

/// `61 MiB/s, 1,234 rows/s, 2 minutes left`: the night's time where it is forecast, else what
/// is left of these bytes at this speed.
fn rate(elapsed: Duration, bytes: u64, rows: u64, total: u64, night: Option<String>) -> String {
    let seconds = elapsed.as_secs_f64().max(0.001);
    let per_second = bytes as f64 / seconds;
    let left = match night {
        Some(left) => format!(", {left}"),
        None if per_second > 0.0 && bytes <= total => {
            format!(", {} left", human((total - bytes) as f64 / per_second))
        }
        None => String::new(),
    };
    let rows = HumanCount((rows as f64 / seconds) as u64);
    format!("{}/s, {rows} rows/s{left}", HumanBytes(per_second as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_names_bytes_rows_and_the_time_left() {
        let said = rate(Duration::from_secs(10), 1 << 20, 1000, 2 << 20, None);
        assert_eq!(said, "102.40 KiB/s, 100 rows/s, 10 seconds left");
        let night = Some("3 minutes left in all".to_owned());
        let said = rate(Duration::from_secs(10), 1 << 20, 1000, 2 << 20, night);
        assert_eq!(said, "102.40 KiB/s, 100 rows/s, 3 minutes left in all");
    }
}
