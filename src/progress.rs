//! How far a run is: bars on a terminal, one plain line a minute without one, nothing with
//! `--quiet`. Everything goes to standard error.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, HumanDuration, MultiProgress, ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;

/// How often a plain line is printed.
const LINE_EVERY: Duration = Duration::from_secs(60);

/// What one source has done so far; shared with the threads that do it.
#[derive(Debug, Default)]
pub struct Meter {
    /// Bytes of text read.
    pub bytes: AtomicU64,
    /// Rows sent.
    pub rows: AtomicU64,
    /// Bytes of text in all.
    pub total: AtomicU64,
}

impl Meter {
    fn read(&self) -> (u64, u64, u64) {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (get(&self.bytes), get(&self.rows), get(&self.total))
    }
}

/// Who shows progress, and how.
#[derive(Clone)]
pub struct Progress {
    bars: Option<MultiProgress>,
    lines: bool,
}

impl Progress {
    /// Bars on a terminal, lines without; nothing when quiet.
    pub fn new(quiet: bool) -> Progress {
        let terminal = std::io::stderr().is_terminal();
        Progress { bars: (terminal && !quiet).then(MultiProgress::new), lines: !terminal && !quiet }
    }

    /// Says that a stage begins (terminal only: a bar without numbers).
    pub fn stage(&self, text: &str) -> Stage {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new_spinner());
            bar.set_style(style("{spinner} {msg} {elapsed}"));
            bar.set_message(text.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Stage { bar }
    }

    /// Shows these meters until the returned watch is dropped.
    pub fn watch(&self, title: &str, meters: Vec<(String, Arc<Meter>)>) -> Watch {
        let title = title.to_owned();
        if meters.is_empty() {
            return Watch { task: None, bars: None };
        }
        let task = match (&self.bars, self.lines) {
            (Some(bars), _) => Some(tokio::spawn(show_bars(bars.clone(), meters))),
            (None, true) => Some(tokio::spawn(print_lines(title, meters))),
            (None, false) => None,
        };
        Watch { task, bars: self.bars.clone() }
    }
}

/// A stage being shown; gone when dropped.
pub struct Stage {
    bar: Option<ProgressBar>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Meters being shown; gone when dropped.
pub struct Watch {
    task: Option<JoinHandle<()>>,
    bars: Option<MultiProgress>,
}

impl Drop for Watch {
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

async fn show_bars(bars: MultiProgress, meters: Vec<(String, Arc<Meter>)>) {
    let width = meters.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line = "{prefix} {bar:24} {bytes:>10}/{total_bytes:<10} {msg}";
    let mut shown: Vec<ProgressBar> = Vec::new();
    for (name, _) in &meters {
        let bar = bars.add(ProgressBar::new(0));
        bar.set_style(style(line));
        bar.set_prefix(format!("{name:width$}"));
        shown.push(bar);
    }
    let all = bars.add(ProgressBar::new(0));
    all.set_style(style(line));
    all.set_prefix(format!("{:width$}", "in all"));
    let began = Instant::now();
    loop {
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
        all.set_message(rate(began.elapsed(), bytes_all, rows_all, total_all));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn print_lines(title: String, meters: Vec<(String, Arc<Meter>)>) {
    let began = Instant::now();
    loop {
        tokio::time::sleep(LINE_EVERY).await;
        let (mut bytes_all, mut rows_all, mut total_all) = (0, 0, 0);
        let mut busy = Vec::new();
        for (name, meter) in &meters {
            let (bytes, rows, total) = meter.read();
            if bytes > 0 && bytes < total {
                busy.push(name.as_str());
            }
            bytes_all += bytes;
            rows_all += rows;
            total_all += total;
        }
        let share = (bytes_all * 100).checked_div(total_all).unwrap_or(0);
        let said = rate(began.elapsed(), bytes_all, rows_all, total_all);
        let line = format!("{title}: {share} % of {}, {said}", HumanBytes(total_all));
        eprintln!("{} {line} ({})", crate::registry::now(), busy.join(", "));
    }
}

/// `1,234,567 rows, 61 MiB/s, 2 minutes left`.
fn rate(elapsed: Duration, bytes: u64, rows: u64, total: u64) -> String {
    let seconds = elapsed.as_secs_f64().max(0.001);
    let per_second = bytes as f64 / seconds;
    let left = match per_second > 0.0 && bytes <= total {
        true => {
            let left = Duration::from_secs_f64((total - bytes) as f64 / per_second);
            format!(", {} left", HumanDuration(left))
        }
        false => String::new(),
    };
    format!(
        "{} rows, {}/s, {} rows/s{left}",
        HumanCount(rows),
        HumanBytes(per_second as u64),
        HumanCount((rows as f64 / seconds) as u64),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_names_rows_bytes_and_the_time_left() {
        let said = rate(Duration::from_secs(10), 1 << 20, 1000, 2 << 20);
        assert_eq!(said, "1,000 rows, 102.40 KiB/s, 100 rows/s, 10 seconds left");
    }
}
