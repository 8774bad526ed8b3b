//! What every build is after a swap. Pure: the tags are written in the transaction of the renames.

use crate::catalog::registry::retention::former;
use crate::catalog::registry::{Build, BuildState, Tag, Word, live};

/// A change of what is live.
#[derive(Debug, Clone)]
pub struct Change {
    /// Whether it goes back to a build that was live before: a rollback, or by name.
    pub is_back: bool,
    /// The own name of the build that is rolled away from.
    pub rejects: Option<String>,
}

impl Change {
    /// What becoming live means for this candidate. Who goes back to an older build that was live
    /// rolls away from the live one, by whichever command; a subset is a part of another build, and
    /// says nothing of it.
    pub fn of(action: &str, candidate: &Build, builds: &[Build], database: &str) -> Change {
        let live = live(builds, database);
        let number = live.map_or(0, Build::number);
        let is_older = candidate.was_live() && candidate.number() < number;
        let is_back = action == "rollback" || (is_older && !candidate.is_subset());
        let rejects = live.filter(|live| is_back && !live.is_subset());
        Change { is_back, rejects: rejects.map(|live| live.own_name().to_owned()) }
    }
}

/// The tags that the server carries after a swap, by present database name: the candidate live, the
/// live one previous, an older previous one retired. Where `rejects` is said, the live one is
/// rolled away from, and the good one that was live before the candidate becomes the previous one.
pub fn after(
    candidate: &Build,
    builds: &[Build],
    database: &str,
    rejects: Option<&Word>,
) -> Vec<(String, Tag)> {
    let turns = builds.iter().filter_map(|build| build.tag.as_ref().and_then(|tag| tag.turn));
    let turn = turns.max().unwrap_or(0) + 1;
    let live = live(builds, database).filter(|live| live.oid != candidate.oid);
    let goes_on = live.is_none_or(Build::is_subset) || rejects.is_some();
    // What is previous after it: the live one, or where that is none to go back to, the next.
    let mut former = former(builds, database).into_iter();
    let next = former.find(|build| build.oid != candidate.oid && build.rejected().is_none());
    let previous = if goes_on { next } else { live };
    let mut tags = Vec::new();
    for build in builds {
        let Some(mut tag) = build.tag.clone() else { continue };
        let is_live = live.is_some_and(|live| live.oid == build.oid);
        if build.oid == candidate.oid {
            tag.state = BuildState::Live;
            tag.live_since = Some(crate::catalog::registry::now());
            tag.turn = Some(turn);
            tag.rejected = None;
            tags.push((database.to_owned(), tag));
            continue;
        }
        let is_previous = previous.is_some_and(|previous| previous.oid == build.oid);
        if !is_live && !is_previous && tag.state != BuildState::Previous {
            continue;
        }
        tag.state = if is_previous { BuildState::Previous } else { BuildState::Retired };
        let name = if is_live { tag.build.clone() } else { build.name.clone() };
        if is_live {
            tag.rejected = rejects.cloned();
        }
        tags.push((name, tag));
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::registry::build_name;

    /// Builds as a server has them, and what a swap makes of them.
    struct Server(Vec<Build>);

    impl Server {
        /// A new sealed build.
        fn sealed(&mut self, number: i64, is_subset: bool) {
            let name = build_name("druginfo", number, is_subset);
            let tag = Some(Tag::new("druginfo", &name, "r", 1, BuildState::Sealed));
            let oid = u32::try_from(number).expect("small");
            self.0.push(Build { name, oid, tag, invalid: false, bytes: None });
        }

        fn promote(&mut self, action: &str, number: u64) -> Change {
            let candidate = self.0.iter().find(|build| build.number() == number);
            let candidate = candidate.expect("it is there").clone();
            let change = Change::of(action, &candidate, &self.0, "druginfo");
            let word =
                Word { login: "a".into(), host: "b".into(), at: "c".into(), why: "d".into() };
            let rejects = change.rejects.as_ref().map(|_| &word);
            for (name, tag) in after(&candidate, &self.0, "druginfo", rejects) {
                let known = |build: &&mut Build| build.own_name() == tag.build;
                let build = self.0.iter_mut().find(known).expect("it is there");
                (build.name, build.tag) = (name, Some(tag));
            }
            change
        }

        fn night(&mut self, number: i64) {
            self.sealed(number, false);
            self.promote("swap", number.unsigned_abs());
        }

        fn rollback(&mut self) {
            let to = former(&self.0, "druginfo").first().expect("there is one").number();
            assert!(self.promote("rollback", to).is_back);
        }

        fn states(&self) -> String {
            let words = self.0.iter().map(|build| {
                let rejected = if build.rejected().is_some() { " rejected" } else { "" };
                format!("{} {}{rejected}", build.number(), build.state().word())
            });
            words.collect::<Vec<_>>().join(", ")
        }
    }

    #[test]
    fn the_states_after_nights_rollbacks_and_swaps_by_name() {
        let mut server = Server(Vec::new());
        server.night(1);
        server.night(2);
        assert_eq!(server.states(), "1 previous, 2 live");
        server.rollback();
        assert_eq!(server.states(), "1 live, 2 retired rejected");
        server.night(3);
        assert_eq!(server.states(), "1 previous, 2 retired rejected, 3 live");
        server.night(4);
        assert_eq!(server.states(), "1 retired, 2 retired rejected, 3 previous, 4 live");
        // Twice back, to what was live before each time.
        server.rollback();
        assert_eq!(server.states(), "1 previous, 2 retired rejected, 3 live, 4 retired rejected");
        server.rollback();
        let twice = "1 live, 2 retired rejected, 3 retired rejected, 4 retired rejected";
        assert_eq!(server.states(), twice);
        // Forward again to a rejected one: it is not that any more, and 1 was no mistake.
        let change = server.promote("swap", 3);
        assert_eq!((change.is_back, change.rejects), (false, None));
        let forward = "1 previous, 2 retired rejected, 3 live, 4 retired rejected";
        assert_eq!(server.states(), forward);
        // Back by its name is a rollback as well.
        let change = server.promote("swap", 1);
        assert_eq!((change.is_back, change.rejects.as_deref()), (true, Some("druginfo_00003")));
        assert_eq!(server.states(), twice);
    }

    #[test]
    fn a_subset_is_never_previous_and_to_leave_it_rejects_nothing() {
        let mut server = Server(Vec::new());
        server.night(1);
        server.night(2);
        server.sealed(3, true);
        server.promote("swap", 3);
        assert_eq!(server.states(), "1 retired, 2 previous, 3 live");
        let mut home = Server(server.0.clone());
        home.rollback();
        assert_eq!(home.states(), "1 previous, 2 live, 3 retired");
        server.night(4);
        assert_eq!(server.states(), "1 retired, 2 previous, 3 retired, 4 live");
    }

    #[test]
    fn a_sealed_build_that_was_never_live_is_no_way_back() {
        let mut server = Server(Vec::new());
        server.night(1);
        server.sealed(2, false);
        server.night(3);
        let change = server.promote("swap", 2);
        assert_eq!((change.is_back, change.rejects), (false, None));
        assert_eq!(server.states(), "1 retired, 2 live, 3 previous");
    }
}
