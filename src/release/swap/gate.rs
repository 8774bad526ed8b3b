//! The gate: whether a build may be live. A pure decision over facts, made inside the swap's
//! transaction; the permit it gives is the only way to the renames.

use super::Manifests;
use super::tags::Change;
use crate::catalog::registry::contract::Contract;
use crate::catalog::registry::waiver::Waiver;
use crate::catalog::registry::{BuildState, Tag};
use crate::catalog::stamp::{Stamp, Touched};
use crate::error::{Exit, Failure, shell};
use crate::plan::manifest::rejected::{self, Refusal, uncovered};
use crate::spec::schema::SchemaLock;

/// What is known of the candidate.
#[derive(Debug, Clone)]
pub struct CandidateFacts {
    /// What its comment says.
    pub tag: Tag,
    /// What its stamp says; `None` when there is none.
    pub stamp: Option<Stamp>,
    /// The fingerprint of its catalog as it is now.
    pub fingerprint: String,
    /// What `schema.lock` says.
    pub lock: Option<SchemaLock>,
    /// What it differs by from what was sealed.
    pub touched: Touched,
    /// Whether a person named this very build.
    pub named: bool,
    /// The command that asks for it once more.
    pub again: String,
    /// What becoming live means for it and for the live one.
    pub change: Change,
    /// What both were made from.
    pub manifests: Manifests,
    /// What of it was rolled away from.
    pub refusals: Vec<Refusal>,
}

/// Permission to promote; only [`decide`] makes one.
#[derive(Debug)]
pub struct Permit {
    _private: (),
}

/// Decides. All reasons to refuse are named at once.
///
/// # Errors
/// [`Exit::SchemaRefused`] with the reasons and the command that helps.
pub fn decide(
    facts: &CandidateFacts,
    contracts: &[Contract],
    waivers: &[Waiver],
) -> anyhow::Result<Permit> {
    let CandidateFacts { tag, stamp, fingerprint, lock, touched, named, again, refusals, .. } =
        facts;
    let database = &tag.database;
    let mut reasons = Vec::new();
    let mut hint = format!("kiln status {database}");
    match stamp {
        None => {
            reasons.push(format!("{} is not sealed (it is {})", tag.build, tag.state.word()));
            if matches!(tag.state, BuildState::Failed | BuildState::Building) {
                hint = format!("kiln resume {0} && kiln swap {database} {0}", tag.build);
            }
        }
        Some(_) if !tag.state.is_sealed() => {
            reasons.push(format!("{} is {}, not sealed", tag.build, tag.state.word()));
        }
        Some(stamp) => {
            if (&stamp.build, &stamp.database) != (&tag.build, database) {
                reasons.push(format!("{} carries the stamp of {}", tag.build, stamp.build));
            }
            if stamp.version != tag.version {
                let (tagged, stamped) = (tag.version, stamp.version);
                reasons.push(format!("its tag says version {tagged}, its stamp {stamped}"));
            }
            if stamp.fingerprint != *fingerprint {
                reasons.push("its catalog was changed after the seal".to_owned());
            }
        }
    }
    if !touched.reasons.is_empty() {
        reasons.push(format!("it is not what was sealed: {}", touched.reasons.join("; ")));
        hint = format!(
            "`kiln verify {}` reads every table of it; kiln run {database} --full-refresh makes a new build",
            tag.build
        );
    }
    if let Some(lock) = lock
        && stamp.is_some()
        && lock.version == tag.version
        && lock.fingerprint != *fingerprint
    {
        let version = lock.version;
        reasons.push(format!("its catalog is not the one locked as version {version}"));
        hint = format!("kiln schema check {database}");
    }
    let rejected = uncovered(refusals, waivers, Some(&tag.build));
    if !rejected.is_empty() {
        reasons.extend(rejected);
        let waive = rejected::hint(database);
        hint = format!("if it was right after all: {waive} && kiln swap {database} {}", tag.build);
    }
    if let (Some(subset), false) = (&tag.subset, named) {
        reasons.push(format!("it is a subset ({subset}), which goes live by its name only"));
        hint = format!("if that is meant: kiln swap {database} {}", tag.build);
    }
    let serves_from = stamp.as_ref().map_or(tag.version, |stamp| stamp.serves_from);
    if let Some((refused, help)) = misfits(database, serves_from, tag.version, contracts) {
        reasons.extend(refused);
        hint = format!("{help} && {again}");
    }
    if reasons.is_empty() {
        return Ok(Permit { _private: () });
    }
    let message = format!("{} is not promoted: {}", tag.build, reasons.join("; "));
    Err(Failure::new(Exit::SchemaRefused, message).hint(hint).into())
}

