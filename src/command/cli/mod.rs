//! The command line: names, arguments and help. What a command does is in `command/`.

mod args;
mod contract;
mod line;
mod plan;
mod range;
mod release;
mod scratch;
mod source;
#[cfg(feature = "dev")]
mod synth;
#[cfg(test)]
mod tests;
mod verify;
mod work;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub(crate) use args::*;
pub(crate) use contract::*;
pub(crate) use plan::*;
pub(crate) use range::Range;
pub(crate) use release::*;
pub(crate) use scratch::Scratch;
pub(crate) use source::*;
#[cfg(feature = "dev")]
pub(crate) use synth::{Demo, Synth};
pub(crate) use verify::*;
pub(crate) use work::*;

use crate::config::SETTINGS;
use crate::error::Exit;

/// Makes read-only Postgres databases from the files that CMS publishes, a new one every night.
#[derive(Debug, Parser)]
#[command(name = "kiln", version = crate::VERSION, about, max_term_width = 100, after_help = after_help())]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Folder with kiln.toml, sql/ and sources/ [default: the current folder, or the nearest above it that has
    /// them]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub root: Option<PathBuf>,
    /// Print errors only: no progress, no summary
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

fn after_help() -> String {
    let mut text = String::from(
        "Exit codes:\n     0  success: everything that was asked for is done and checked\n",
    );
    for (exit, meaning) in Exit::ALL {
        text.push_str(&format!("{:6}  {meaning}\n", exit.code()));
    }
    text.push_str(
        "\nEnvironment variables (they override kiln.toml; the default is in brackets):\n",
    );
    for setting in SETTINGS {
        if let Some(name) = setting.variable {
            text.push_str(&format!("  {name:20} {}\n", setting.help_line()));
        }
    }
    text.push_str(
        "  AWS_*                credentials, region and endpoint, as the AWS SDK reads them\n",
    );
    text.push_str("\nExamples:\n");
    #[cfg(feature = "dev")]
    text.push_str("  # try kiln: no setup, generated data\n  kiln demo\n\n");
    text.push_str("  # build and swap all databases, as cron does every night\n  kiln run\n\n");
    text.push_str(
        "  # what is live, what failed last, and the command to continue with\n  kiln status",
    );
    text
}

impl Command {
    /// Whether it only asks what is so, and writes nowhere: it works on an app's host, which has no
    /// project, and for a user who may write nothing.
    pub fn only_looks(&self) -> bool {
        use Command::{Contract as Apps, Guard, Plan, Status, Url};
        matches!(self, Guard(_) | Url(_) | Status(_) | Plan(_) | Apps(Contract::List(_)))
    }
}

/// The subcommands, in the order of a newcomer's first day.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try kiln: start private servers, generate CMS files, build and swap
    #[command(after_help = "\
Starts the private Postgres server and S3 endpoint in KILN_HOME and leaves them running, uploads \
generated files for every database over HTTP, and then does what `kiln run` does.

Examples:
  kiln demo
  # ten times as many rows
  kiln demo --scale 0.01
  # afterwards: query the result, then stop the servers
  psql \"$(kiln url druginfo)\"
  kiln down")]
    #[cfg(feature = "dev")]
    Demo(Demo),
    /// Start the private Postgres server and S3 endpoint, and leave them running
    #[command(after_help = "Examples:\n  kiln up\n  psql \"$(kiln url druginfo)\"\n  kiln down")]
    #[cfg(feature = "dev")]
    Up(Json),
    /// Stop the private Postgres server and S3 endpoint
    #[command(after_help = "Examples:\n  kiln down")]
    #[cfg(feature = "dev")]
    Down(Json),
    /// Verify files and upload them to the bucket, for the next run to load
    #[command(after_help = "\
The name of a file must match the object pattern of a source, and a zip must be complete. The file is \
stored as PREFIX/DATABASE/YYYY-MM-DD/NAME, with today's date. A file that landed there before under the \
same name is replaced, and kiln says so.

