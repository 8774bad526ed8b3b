//! Names and states of builds, as the Postgres server itself keeps them: a comment on each
//! database for what it is (it survives the rename and can be read without connecting), and the
//! small database `kiln` for contracts, waivers, history and audit.
//!
//! Lose the host, lose nothing.

pub mod build;
mod contract;
pub mod control;
pub mod found;
pub mod roles;
pub mod waiver;

use serde::{Deserialize, Serialize};

use crate::pg::{Ident, literal};
pub use found::builds;

/// The database that holds contracts, history and audit.
pub const CONTROL: &str = "kiln";
/// What the name of a subset's database ends in, so that nobody takes it for the whole.
const SUBSET: &str = "_subset";

/// What a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
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
    /// Older than that; dropped when retention says so.
    Retired,
    /// A trial load, dropped at its end.
    Scratch,
}

impl State {
    /// The word, as it stands in the comment.
    pub fn word(self) -> &'static str {
        match self {
            State::Building => "building",
            State::Failed => "failed",
            State::Sealed => "sealed",
            State::Live => "live",
            State::Previous => "previous",
            State::Retired => "retired",
            State::Scratch => "scratch",
        }
    }

    /// Whether the seal is on it.
    pub fn is_sealed(self) -> bool {
        matches!(self, State::Sealed | State::Live | State::Previous | State::Retired)
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
    pub state: State,
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
}

impl Tag {
    /// The tag of a new build.
    pub fn new(database: &str, build: &str, run: &str, version: u32, state: State) -> Tag {
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
    pub fn state(&self) -> State {
        self.tag.as_ref().map_or(State::Building, |tag| tag.state)
    }

    /// The build's number, which gives the order (clocks do not).
    pub fn number(&self) -> u64 {
        let own = whole_name(self.own_name());
        own.rsplit_once('_').and_then(|(_, digits)| digits.parse().ok()).unwrap_or(0)
    }

    /// Its own name, whatever the database is called now.
    pub fn own_name(&self) -> &str {
        self.tag.as_ref().map_or(self.name.as_str(), |tag| tag.build.as_str())
    }

    /// Whether it holds a part of the rows only.
    pub fn is_subset(&self) -> bool {
        self.own_name().ends_with(SUBSET)
            || self.tag.as_ref().is_some_and(|tag| tag.subset.is_some())
    }
}

/// The name of a database's n-th build.
pub fn build_name(database: &str, number: i64, is_subset: bool) -> String {
    format!("{database}_{number:05}{}", if is_subset { SUBSET } else { "" })
}

/// A build's name without what marks a subset.
fn whole_name(build: &str) -> &str {
    build.strip_suffix(SUBSET).unwrap_or(build)
}

/// The database that a build's name belongs to: `druginfo_00007` → `druginfo`.
pub fn database_of(build: &str) -> Option<&str> {
    let (database, digits) = whole_name(build).rsplit_once('_')?;
    let form = digits.len() >= 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
    (form && Ident::parse(database).is_some()).then_some(database)
}

/// The live build, if there is one.
pub fn live<'a>(builds: &'a [Build], database: &str) -> Option<&'a Build> {
    builds.iter().find(|build| build.name == database)
}

/// Which builds a clean-up may drop, while the run's lock is held. Pure, so that the table of
/// cases can be tested: unsealed leftovers; of the sealed ones that never went live all but the
/// newest that is newer than the live one; of the previous ones all but the newest `keep`. Of
/// subsets the newest sealed one stays, unless a newer one is live, beside the whole builds and
/// never in the place of one.
pub fn droppable<'a>(builds: &'a [Build], database: &str, keep: usize) -> Vec<&'a Build> {
    let live_number = live(builds, database).map_or(0, Build::number);
    let newest = |wanted: &dyn Fn(&Build) -> bool| {
        let sealed = builds.iter().filter(|build| build.state() == State::Sealed);
        sealed.filter(|build| wanted(build)).map(Build::number).max()
    };
    let newest_sealed = newest(&|build| !build.is_subset() && build.number() > live_number);
    let live_subset = live(builds, database).filter(|build| build.is_subset()).map(Build::number);
    let newest_subset = newest(&|build| build.is_subset() && Some(build.number()) > live_subset);
    let mut kept = keep;
    let mut drop = Vec::new();
    for build in builds.iter().rev() {
        let stays = build.name == database
            || match build.state() {
                _ if build.invalid => false,
                State::Live => true,
                State::Sealed if build.is_subset() => Some(build.number()) == newest_subset,
                // Rollback goes back to whole builds only.
                _ if build.is_subset() => false,
                State::Previous | State::Retired if kept > 0 => {
                    kept -= 1;
                    true
                }
                State::Sealed => Some(build.number()) == newest_sealed,
                _ => false,
            };
        if !stays {
            drop.push(build);
        }
    }
    drop.reverse();
    drop
}

