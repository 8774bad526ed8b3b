//! The command line is a contract: help, exit codes, JSON for scripts, dry runs, cron, logs,
//! and what must never be printed.

mod cron;
mod demo;
mod dry;
mod errors;
mod help;
mod hints;
mod json;
mod leaks;
mod logs;
mod output;
mod settings;
