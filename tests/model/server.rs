//! What a server has of one database: its builds, with their tags, and which of them has the live name. What
//! follows from that is asked of kiln itself: gate, tags after a swap, the way back, retention.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{LazyLock, Mutex, PoisonError};

use kiln::testing::catalog::registry::contract::Contract;
use kiln::testing::catalog::registry::retention::droppable;
use kiln::testing::catalog::registry::{Build, BuildState, Tag, Word, build_name};
use kiln::testing::catalog::stamp::{Stamp, Touched};
use kiln::testing::plan::manifest::rejected::Refusal;
use kiln::testing::release::swap::gate::{CandidateFacts, decide};
use kiln::testing::release::swap::tags::{Change, after};
use kiln::testing::release::swap::{Manifests, candidate, previous};

/// What the database is called.
const NAME: &str = "druginfo";
/// Builds that there may be: the first is live, the second sealed, the third the next night's.
pub const BUILDS: usize = 3;
/// How many former builds retention leaves.
const KEEP: usize = 1;

/// A build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    pub state: BuildState,
    pub has_stamp: bool,
    pub is_rejected: bool,
    /// The order of what was live: 0 never was.
    pub turn: u8,
    /// A person rolled away from it, whatever the server knows of that.
    pub is_bad: bool,
}

impl Hash for Made {
    fn hash<H: Hasher>(&self, to: &mut H) {
        let Made { state, has_stamp, is_rejected, turn, is_bad } = self;
        (state.word(), has_stamp, is_rejected, turn, is_bad).hash(to);
    }
}

/// A database's builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Database {
    pub builds: [Option<Made>; BUILDS],
    /// Which has the live name.
    pub live: Option<usize>,
}

/// A command's word, for the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wish {
    Swap,
    Rollback,
}

/// What the gate is asked to leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Blind {
    pub of_seal: bool,
    pub of_rejected: bool,
}

/// What was asked before, for kiln's answers to the same are the same.
type Known<K, V> = LazyLock<Mutex<HashMap<K, V>>>;

fn known<K: Eq + Hash, V: Clone>(of: &Known<K, V>, key: K, find: impl FnOnce(&K) -> V) -> V {
    let mut of = of.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = of.get(&key) {
        return found.clone();
    }
    let found = find(&key);
    of.insert(key, found.clone());
    found
}

fn word() -> Word {
    Word { login: "a".into(), host: "b".into(), at: "c".into(), why: "d".into() }
}

impl Database {
    /// One that is live, and one that is sealed beside it.
    pub fn ready() -> Database {
        let sealed = Made {
            state: BuildState::Sealed,
            has_stamp: true,
            is_rejected: false,
            turn: 0,
            is_bad: false,
        };
        let live = Made { state: BuildState::Live, turn: 1, ..sealed };
        Database { builds: [Some(live), Some(sealed), None], live: Some(0) }
    }

    /// They as kiln finds them on the server.
    fn found(&self) -> Vec<Build> {
        let build = |at: usize, made: &Made| {
            let own = build_name(NAME, i64::try_from(at + 1).unwrap(), false);
            let mut tag = Tag::new(NAME, &own, "r", 1, made.state);
            tag.turn = (made.turn > 0).then_some(u64::from(made.turn));
            tag.rejected = made.is_rejected.then(word);
            tag.fingerprint = "f".into();
            let name = if self.live == Some(at) { NAME.to_owned() } else { own };
            let oid = u32::try_from(at).unwrap();
            Build { name, oid, tag: Some(tag), invalid: false, bytes: None }
        };
        let all = self.builds.iter().enumerate();
        all.filter_map(|(at, made)| Some(build(at, made.as_ref()?))).collect()
    }

    fn place(build: &Build) -> usize {
        usize::try_from(build.oid).unwrap()
    }

    /// What `kiln swap` means.
    pub fn candidate(self) -> Option<usize> {
        static KNOWN: Known<Database, Option<usize>> = LazyLock::new(Mutex::default);
        known(&KNOWN, self, |of| candidate(&of.found(), NAME).map(Database::place))
    }

    /// What `kiln rollback` goes back to.
    pub fn previous(self) -> Option<usize> {
        static KNOWN: Known<Database, Option<usize>> = LazyLock::new(Mutex::default);
        known(&KNOWN, self, |of| previous(&of.found(), NAME).map(Database::place))
    }

    /// What retention lets go of; at the beginning of a night all former builds stay.
    pub fn droppable(self, is_night: bool) -> Vec<usize> {
        static KNOWN: Known<(Database, bool), Vec<usize>> = LazyLock::new(Mutex::default);
        let keep = if is_night { usize::MAX } else { KEEP };
        known(&KNOWN, (self, is_night), |(of, _)| {
            droppable(&of.found(), NAME, keep).into_iter().map(Database::place).collect()
        })
    }