With --withdraw nothing is deleted, because a build may have been made from the file: a marker is \
written beside it, and later plans ignore it. If the live build was made from it, the gate `older` is \
waived for its sources until the next promotion. Landing the same file again undoes the withdrawal.

Examples:
  kiln land druginfo SPUF_2026_20260701.zip
  kiln land druginfo https://data.cms.gov/…/SPUF_2026_20260701.zip
  kiln land druginfo --dry-run *.zip
  # the file should not have landed: later plans ignore it
  kiln land druginfo --withdraw SPUF_2026_20260701.zip --why \"prices of another year\"")]
    Land(Land),
    /// Generate files in CMS's layouts, of any size
    #[command(after_help = "\
Files are written to FOLDER/DATABASE/NAME, or to PREFIX/DATABASE/YYYY-MM-DD/NAME in a bucket. They are \
generated as a stream, in little memory. The same scale, seed, quarter \
and nights give the same bytes. From one night to the next, one price in a hundred and one row in a \
thousand of the pharmacy network and the formulary change; the changes are counted and printed. With \
--then only the named sources change: all other files, and the zips inside the release's zip, have the \
same bytes as the night before. The release is dated a day later.

Examples:
  # a thousandth of CMS's release, stored where the next `kiln run` reads it
  kiln synth druginfo
  # the whole release: 362 million rows
  kiln synth druginfo --scale 1 --to s3://bucket/prefix
  # the night after
  kiln synth --scale 0.01 --night 1 --to /tmp/release
  # three nights: the first release; only the prices changed; nothing changed
  kiln synth druginfo
  kiln synth druginfo --then pricing
  kiln synth druginfo --then pricing --then nothing")]
    #[cfg(feature = "dev")]
    Synth(Synth),
    /// Build each database, make it live, drop old builds: the nightly run
    #[command(after_help = "\
If a run fails, the live database stays as it was. The databases are the folders of sql/; they are \
built one after another. A source that has not changed since a kept build is not loaded again: its \
table is copied from that build, and the row count and digest of the copy are checked. If nothing has \
changed since the live build, nothing is done.

Examples:
  kiln run
  kiln run druginfo --without pricing
  # all databases, two of them without a source
  kiln run --without druginfo.pricing --without planinfo.landscape
  # load everything from the files, changed or not
  kiln run druginfo --full-refresh
  # warn early if the run will not have ended by 6:00
  kiln run --deadline 06:00
  kiln run --dry-run")]
    Run(Run),
    /// Make a sealed build, but do not make it live
    #[command(after_help = "\
Does what `kiln run` does, up to the seal. `kiln swap` then makes the build live.

Examples:
  kiln build druginfo
  kiln build druginfo --without pharmacy_networks --without pricing")]
    Build(Build),
    /// Show what a run would load, copy or skip, and why
    #[command(after_help = "\
Reads the names, versions and zip directories of the landed objects, and the stamps of the live and \
the previous build. Changes nothing. With a build in place of the database it prints the plan that \
the build was made by, and its tasks.

Examples:
  kiln plan druginfo
  # the stored plan of a build
  kiln plan druginfo_00007
  kiln plan druginfo --without pricing --json")]
    Plan(Plans),
    /// Load one source: as a trial, or into an unsealed build
    #[command(after_help = "\
With --into, the table of the source in an unsealed build is replaced in one transaction, from the \
newest landed files. Without --into, the source is loaded into a scratch build, the counts are \
reported, and the scratch build is dropped.

Examples:
  kiln load druginfo pricing
  kiln load druginfo pricing --into druginfo_00007")]
    Load(Load),
    /// Resume a failed build; sources that are loaded are not loaded again
    #[command(after_help = "\
Loads the missing sources, does the other tasks, checks and seals. `kiln swap` then makes the build live.

Examples:
  kiln resume druginfo_00007")]
    Resume(Resume),
    /// Create a build for several workers: plan it and write its tasks
    #[command(after_help = "\