/// Which apps do not accept what a build of this version serves, and the command that helps; `None`
/// where all do.
pub(crate) fn misfits(
    database: &str,
    serves_from: u32,
    version: u32,
    contracts: &[Contract],
) -> Option<(Vec<String>, String)> {
    if contracts.is_empty() {
        let reason = format!("no app has said which versions of {database} it accepts");
        let help = format!("kiln contract set {database} --app NAME --accepts {version}");
        return Some((vec![reason], help));
    }
    let all: Vec<&Contract> =
        contracts.iter().filter(|contract| !contract.meets(serves_from, version)).collect();
    all.first()?;
    let serves = match serves_from < version {
        true => format!("{version} (and serves readers of {serves_from} on)"),
        false => version.to_string(),
    };
    let reason = |contract: &&Contract| {
        let Contract { app, accepts_min, accepts_max, .. } = contract;
        format!("it has schema version {serves}, app {app} accepts {accepts_min}..{accepts_max}")
    };
    let version = version.cast_signed();
    let set = |contract: &&Contract| {
        // What it accepts already, and this version as well.
        let Contract { app, accepts_min, accepts_max, until, .. } = contract;
        let (min, max) = ((*accepts_min).min(version), (*accepts_max).max(version));
        let until = until.as_ref().map_or(String::new(), |day| format!(" --until {day}"));
        let app = shell::word(app);
        format!("kiln contract set {database} --app {app} --accepts {min}..{max}{until}")
    };
    let apps: Vec<&str> = all.iter().map(|contract| contract.app.as_str()).collect();
    let commands: Vec<String> = all.iter().map(set).collect();
    let help = format!(
        "deploy a {} that accepts {version}, then: {}",
        apps.join(" and a "),
        commands.join(" && ")
    );
    Some((all.iter().map(reason).collect(), help))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> CandidateFacts {
        let mut tag = Tag::new("druginfo", "druginfo_00007", "r", 3, BuildState::Sealed);
        tag.fingerprint = "f".into();
        CandidateFacts {
            stamp: Some(Stamp {
                build: "druginfo_00007".into(),
                database: "druginfo".into(),
                version: 3,
                serves_from: 3,
                fingerprint: "f".into(),
                rows: Vec::new(),
                contents: None,
            }),
            touched: Touched::default(),
            fingerprint: "f".into(),
            named: false,
            again: "kiln swap druginfo".into(),
            change: Change { is_back: false, rejects: None },
            manifests: Manifests::default(),
            refusals: Vec::new(),
            lock: Some(SchemaLock {
                version: 3,
                serves_from: 3,
                fingerprint: "f".into(),
                catalog: Vec::new(),
                learned: None,
            }),
            tag,
        }
    }

    fn contract(min: i32, max: i32) -> Contract {
        Contract {
            database: "druginfo".into(),
            app: "plans".into(),
            accepts_min: min,
            accepts_max: max,
            until: None,
        }
    }

    fn refused(facts: &CandidateFacts, contracts: &[Contract]) -> String {
        decide(facts, contracts, &[]).err().map_or(String::new(), |error| error.to_string())
    }

    #[test]
    fn what_fits_passes_and_each_misfit_is_refused_by_name() {
        assert_eq!(refused(&facts(), &[contract(1, 3), contract(3, 9)]), "");
        assert!(refused(&facts(), &[]).contains("no app has said"));
        assert!(refused(&facts(), &[contract(4, 5)]).contains("version 3, app plans accepts 4..5"));
        assert!(refused(&facts(), &[contract(3, 3), contract(1, 2)]).contains("accepts 1..2"));
        let good = [contract(3, 3)];
        let mut unsealed = facts();
        unsealed.stamp = None;
        unsealed.tag.state = BuildState::Failed;
        assert!(refused(&unsealed, &good).contains("not sealed (it is failed)"));
        let mut tagged = facts();
        tagged.tag.state = BuildState::Building;
        assert!(refused(&tagged, &good).contains("is building, not sealed"));
        let mut touched = facts();
        touched.fingerprint = "other".into();
        let said = refused(&touched, &good);
        assert!(said.contains("changed after the seal") && said.contains("not the one locked"));
        let mut deleted = facts();
        deleted.touched.reasons.push("table plan has 9 rows".into());
        assert!(refused(&deleted, &good).contains("not what was sealed: table plan has 9 rows"));
        let mut older = facts();
        older.touched.notes.push("an older kiln sealed it".into());
        assert_eq!(refused(&older, &good), "", "what cannot be known is no reason");
        let mut stolen = facts();
        stolen.tag.build = "druginfo_00008".into();
        assert!(refused(&stolen, &good).contains("carries the stamp of druginfo_00007"));
        let mut part = facts();
        part.tag.subset = Some("5 % of druginfo_00001".into());
        assert!(refused(&part, &good).contains("a subset (5 % of druginfo_00001)"));
        part.named = true;
        assert_eq!(refused(&part, &good), "");
        let mut older = facts();
        older.lock = Some(SchemaLock {
            version: 4,
            serves_from: 4,
            fingerprint: "g".into(),
            catalog: Vec::new(),
            learned: None,
        });
        assert_eq!(refused(&older, &good), "");
    }

    #[test]
    fn a_build_that_only_adds_serves_readers_of_before_and_no_others() {
        let mut adds = facts();
        adds.stamp.as_mut().expect("stamped").serves_from = 2;
        for fits in [contract(1, 2), contract(2, 2), contract(3, 3), contract(1, 9)] {
            assert_eq!(refused(&adds, std::slice::from_ref(&fits)), "", "{fits:?}");
        }
        for (misfit, proposed) in [(contract(1, 1), "1..3"), (contract(4, 9), "3..9")] {
            let error = decide(&adds, &[misfit], &[]).expect_err("a misfit");
            let said = crate::report::error::text(&error);
            assert!(said.contains("version 3 (and serves readers of 2 on), app plans"), "{said}");
            assert!(said.contains(&format!("--accepts {proposed} && kiln swap")), "{said}");
        }
    }

    #[test]
    fn a_range_that_is_proposed_is_one_and_a_name_is_quoted() {
        let odd = Contract { app: "plan finder".into(), ..contract(998, 999) };
        let said =
            crate::report::error::text(&decide(&facts(), &[odd], &[]).expect_err("a misfit"));
        assert!(
            said.ends_with("--app 'plan finder' --accepts 3..999 && kiln swap druginfo"),
            "{said}"
        );
    }
}