    /// Whether the gate lets a build pass.
    pub fn permits(self, wish: Wish, to: usize, blind: Blind) -> bool {
        static KNOWN: Known<(Database, Wish, usize, Blind), bool> = LazyLock::new(Mutex::default);
        known(&KNOWN, (self, wish, to, blind), |(of, ..)| of.decide(wish, to, blind))
    }

    fn decide(&self, wish: Wish, to: usize, blind: Blind) -> bool {
        let all = self.found();
        let Some(build) = all.iter().find(|build| Database::place(build) == to) else {
            return false;
        };
        let Some(mut tag) = build.tag.clone() else { return false };
        let has_stamp = blind.of_seal || self.builds[to].is_some_and(|made| made.has_stamp);
        if blind.of_seal && !tag.state.is_sealed() {
            tag.state = BuildState::Sealed;
        }
        let stamp = has_stamp.then(|| Stamp {
            build: tag.build.clone(),
            database: NAME.into(),
            version: 1,
            serves_from: 1,
            fingerprint: "f".into(),
            rows: Vec::new(),
            contents: None,
        });
        let refusals = Refusal::itself(build).filter(|_| !blind.of_rejected);
        let facts = CandidateFacts {
            stamp,
            fingerprint: "f".into(),
            lock: None,
            touched: Touched::default(),
            named: true,
            again: String::new(),
            change: Change::of(wish.word(), build, &all, NAME),
            manifests: Manifests::default(),
            refusals: refusals.into_iter().collect(),
            tag,
        };
        let accepts = Contract {
            database: NAME.into(),
            app: "plans".into(),
            accepts_min: 1,
            accepts_max: 1,
            until: None,
        };
        decide(&facts, &[accepts], &[]).is_ok()
    }

    /// What the renames and the tags of their transaction make of it. `is_said` is whether what is rolled
    /// away from is rejected.
    pub fn swapped(self, wish: Wish, to: usize, is_said: bool) -> Database {
        static KNOWN: Known<(Database, Wish, usize, bool), Database> =
            LazyLock::new(Mutex::default);
        known(&KNOWN, (self, wish, to, is_said), |(of, ..)| of.swap(wish, to, is_said))
    }

    fn swap(&self, wish: Wish, to: usize, is_said: bool) -> Database {
        let all = self.found();
        let Some(build) = all.iter().find(|build| Database::place(build) == to) else {
            return *self;
        };
        let change = Change::of(wish.word(), build, &all, NAME);
        let word = word();
        let rejects = change.rejects.as_ref().filter(|_| is_said).map(|_| &word);
        let mut next = *self;
        if let (Some(live), true) = (self.live, change.rejects.is_some()) {
            next.change(live, |made| made.is_bad = true);
        }
        for (_, tag) in after(build, &all, NAME, rejects) {
            let of = all.iter().find(|build| build.own_name() == tag.build);
            let turn = tag.turn.and_then(|turn| u8::try_from(turn).ok()).unwrap_or(0);
            let Some(at) = of.map(Database::place) else { continue };
            next.change(at, |made| {
                (made.state, made.turn) = (tag.state, turn);
                made.is_rejected = tag.rejected.is_some();
            });
        }
        next.live = Some(to);
        next.ranked()
    }

    /// A swap undone: the former live build is live again, the candidate sealed again.
    pub fn gone_back(self, from: usize, to: usize) -> Database {
        let mut next = self;
        next.change(to, |made| (made.state, made.turn) = (BuildState::Sealed, 0));
        next.change(from, |made| made.state = BuildState::Live);
        next.live = Some(from);
        if let Some(former) = next.previous() {
            next.change(former, |made| made.state = BuildState::Previous);
        }
        next.ranked()
    }

    pub fn change(&mut self, at: usize, change: impl FnOnce(&mut Made)) {
        if let Some(made) = &mut self.builds[at] {
            change(made);
        }
    }

    /// Of turns only the order says something.
    fn ranked(mut self) -> Database {
        let mut turns: Vec<u8> = self.builds.iter().flatten().map(|made| made.turn).collect();
        turns.push(0);
        turns.sort_unstable();
        turns.dedup();
        for made in self.builds.iter_mut().flatten() {
            let rank = turns.iter().position(|turn| *turn == made.turn).unwrap_or(0);
            made.turn = u8::try_from(rank).unwrap_or(u8::MAX);
        }
        self
    }

    /// Whether this build is there, live by its name and by its tag alone.
    pub fn has_one_live(&self) -> bool {
        let is_live =
            |at: usize| self.builds[at].is_some_and(|made| made.state == BuildState::Live);
        (0..BUILDS).all(|at| is_live(at) == (self.live == Some(at))) && self.live.is_some()
    }
}

impl Wish {
    fn word(self) -> &'static str {
        match self {
            Wish::Swap => "swap",
            Wish::Rollback => "rollback",
        }
    }
}