Prints the name of the build. Next, run `kiln work BUILD` any number of times, on any hosts that have \
the same sql/, sources/ and hash key; then `kiln finish BUILD`, when the workers have ended; then `kiln \
swap DATABASE`. If everything that has landed is live already, it prints nothing and exits with 0.

Examples:
  build=$(kiln begin druginfo)
  kiln work $build & kiln work $build & wait
  kiln finish $build && kiln swap druginfo")]
    Begin(Begin),
    /// Do tasks of a build that `kiln begin` has created, beside other workers
    #[command(after_help = "\
Ends when all tasks but the checks are done or have failed. The exit code is 0, or that of the first \
task that failed; an engine may retry after 10, 12, 15 and 75. If a worker is killed, or stopped by \
SIGTERM, another worker takes its task. Nothing that a worker leaves on its host is needed later.

Examples:
  kiln work druginfo_00007
  # one task, as a node of an engine's graph; a second worker at the same task exits with 75
  kiln work druginfo_00007 --task rows:pricing
  kiln work druginfo_00007 --time-limit 55m")]
    Work(Work),
    /// Do the remaining tasks of a build that `kiln begin` has created, check it and seal it
    #[command(after_help = "\
For a build that is sealed already it does nothing and exits with 0, so an engine may start it again.

Examples:
  kiln finish druginfo_00007")]
    Finish(Resume),
    /// Drop an unsealed build that nobody will finish
    #[command(after_help = "Examples:\n  kiln abandon druginfo_00007 --why \"landed too early\"")]
    Abandon(Abandon),
    /// Make a sealed build live, through the gate
    #[command(after_help = "\
Without BUILD it takes the newest sealed build that is newer than the live one. Several databases are \
swapped together or not at all. On one server that is one transaction. On several servers the gates of \
all are asked first, then one server after another is swapped; if one cannot be swapped, the earlier \
ones are swapped back.

Examples:
  kiln swap druginfo
  kiln swap planinfo druginfo
  kiln swap druginfo druginfo_00007 --why \"night of the 3rd, by hand\"
  kiln swap druginfo --dry-run")]
    Swap(Swap),
    /// Make the previous build live again, through the same gate
    #[command(after_help = "\
The build that was live becomes rejected: it does not go live again, and files that only rejected \
builds have read are not loaded again, until something newer lands or `kiln waive DATABASE rejected` \
allows it.

Examples:
  kiln rollback druginfo --why \"prices look wrong\"
  # the prices were right after all: make the rejected build live again
  kiln waive druginfo rejected --why \"CMS confirmed the prices\" && kiln swap druginfo")]
    Rollback(Rollback),
    /// Keep a build until `kiln unhold`, whatever retention says
    #[command(after_help = "\
Any build can be held, also the live one or a failed one. Builds on hold are not counted among those \
that KILN_KEEP_PREVIOUS keeps for rollback. `kiln status` and `kiln prune` show them.

Examples:
  kiln hold druginfo_00007 --why \"the last one with the old prices\"
  kiln unhold druginfo_00007")]
    Hold(Hold),
    /// End a hold: retention decides again whether the build is kept
    #[command(after_help = "Examples:\n  kiln unhold druginfo_00007")]
    Unhold(Hold),
    /// Override one gate, with a reason: for the next promotion, a build, or until a day
    #[command(after_help = "\
Gates that can be waived:
  rejected  the build was rolled away from, or it read an object that only such builds have read
  rows      a table has far fewer or far more rows than in the live build
  nulls     a column has far more nulls than in the live build
  older     the period or the posting of a file is older than that of the live build
  sections  the release lacks a section that derived tables need

The waiver ends by itself: with the next promotion, unless --build or --until is given. Until then \
`kiln status` and `kiln plan` show it. The audit keeps it.

Examples:
  kiln waive druginfo rows --source pricing --why \"CMS posts the new plan year in parts\"
  kiln waive druginfo rejected --why \"the prices were right: CMS confirmed them\"
  kiln waive druginfo older --until 2026-12-31 --why \"the December files come first\"")]
    Waive(Waive),
    /// Read every table of a sealed build and compare it with the stamp
    #[command(after_help = "\
