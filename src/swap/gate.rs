//! The gate: whether a build may be live. A pure decision over facts, made inside the swap's
//! transaction; the permit it gives is the only way to the renames.

use crate::error::{Exit, Failure};
use crate::registry::Tag;
use crate::registry::control::Contract;
use crate::schema::SchemaLock;
use crate::seal::Stamp;

/// What is known of the candidate.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What its comment says.
    pub tag: Tag,
    /// What its stamp says; `None` when there is none.
    pub stamp: Option<Stamp>,
    /// The fingerprint of its catalog as it is now.
    pub fingerprint: String,
    /// What `schema.lock` says.
    pub lock: Option<SchemaLock>,
    /// Whether a person named this very build.
    pub named: bool,
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
pub fn decide(facts: &Facts, contracts: &[Contract]) -> anyhow::Result<Permit> {
    let Facts { tag, stamp, fingerprint, lock, named } = facts;
    let database = &tag.database;
    let mut reasons = Vec::new();
    let mut hint = format!("kiln status {database}");
    match stamp {
        None => reasons.push(format!("{} is not sealed (it is {})", tag.build, tag.state.word())),
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
    if let Some(lock) = lock
        && lock.version == tag.version
        && lock.fingerprint != *fingerprint
    {
        let version = lock.version;
        reasons.push(format!("its catalog is not the one locked as version {version}"));
        hint = format!("kiln schema check {database}");
    }
    if let (Some(subset), false) = (&tag.subset, named) {
        reasons.push(format!("it is a subset ({subset}), which goes live by its name only"));
        hint = format!("if that is meant: kiln swap {database} {}", tag.build);
    }
    if contracts.is_empty() {
        reasons.push(format!("no app has said which versions of {database} it accepts"));
        hint = format!(
            "kiln contract set {database} --app NAME --accepts {0}..{0}, then kiln swap {database}",
            tag.version
        );
    }
    for contract in contracts.iter().filter(|contract| !contract.accepts(tag.version)) {
        let Contract { app, accepts_min, accepts_max, .. } = contract;
        let version = tag.version;
        reasons.push(format!(
            "it has schema version {version}, app {app} accepts {accepts_min}..{accepts_max}"
        ));
        hint = format!(
            "deploy a {app} that accepts {version}, then kiln contract set {database} --app {app} \
             --accepts {accepts_min}..{version}, then kiln swap {database}"
        );
    }
    if reasons.is_empty() {
        return Ok(Permit { _private: () });
    }
    let message = format!("{} is not promoted: {}", tag.build, reasons.join("; "));
    Err(Failure::new(Exit::SchemaRefused, message).hint(hint).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::State;

    fn facts() -> Facts {
        let mut tag = Tag::new("druginfo", "druginfo_00007", "r", 3, State::Sealed);
        tag.fingerprint = "f".into();
        Facts {
            stamp: Some(Stamp {
                build: "druginfo_00007".into(),
                database: "druginfo".into(),
                version: 3,
                fingerprint: "f".into(),
                rows: Vec::new(),
            }),
            fingerprint: "f".into(),
            named: false,
            lock: Some(SchemaLock { version: 3, fingerprint: "f".into(), catalog: Vec::new() }),
            tag,
        }
    }

    fn contract(min: i32, max: i32) -> Contract {
        Contract {
            database: "druginfo".into(),
            app: "plans".into(),
            accepts_min: min,
            accepts_max: max,
        }
    }

    fn refused(facts: &Facts, contracts: &[Contract]) -> String {
        decide(facts, contracts).err().map_or(String::new(), |error| error.to_string())
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
        unsealed.tag.state = State::Failed;
        assert!(refused(&unsealed, &good).contains("not sealed (it is failed)"));
        let mut tagged = facts();
        tagged.tag.state = State::Building;
        assert!(refused(&tagged, &good).contains("is building, not sealed"));
        let mut touched = facts();
        touched.fingerprint = "other".into();
        let said = refused(&touched, &good);
        assert!(said.contains("changed after the seal") && said.contains("not the one locked"));
        let mut stolen = facts();
        stolen.tag.build = "druginfo_00008".into();
        assert!(refused(&stolen, &good).contains("carries the stamp of druginfo_00007"));
        let mut part = facts();
        part.tag.subset = Some("5 % of druginfo_00001".into());
        assert!(refused(&part, &good).contains("a subset (5 % of druginfo_00001)"));
        part.named = true;
        assert_eq!(refused(&part, &good), "");
        let mut older = facts();
        older.lock = Some(SchemaLock { version: 4, fingerprint: "g".into(), catalog: Vec::new() });
        assert_eq!(refused(&older, &good), "");
    }
}
