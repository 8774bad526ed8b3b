//! Names and states of builds, as the Postgres server itself keeps them: a comment on each
//! database for what it is (it survives the rename and can be read without connecting), and the
//! small database `kiln` for contracts, waivers, history and audit.
//!
//! Lose the host, lose nothing.

pub(crate) mod build;
pub(crate) mod contract;
pub(crate) mod control;
pub(crate) mod found;
pub(crate) mod hold;
pub(crate) mod joint;
pub(crate) mod own;
pub(crate) mod promoted;
pub(crate) mod retention;
pub(crate) mod roles;
pub(crate) mod waiver;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::name;
pub use crate::config::name::build_name;
pub(crate) use crate::config::name::{CONTROL, database_of, number_of};
use crate::postgres::{Ident, literal};
use control::Who;
pub(crate) use found::builds;

/// What a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BuildState {
    /// Being made by a run; without a run it is a leftover.
    Building,
    /// A run failed; kept for an engineer until the next night.
    Failed,
    /// Complete, checked, stamped, read-only.
    Sealed,
    /// The one that apps read.
    Live,
    /// The one before; `rollback` goes back to it.
    Previous,
    /// Older than that, or rolled away from; dropped when retention says so.
    Retired,
    /// A trial load, dropped at its end.
    Scratch,
}

impl BuildState {
    /// The word, as it stands in the comment.
    pub fn word(self) -> &'static str {
        match self {
            BuildState::Building => "building",
            BuildState::Failed => "failed",
            BuildState::Sealed => "sealed",
            BuildState::Live => "live",
            BuildState::Previous => "previous",
            BuildState::Retired => "retired",
            BuildState::Scratch => "scratch",
        }
    }

    /// Whether the seal is on it.
    pub fn is_sealed(self) -> bool {
        matches!(
            self,
            BuildState::Sealed | BuildState::Live | BuildState::Previous | BuildState::Retired
        )
    }
}

/// What the comment on a build's database says, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// The form of this tag; 1.
    pub kiln: u32,
    /// The product database, `druginfo`.
    pub database: String,
    /// The build's own name for ever, `druginfo_00007`.
    pub build: String,
    /// What it is now.
    pub state: BuildState,
    /// Its schema's version.
    pub version: u32,
    /// Its schema's fingerprint, known when it is sealed.
    pub fingerprint: String,
    /// The data's period, as the members' names say it; empty until known.
    pub period: String,
    /// Sources it was made without.
    pub without: Vec<String>,
    /// The run that made it.
    pub run: String,
    /// When it was begun, RFC 3339.
    pub created: String,
    /// When it was sealed.
    pub sealed: Option<String>,
    /// Since when it is (or was) live.
    pub live_since: Option<String>,
    /// What it is a part of, in words (`5 % of druginfo_00007`); `None` for a whole build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subset: Option<String>,
    /// How many times a build had gone live when it last did: the order of what was live, which
    /// neither numbers give (a rollback goes backwards) nor clocks. `None` where it never did, or
    /// under a kiln that did not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
    /// Who rolled away from it, and why; it comes back by a waiver only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<Word>,
    /// Who put it on hold, and why: retention leaves it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Word>,
    /// Until when workers may be at it, RFC 3339, where it was begun by `kiln begin`: before that it is no
    /// leftover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A person's word about a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// Who.
    pub login: String,
    /// On which host.
    pub host: String,
    /// When, RFC 3339.
    pub at: String,
    /// Why.
    pub why: String,
}

impl Word {
    /// What this person says now.
    pub fn of(who: &Who, why: &str) -> Word {
        let Who { login, host, .. } = who.clone();
        Word { login, host, at: now(), why: why.to_owned() }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Word { login, host, at, why } = self;
        write!(f, "{why}; {login} on {host}, {at}")
    }
}

impl Tag {
    /// The tag of a new build.
    pub fn new(database: &str, build: &str, run: &str, version: u32, state: BuildState) -> Tag {
        Tag {
            kiln: 1,
            database: database.to_owned(),
            build: build.to_owned(),
            state,
            version,
            fingerprint: String::new(),
            period: String::new(),
            without: Vec::new(),
            run: run.to_owned(),
            created: now(),
            sealed: None,
            live_since: None,
            subset: None,
            turn: None,
            rejected: None,
            held: None,
            until: None,
        }
    }

    /// The statement that puts this tag on a database of the server.
    pub fn comment_sql(&self, on: &Ident) -> String {
        format!("comment on database {on} is {}", literal(&self.json()))
    }

    /// It as it stands in comments and notes.
    fn json(&self) -> String {
        serde_json::to_string(self).expect("a tag is plain data")
    }
}

/// A build on the server.
#[derive(Debug, Clone, Serialize)]
pub struct Build {
    /// The database's present name: the build's own, or the product's while it is live.
    pub name: String,
    /// Its object id; a rename keeps it.
    pub oid: u32,
    /// What the comment says; `None` when a crash came between CREATE and COMMENT.
    pub tag: Option<Tag>,
    /// A crash in DROP DATABASE left it unusable; only DROP clears it.
    pub invalid: bool,
    /// Bytes on disk; `None` where this role may not ask.
    pub bytes: Option<i64>,
}

impl Build {
    /// Its state; a build without a tag is one that was just begun.
    pub fn state(&self) -> BuildState {
        self.tag.as_ref().map_or(BuildState::Building, |tag| tag.state)
    }

    /// The build's number, which gives the order (clocks do not).
    pub fn number(&self) -> u64 {
        number_of(self.own_name())
    }

    /// Its own name, whatever the database is called now.
    pub fn own_name(&self) -> &str {
        self.tag.as_ref().map_or(self.name.as_str(), |tag| tag.build.as_str())
    }

    /// Who rolled away from it, where somebody did.
    pub fn rejected(&self) -> Option<&Word> {
        self.tag.as_ref().and_then(|tag| tag.rejected.as_ref())
    }

    /// Who put it on hold, where somebody did.
    pub fn held(&self) -> Option<&Word> {
        self.tag.as_ref().and_then(|tag| tag.held.as_ref())
    }

    /// Until when workers may be at it, where it was begun for them and that is not over `now`.
    pub fn until(&self, now: &str) -> Option<&str> {
        let until = self.tag.as_ref()?.until.as_deref()?;
        (until > now).then_some(until)
    }

    /// What orders the builds that were live: the later it went live the greater.
    fn turn(&self) -> (u64, u64) {
        (self.tag.as_ref().and_then(|tag| tag.turn).unwrap_or(0), self.number())
    }

    /// Whether it was live once, or is.
    pub fn was_live(&self) -> bool {
        matches!(self.state(), BuildState::Live | BuildState::Previous | BuildState::Retired)
    }

    /// Whether it holds a part of the rows only.
    pub fn is_subset(&self) -> bool {
        self.own_name().ends_with(name::SUBSET)
            || self.tag.as_ref().is_some_and(|tag| tag.subset.is_some())
    }
}

/// The live build, if there is one.
pub(crate) fn live<'a>(builds: &'a [Build], database: &str) -> Option<&'a Build> {
    builds.iter().find(|build| build.name == database)
}

/// Now, RFC 3339, to the second.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