At each swap the gate compares row counts, the age of rows, rights and settings, which takes seconds. \
`kiln verify` reads every table, derived tables included, and compares its digest with that in the \
stamp. Tables that differ are named with their source, and the exit code is 13. Nothing is changed, and \
no reader waits.

Examples:
  # the live build of every database
  kiln verify
  kiln verify druginfo_00007
  # a seventh of the tables every night: all of them once a week
  kiln verify --sample 1/7")]
    Verify(Verify),
    /// Make a small database from a part of the live one
    #[command(after_help = "\
Keeps the rows that sql/DATABASE/subset.toml selects, and all rows that they refer to; derived tables are \
computed from these. The same build and rules give the same rows. The live build stays live.

Examples:
  kiln subset druginfo --percent 5
  # also write it to a file, for laptops
  kiln subset druginfo --percent 5 --to druginfo.sql.gz
  # the plans of one contract, and what belongs to them
  kiln subset druginfo --rule plan_information=\"contract_id = 'H1671'\"
  kiln subset druginfo --percent 1 --dry-run")]
    Subset(Subset),
    /// Make a database from a file that `kiln subset --to` has written
    #[command(after_help = "\
With no server configured it starts the private Postgres server and leaves it running. Every restored \
table is compared with the digest in the file. The subset goes live only if nothing, or another subset, \
is live. The file is SQL that is executed: restore only files from people you trust.

Examples:
  kiln restore druginfo.sql.gz
  psql \"$(kiln url druginfo)\"
  # on a server that is not this machine, which must be named
  kiln restore druginfo.sql.gz --on db.internal")]
    Restore(Restore),
    /// Show what is live, what failed last, and the command to continue with
    #[command(after_help = "\
Also shows the other builds, the tasks of builds in progress, contracts, waivers and holds.

Examples:
  kiln status
  kiln status druginfo --json")]
    Status(Status),
    /// Print the URL by which an app connects to the live database, or to a build
    #[command(after_help = "\
The URL has the rights of the app role, and no password: psql takes it from PGPASSWORD or ~/.pgpass.

Examples:
  psql \"$(kiln url druginfo)\"
  # a build that is kept
  psql \"$(kiln url druginfo_00007)\"")]
    Url(Url),
    /// Set, remove or list contracts: which schema versions apps accept
    #[command(subcommand)]
    Contract(Contract),
    /// Exit with 0 only if an app accepts the live build: for the start of the app
    #[command(after_help = "\
Needs only the app's own rights. Exits with 13 if the app does not accept the version of the live build, \
or if nothing is live.

Examples:
  kiln guard druginfo --accepts 1..3 && exec ./app")]
    Guard(Guard),
    /// Check the numbered .sql files, or lock their version
    #[command(subcommand)]
    Schema(Schema),
    /// Write the data dictionary, or check that it is up to date
    #[command(after_help = "\
Writes sql/DATABASE/DICTIONARY.md from the numbered .sql files (run in a scratch database) and the specs; \
commit this file. Also writes a page for each database into the folder of --out, which can be searched \
without a server. The page also has row counts, null shares and example values of the live build, but no \
value of a source with personal data.

With --check nothing is written; the exit code is 2 if DICTIONARY.md is out of date or a comment is \
missing.

Examples:
  kiln docs
  kiln docs --check
  kiln docs druginfo --build druginfo_00007 --out site")]
    Docs(Docs),
    /// Draft the spec and the table of a new source from a file, or try a spec on a file
    #[command(subcommand)]
    Source(Source),
    /// Drop builds that retention does not keep, and leftovers of killed runs
    #[command(after_help = "\
With --dry-run it says for every build why it is kept or would be dropped.

Examples:
  kiln prune --dry-run
  kiln prune druginfo")]
    Prune(Prune),
    /// The S3 endpoint of `kiln up`
    #[command(hide = true)]
    #[cfg(feature = "dev")]
    ServeS3 {
        /// KILN_HOME
        #[arg(long)]
        home: PathBuf,
    },
}
