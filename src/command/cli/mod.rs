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

/// Bakes immutable Postgres databases from the files that CMS publishes.
#[derive(Debug, Parser)]
#[command(name = "kiln", version = crate::VERSION, about, max_term_width = 100, after_help = after_help())]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// The folder with kiln.toml, sql/ and sources/ [default: the nearest above this one]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub root: Option<PathBuf>,
    /// No progress and no summary; errors only
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

fn after_help() -> String {
    let mut text = String::from("Exit codes:\n     0  all that was asked is done and proved\n");
    for (exit, meaning) in Exit::ALL {
        text.push_str(&format!("{:6}  {meaning}\n", exit.code()));
    }
    text.push_str("\nEnvironment (over kiln.toml):\n");
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
    text.push_str("  # see it work, from nothing\n  kiln demo\n\n");
    text.push_str("  # the night, for all databases\n  kiln run\n\n");
    text.push_str("  # what is live, and what failed last\n  kiln status");
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
    /// See it work: private servers, generated CMS files, build, swap
    #[command(after_help = "\
Starts the private Postgres and S3 endpoint in KILN_HOME and leaves them up, uploads \
generated files for every database over HTTP, and runs the night on them.

Examples:
  kiln demo
  # a larger pharmacy network
  kiln demo --scale 0.01
  # afterwards
  psql \"$(kiln url druginfo)\"
  kiln down")]
    #[cfg(feature = "dev")]
    Demo(Demo),
    /// Start the private Postgres and S3 endpoint and leave them up
    #[command(after_help = "Examples:\n  kiln up\n  psql \"$(kiln url druginfo)\"\n  kiln down")]
    #[cfg(feature = "dev")]
    Up(Json),
    /// Stop the private Postgres and S3 endpoint
    #[command(after_help = "Examples:\n  kiln down")]
    #[cfg(feature = "dev")]
    Down(Json),
    /// Upload files, verified, under today's folder
    #[command(after_help = "\
A file must match a source's object pattern, and a zip must be whole. It goes to \
PREFIX/DATABASE/YYYY-MM-DD/NAME; what had landed there today is replaced, which is said.

What is withdrawn stays where it is, for a build may have been made of it, with a marker beside it. \
Where the live build was made of it, the gate `older` is waived for its sources, for the next \
promotion. Landing the same file again brings it back.

Examples:
  kiln land druginfo SPUF_2026_20260701.zip
  kiln land druginfo https://data.cms.gov/…/SPUF_2026_20260701.zip
  kiln land druginfo --dry-run *.zip
  # it should not have landed: the next plan does not see it
  kiln land druginfo --withdraw SPUF_2026_20260701.zip --why \"prices of another year\"")]
    Land(Land),
    /// Write generated CMS files of any size, as a stream
    #[command(after_help = "\
Files go to FOLDER/DATABASE/NAME, or to PREFIX/DATABASE/YYYY-MM-DD/NAME in a bucket. The same \
scale, seed, quarter and nights give the same bytes. Against the night before, one price in a \
hundred and one row in a thousand of network and formulary differ; what changed is printed. With \
--then only the named sources change: all other files, and zips within the release's zip, have the \
bytes of the night before, in a release that is posted a day later.

Examples:
  # a thousandth of CMS's release, where the next `kiln run` finds it
  kiln synth druginfo
  # the whole: 362 million rows
  kiln synth druginfo --scale 1 --to s3://bucket/prefix
  # the night after
  kiln synth --scale 0.01 --night 1 --to /tmp/release
  # three nights: the first release; prices alone changed; nothing did
  kiln synth druginfo
  kiln synth druginfo --then pricing
  kiln synth druginfo --then pricing --then nothing")]
    #[cfg(feature = "dev")]
    Synth(Synth),
    /// The night: build, swap and prune; what cron calls
    #[command(after_help = "\
A bad night leaves the live database as it was. Databases are those of sql/. A source that has \
not changed since the live build is not loaded again: its table is copied, and proved equal. \
Where nothing has changed, nothing is done.

