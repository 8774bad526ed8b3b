//! Retention: which builds stay, which may be dropped, and why. Pure, so that every case stands in a
//! table. The order of what was live is that of going live, not that of the numbers: a rollback goes
//! backwards, and what it went back to is then the newest good build that there is.

use super::{Build, BuildState, live};

/// What becomes of a build.
#[derive(Debug)]
pub(crate) struct Fate<'a> {
    /// The build.
    pub build: &'a Build,
    /// Whether it stays.
    pub stays: bool,
    /// Why it stays or goes.
    pub why: String,
}

/// Whole builds that were live and are not now, the first to go back to first: the previous one,
/// then retired ones, the latest first, then those that were rolled away from.
pub(crate) fn former<'a>(builds: &'a [Build], database: &str) -> Vec<&'a Build> {
    let is_former = |build: &&Build| {
        build.name != database
            && !build.invalid
            && !build.is_subset()
            && matches!(build.state(), BuildState::Previous | BuildState::Retired)
    };
    let mut former: Vec<&Build> = builds.iter().filter(is_former).collect();
    former.sort_by_key(|build| {
        let is_previous = build.state() == BuildState::Previous;
        std::cmp::Reverse((build.rejected().is_none(), is_previous, build.turn()))
    });
    former
}

/// What becomes of every build when `keep` former ones are to stay; oldest first. While the run's
/// lock is held. What is live and what is on hold stays; of former builds the first to go back to;
/// of sealed ones that never went live the newest that is newer than the live one; of subsets the
/// newest sealed one, unless a newer one is live, beside the whole builds and never in the place of
/// one. Unsealed leftovers go, but for a build that was begun for workers and whose time is not over.
pub(crate) fn fates<'a>(builds: &'a [Build], database: &str, keep: usize) -> Vec<Fate<'a>> {
    let live = live(builds, database);
    let newest = |is_subset: bool, above: u64| {
        let sealed =
            builds.iter().filter(|build| build.state() == BuildState::Sealed && !build.invalid);
        let newer = sealed.filter(|build| build.is_subset() == is_subset && build.number() > above);
        newer.map(Build::number).max()
    };
    let candidate = newest(false, live.map_or(0, Build::number));
    let live_subset = live.filter(|build| build.is_subset());
    let subset = newest(true, live_subset.map_or(0, Build::number));
    let former = former(builds, database);
    let unheld = former.iter().filter(|build| build.held().is_none());
    let now = super::now();
    let kept: Vec<u32> = unheld.take(keep).map(|build| build.oid).collect();
    let fate = |build: &'a Build| {
        let number = Some(build.number());
        let (stays, why) = match build.state() {
            _ if build.name == database => (true, "live".to_owned()),
            _ if build.invalid => {
                (false, "a crash came between its drop and the end of it".to_owned())
            }
            _ if build.held().is_some() => (true, on_hold(build)),
            BuildState::Building if build.until(&now).is_some() => (
                true,
                format!(
                    "begun; workers may be at it until {}",
                    build.until(&now).unwrap_or_default()
                ),
            ),
            BuildState::Live => (true, "its comment says that it is live".to_owned()),
            BuildState::Previous | BuildState::Retired if kept.contains(&build.oid) => {
                (true, "kept for rollback".to_owned())
            }
            BuildState::Sealed if !build.is_subset() && number == candidate => {
                (true, "sealed, and newer than what is live".to_owned())
            }
            BuildState::Sealed if build.is_subset() && number == subset => {
                (true, "the newest subset".to_owned())
            }
            BuildState::Previous | BuildState::Retired if build.rejected().is_some() => {
                (false, "it was rolled away from".to_owned())
            }
            state => (false, format!("it is {}", state.word())),
        };
        Fate { build, stays, why }
    };
    builds.iter().map(fate).collect()
}

fn on_hold(build: &Build) -> String {
    build.held().map_or(String::new(), |word| format!("on hold ({word})"))
}

/// Those that may be dropped, oldest first.
pub fn droppable<'a>(builds: &'a [Build], database: &str, keep: usize) -> Vec<&'a Build> {
    let gone = fates(builds, database, keep).into_iter().filter(|fate| !fate.stays);
    gone.map(|fate| fate.build).collect()
}

#[cfg(test)]
mod tests;