/// Now, RFC 3339, to the second.
pub fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(name: &str, number: i64, state: Option<State>) -> Build {
        let own = build_name("druginfo", number, name.ends_with(SUBSET));
        let tag = state.map(|state| Tag::new("druginfo", &own, "r", 1, state));
        Build { name: name.to_owned(), oid: 0, tag, invalid: false, bytes: None }
    }

    fn dropped(builds: &[Build], keep: usize) -> Vec<u64> {
        droppable(builds, "druginfo", keep).iter().map(|build| build.number()).collect()
    }

    #[test]
    fn a_night_keeps_live_and_previous_and_drops_the_rest() {
        let mut builds = vec![
            build("druginfo_00001", 1, Some(State::Retired)),
            build("druginfo_00002", 2, Some(State::Previous)),
            build("druginfo", 3, Some(State::Live)),
            build("druginfo_00004", 4, Some(State::Failed)),
            build("druginfo_00005", 5, None),
            build("druginfo_00006", 6, Some(State::Building)),
            build("druginfo_00007", 7, Some(State::Scratch)),
        ];
        assert_eq!(dropped(&builds, 1), [1, 4, 5, 6, 7]);
        assert_eq!(dropped(&builds, 2), [4, 5, 6, 7]);
        builds[1].invalid = true;
        assert_eq!(dropped(&builds, 1), [2, 4, 5, 6, 7]);
    }

    #[test]
    fn a_sealed_candidate_stays_until_a_newer_one_is_live() {
        let builds = vec![
            build("druginfo_00001", 1, Some(State::Sealed)),
            build("druginfo", 2, Some(State::Live)),
            build("druginfo_00003", 3, Some(State::Sealed)),
            build("druginfo_00004", 4, Some(State::Sealed)),
        ];
        assert_eq!(dropped(&builds, 1), [1, 3]);
    }

    #[test]
    fn of_subsets_the_newest_stays_and_takes_no_other_builds_place() {
        let builds = vec![
            build("druginfo_00001", 1, Some(State::Previous)),
            build("druginfo_00002_subset", 2, Some(State::Previous)),
            build("druginfo_00003_subset", 3, Some(State::Sealed)),
            build("druginfo", 4, Some(State::Live)),
            build("druginfo_00005", 5, Some(State::Sealed)),
            build("druginfo_00006_subset", 6, Some(State::Sealed)),
            build("druginfo_00007_subset", 7, Some(State::Building)),
            build("druginfo_00008_subset", 8, None),
        ];
        assert_eq!(dropped(&builds, 1), [2, 3, 7, 8]);
        let mut laptop = build("druginfo", 3, Some(State::Live));
        laptop.tag.as_mut().expect("tagged").subset = Some("5 %".into());
        let laptop = [
            build("druginfo_00001_subset", 1, Some(State::Sealed)),
            build("druginfo_00002_subset", 2, Some(State::Previous)),
            laptop,
        ];
        assert_eq!(dropped(&laptop, 1), [1, 2]);
        assert_eq!(builds[7].number(), 8);
        assert_eq!(database_of("druginfo_00006_subset"), Some("druginfo"));
    }

    #[test]
    fn build_names_are_told_from_names_that_only_look_like_them() {
        assert_eq!(database_of("druginfo_00007"), Some("druginfo"));
        assert_eq!(database_of("plan_info_100007"), Some("plan_info"));
        for other in ["druginfo", "druginfo_7", "druginfo_00007x", "planinfo_build_evil\"; drop"] {
            assert_eq!(database_of(other), None, "{other}");
        }
    }
}