Examples:
  kiln run
  kiln run druginfo --without pricing
  # all databases, two of them without a source
  kiln run --without druginfo.pricing --without planinfo.landscape
  # from the files, whatever is kept
  kiln run druginfo --full-refresh
  # say early when it will not be over at six
  kiln run --deadline 06:00
  kiln run --dry-run")]
    Run(Run),
    /// Build, and stop at sealed
    #[command(after_help = "\
Examples:
  kiln build druginfo
  kiln build druginfo --without pharmacy_networks --without pricing")]
    Build(Build),
    /// Say what a run would load, copy or leave, and why
    #[command(after_help = "\
Reads the landed objects' names, versions and zip directories, and what the live and the previous \
build say of themselves; changes nothing.

Examples:
  kiln plan druginfo
  # what the build that is live was made by, and why
  kiln plan druginfo_00007
  kiln plan druginfo --without pricing --json")]
    Plan(Plans),
    /// Load one source by hand
    #[command(after_help = "\
With --into it replaces that source's table in an unsealed build, in one transaction, from what \
has landed last. Without it, it is a trial into a scratch build that reports counts and is \
dropped.

Examples:
  kiln load druginfo pricing
  kiln load druginfo pricing --into druginfo_00007")]
    Load(Load),
    /// Go on with a failed build; finished sources are not loaded again
    #[command(after_help = "Examples:\n  kiln resume druginfo_00007")]
    Resume(Resume),
    /// Begin a build that many hosts make: plan, create, write its tasks
    #[command(after_help = "\
Prints the build's name. Then any number of `kiln work BUILD`, on any host that has the same sql/, \
sources/ and key; `kiln finish BUILD` when none is left; `kiln swap DATABASE`. Where all that has \
landed is live already it prints nothing and exits 0.

Examples:
  build=$(kiln begin druginfo)
  kiln work $build & kiln work $build & wait
  kiln finish $build && kiln swap druginfo")]
    Begin(Begin),
    /// Do tasks of a build that was begun, beside others that do
    #[command(after_help = "\
Ends when no task is left but the checks: with 0, or with the code of the first that failed. What an \
engine may start again: 10, 12, 15, 75. A worker that is killed or stopped by SIGTERM gives its task \
back; it keeps nothing on its host.

Examples:
  kiln work druginfo_00007
  # one node of an engine's graph; twice at once is safe, the second ends with 75
  kiln work druginfo_00007 --task rows:pricing
  kiln work druginfo_00007 --time-limit 55m")]
    Work(Work),
    /// Do what is left of a build that was begun, check it and seal it
    #[command(after_help = "\
A build that is sealed already is finished: an engine may start it again.

Examples:
  kiln finish druginfo_00007")]
    Finish(Resume),
    /// Drop a build that was begun or failed, and will not be finished
    #[command(after_help = "Examples:\n  kiln abandon druginfo_00007 --why \"landed too early\"")]
    Abandon(Abandon),
    /// Make a sealed build the live one, through the gate
    #[command(after_help = "\
Without BUILD it takes the newest sealed build that is newer than the live one. Several databases are \
swapped together or not at all, on one server in one transaction; on several servers all gates are asked \
first, and what is swapped already goes back where a later one cannot be.

Examples:
  kiln swap druginfo
  kiln swap planinfo druginfo
  kiln swap druginfo druginfo_00007 --why \"night of the 3rd, by hand\"
  kiln swap druginfo --dry-run")]
    Swap(Swap),
    /// Make the previous build live again, through the same gate
    #[command(after_help = "\
What is rolled away from is rejected: what only it has read is not loaded again, and it does not go \
live again, unless a waiver says so or something newer lands.

Examples:
  kiln rollback druginfo --why \"prices look wrong\"
  # it was right after all, and is still there
  kiln waive druginfo rejected --why \"CMS confirmed the prices\" && kiln swap druginfo")]
    Rollback(Rollback),
    /// Keep a build, whatever retention says
    #[command(after_help = "\
Any build by its own name, the live one and a failed one too. It takes no place of those that stay \
for rollback; `kiln status` and `kiln prune` say that it is on hold.

Examples:
  kiln hold druginfo_00007 --why \"the last one with the old prices\"
  kiln unhold druginfo_00007")]
    Hold(Hold),
    /// Leave a build to retention again
    #[command(after_help = "Examples:\n  kiln unhold druginfo_00007")]
    Unhold(Hold),
    /// Say that one gate does not count: for the next promotion, a build, or until a day
    #[command(after_help = "\
Gates that can be waived: rejected (a build that was rolled away from, or an object that only such \
builds have read), rows and nulls (against the live build), older (a period or posting that goes \
back), sections (that derived columns need). The audit has it, status and plan show it while it \
stands, and it ends by itself: with the next promotion, unless --build or --until is given.

Examples:
  kiln waive druginfo rows --source pricing --why \"CMS posts the new plan year in parts\"
  kiln waive druginfo rejected --why \"the prices were right: CMS confirmed them\"
  kiln waive druginfo older --until 2026-12-31 --why \"the December files come first\"")]
    Waive(Waive),
    /// Read a sealed build and prove that it holds what was sealed
    #[command(after_help = "\
The gate looks at every build in seconds: rows and their age, rights, settings. Here every table is \
read, those made from tables too, and its digest held against the stamp's; what differs is named with \
its source. Nothing is changed, and nobody is kept waiting. Exit 13 where something differs.

Examples:
  # what is live, of every database
  kiln verify
  kiln verify druginfo_00007
  # a seventh every night: all of it once a week
  kiln verify --sample 1/7")]
    Verify(Verify),
    /// Make a small database of a live one, closed and the same on every machine
    #[command(after_help = "\
Keeps the rows that sql/DATABASE/subset.toml names, and all that they refer to; tables made from \
tables are made anew. The subset is a build of its own beside the live one, which stays live.

Examples:
  kiln subset druginfo --percent 5
  # and as a file for laptops
  kiln subset druginfo --percent 5 --to druginfo.sql.gz
  # one contract's plans, and what goes with them
  kiln subset druginfo --rule plan_information=\"contract_id = 'H1671'\"
  kiln subset druginfo --percent 1 --dry-run")]
    Subset(Subset),
    /// Make a database of a file that `kiln subset --to` wrote, proved row by row
    #[command(after_help = "\
With nothing configured it starts the private Postgres and leaves it up. The restored subset goes \
live where nothing, or another subset, is live. It is SQL: restore files from people you trust.

Examples:
  kiln restore druginfo.sql.gz
  psql \"$(kiln url druginfo)\"
  # another machine must be told by its name
  kiln restore druginfo.sql.gz --on db.internal")]
    Restore(Restore),
    /// What is live since when, what failed last, and how to go on
    #[command(after_help = "Examples:\n  kiln status\n  kiln status druginfo --json")]
    Status(Status),
    /// Print the URL of the live database, or of a build, with the app's rights
    #[command(after_help = "\
It has no password: psql finds it in PGPASSWORD or ~/.pgpass.

Examples:
  psql \"$(kiln url druginfo)\"
  # a build that is kept
  psql \"$(kiln url druginfo_00007)\"")]
    Url(Url),
    /// What apps accept
    #[command(subcommand)]
    Contract(Contract),
    /// For an app's start: exit 0 only if the live build fits
    #[command(after_help = "\
Needs no more than the app's own rights. Exit 13 when the version does not fit or nothing is live.

Examples:
  kiln guard druginfo --accepts 1..3 && exec ./app")]
    Guard(Guard),
    /// Prove that the numbered .sql files load, or lock their version
    #[command(subcommand)]
    Schema(Schema),
    /// Write the data dictionary, or say that it is stale
    #[command(after_help = "\
Writes sql/DATABASE/DICTIONARY.md from the numbered .sql files (loaded from zero into a scratch \
database) and the specs: commit it. Writes a page a database into --out, searchable without a \
server, with rows, null shares and examples of the live build; never a value of a source about \
people. With --check nothing is written; exit 2 when the Markdown is stale or a comment is missing.

Examples:
  kiln docs
  kiln docs --check
  kiln docs druginfo --build druginfo_00007 --out site")]
    Docs(Docs),
    /// Draft the two files of a new source from a real file, or try a spec on one
    #[command(subcommand)]
    Source(Source),
    /// Drop what retention allows, and what a crash left behind
    #[command(after_help = "Examples:\n  kiln prune --dry-run\n  kiln prune druginfo")]
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
