//! Waivers: a person's word that one gate does not count, for the next promotion, for one build,
//! or until a date; always with a reason. They stand in the database `kiln`, are in the audit, and
//! end by themselves.

use serde::Serialize;

use super::control::{Audit, Who, write_audit};
use crate::postgres::{Session, db};

/// What can be waived. What a gate asks, and when, is said where it is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Gate {
    /// A build that was rolled away from, or an object that only such builds have read.
    Rejected,
    /// A table's rows, against those of the live build.
    Rows,
    /// A column's share of nulls, against that of the live build.
    Nulls,
    /// A period or posting that is older than the live build's.
    Older,
    /// Sections that derived columns need, and the live build has.
    Sections,
}

impl Gate {
    /// Every gate that can be waived.
    pub const ALL: [Gate; 5] =
        [Gate::Rejected, Gate::Rows, Gate::Nulls, Gate::Older, Gate::Sections];

    /// The word, as it is typed and stored.
    pub fn word(self) -> &'static str {
        match self {
            Gate::Rejected => "rejected",
            Gate::Rows => "rows",
            Gate::Nulls => "nulls",
            Gate::Older => "older",
            Gate::Sections => "sections",
        }
    }

    /// The gate of this word.
    ///
    /// # Errors
    /// When no gate has this name: a sentence that lists the known ones.
    pub fn parse(word: &str) -> Result<Gate, String> {
        Gate::ALL.into_iter().find(|gate| gate.word() == word).ok_or_else(|| {
            let known = Gate::ALL.map(Gate::word).join(", ");
            format!("no gate {word:?} can be waived; those that can: {known}")
        })
    }
}

/// A waiver that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiver {
    /// Its number.
    pub id: i64,
    /// The database.
    pub database: String,
    /// The gate that does not count.
    pub gate: Gate,
    /// The only source that it is for; `None` for all.
    pub source: Option<String>,
    /// The only build that it is for; it ends when that one goes live.
    pub build: Option<String>,
    /// The last day on which it stands (UTC), however many builds go live until then.
    pub until: Option<String>,
    /// Why.
    pub why: String,
    /// Who said so.
    pub login: String,
    /// On which host.
    pub host: String,
    /// When, RFC 3339.
    pub at: String,
}

/// A waiver to be granted.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct NewWaiver<'a> {
    /// The database.
    pub database: &'a str,
    /// The gate that shall not count.
    pub gate: Gate,
    /// The only source that it is for.
    pub source: Option<&'a str>,
    /// The only build that it is for.
    pub build: Option<&'a str>,
    /// The last day on which it stands.
    pub until: Option<jiff::civil::Date>,
    /// Why.
    pub why: &'a str,
}

impl Waiver {
    /// What it is for, and for how long.
    pub fn scope(&self) -> String {
        let until = self.until.as_deref();
        scope(self.gate, self.source.as_deref(), self.build.as_deref(), until)
    }

    /// Whether it ends with the promotion of this build.
    fn ends_with(&self, promoted: &str) -> bool {
        self.until.is_none() && self.build.as_deref().is_none_or(|build| build == promoted)
    }
}

impl NewWaiver<'_> {
    /// What it is for, and for how long.
    pub(crate) fn scope(&self) -> String {
        let until = self.until.map(|date| date.to_string());
        scope(self.gate, self.source, self.build, until.as_deref())
    }
}

fn scope(gate: Gate, source: Option<&str>, build: Option<&str>, until: Option<&str>) -> String {
    let source = source.map_or(String::new(), |source| format!(" of source {source}"));
    let span = match (build, until) {
        (Some(build), _) => format!("for build {build}"),
        (None, Some(until)) => format!("until {until}"),
        (None, None) => "for the next promotion".to_owned(),
    };
    format!("gate {}{source} {span}", gate.word())
}

/// The waiver that covers a gate for this source of this build, if one does. A waiver for one
/// source or build covers no other, and none where neither is known.
pub(crate) fn covers<'a>(
    waivers: &'a [Waiver],
    gate: Gate,
    source: Option<&str>,
    build: Option<&str>,
) -> Option<&'a Waiver> {
    let fits =
        |said: &Option<String>, asked: Option<&str>| said.is_none() || said.as_deref() == asked;
    waivers.iter().find(|waiver| {
        waiver.gate == gate && fits(&waiver.source, source) && fits(&waiver.build, build)
    })
}

/// The waivers of a database that stand now, oldest first.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn standing(control: &Session, database: &str) -> anyhow::Result<Vec<Waiver>> {
    let doing = || db("read the waivers");
    // Whoever only looks (a dry run) may meet a database `kiln` of an earlier kiln.
    let exists = control.query_one("select to_regclass('kiln.waiver') is not null", &[]).await;
    if !exists.map_err(doing())?.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let rows = control
        .query(
            "select id, gate, source, build, to_char(until, 'YYYY-MM-DD'), why, login, host,
                    to_char(at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
             from kiln.waiver
             where database = $1 and ended_at is null
               and (until is null or until >= (clock_timestamp() at time zone 'utc')::date)
             order by id",
            &[&database],
        )
        .await
        .map_err(doing())?;
    let mut waivers = Vec::new();
    for row in rows {
        let word: String = row.get(1);
        let Ok(gate) = Gate::parse(&word) else {
            tracing::warn!(gate = word, "a waiver of a gate that this kiln does not know");
            continue;
        };
        waivers.push(Waiver {
            id: row.get(0),
            database: database.to_owned(),
            gate,
            source: row.get(2),
            build: row.get(3),
            until: row.get(4),
            why: row.get(5),
            login: row.get(6),
            host: row.get(7),
            at: row.get(8),
        });
    }
    Ok(waivers)
}

/// Grants a waiver and audits it, in one transaction; gives its number.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn grant(
    control: &Session,
    who: &Who,
    new: &NewWaiver<'_>,
) -> anyhow::Result<i64> {
    let doing = || db("grant the waiver");
    control.batch_execute("begin").await.map_err(doing())?;
    let (gate, until) = (new.gate.word(), new.until.map(|date| date.to_string()));
    let row = control
        .query_one(
            "insert into kiln.waiver (database, gate, source, build, until, why, login, host)
             values ($1, $2, $3, $4, $5::text::date, $6, $7, $8) returning id",
            &[
                &new.database,
                &gate,
                &new.source,
                &new.build,
                &until,
                &new.why,
                &who.login,
                &who.host,
            ],
        )
        .await
        .map_err(doing())?;
    let id: i64 = row.get(0);
    let audit = Audit {
        action: "waive",
        database: new.database,
        from: None,
        to: new.build,
        why: new.why,
        details: serde_json::json!({
            "waiver": id, "gate": new.gate, "source": new.source, "build": new.build,
            "until": until,
        }),
    };
    write_audit(control, who, &audit).await?;
    control.batch_execute("commit").await.map_err(doing())?;
    Ok(id)
}

/// Ends those that were for this promotion: for the next one, or for this build. In the swap's
/// transaction, and of those that were read there: one that was granted since is for the promotion
/// after this.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn use_up(
    control: &Session,
    read: &[Waiver],
    promoted: &str,
) -> anyhow::Result<()> {
    let used = read.iter().filter(|waiver| waiver.ends_with(promoted));
    let used: Vec<i64> = used.map(|waiver| waiver.id).collect();
    end(control, &used, promoted).await
}

/// Ends those of the gate `rejected`: who goes back has said the newer word. In the transaction, as
/// [`use_up`].
///
/// # Errors
/// When the server refuses.
pub(crate) async fn end_rejected(
    control: &Session,
    read: &[Waiver],
    live: &str,
) -> anyhow::Result<()> {
    let ended = read.iter().filter(|waiver| waiver.gate == Gate::Rejected);
    let ended: Vec<i64> = ended.map(|waiver| waiver.id).collect();
    end(control, &ended, live).await
}

/// Takes back that a promotion ended them, where a joint swap is taken back. In the transaction.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn reopen(
    control: &Session,
    database: &str,
    promoted: &str,
    joint: &str,
) -> anyhow::Result<()> {
    control
        .execute(
            "update kiln.waiver w set ended_at = null, ended_by = null from kiln.joint_swap j
             where w.database = $1 and w.ended_by = $2 and j.id = $3 and w.ended_at >= j.begun_at",
            &[&database, &promoted, &joint],
        )
        .await
        .map_err(db("give the waivers back"))?;
    Ok(())
}

/// Ends those that were for a build that is gone.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn end_of_build(control: &Session, build: &str) -> anyhow::Result<()> {
    control
        .execute(
            "update kiln.waiver set ended_at = clock_timestamp() where build = $1 and ended_at is null",
            &[&build],
        )
        .await
        .map_err(db("end the waivers"))?;
    Ok(())
}

async fn end(control: &Session, ids: &[i64], by: &str) -> anyhow::Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    control
        .execute(
            "update kiln.waiver set ended_at = clock_timestamp(), ended_by = $2
             where id = any ($1) and ended_at is null",
            &[&ids, &by],
        )
        .await
        .map_err(db("end the waivers"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiver(gate: Gate, source: Option<&str>, build: Option<&str>) -> Waiver {
        Waiver {
            id: 1,
            database: "druginfo".into(),
            gate,
            source: source.map(str::to_owned),
            build: build.map(str::to_owned),
            until: None,
            why: "known".into(),
            login: "a".into(),
            host: "b".into(),
            at: "2026-07-01T00:00:00Z".into(),
        }
    }

    #[test]
    fn a_waiver_covers_its_gate_its_source_and_its_build_and_nothing_else() {
        let (one, two) = (Some("druginfo_00001"), Some("druginfo_00002"));
        let covered = |standing: &Waiver, gate, source, build| {
            covers(std::slice::from_ref(standing), gate, source, build).is_some()
        };
        let whole = waiver(Gate::Rows, None, None);
        for (source, build) in [(None, None), (Some("pricing"), None), (Some("pricing"), one)] {
            assert!(covered(&whole, Gate::Rows, source, build), "{source:?} {build:?}");
            assert!(!covered(&whole, Gate::Nulls, source, build), "{source:?} {build:?}");
        }
        let source = waiver(Gate::Rows, Some("pricing"), None);
        assert!(covered(&source, Gate::Rows, Some("pricing"), one));
        assert!(!covered(&source, Gate::Rows, Some("insulin"), one));
        assert!(!covered(&source, Gate::Rows, None, None));
        let build = waiver(Gate::Rows, None, one);
        assert!(covered(&build, Gate::Rows, Some("pricing"), one));
        assert!(!covered(&build, Gate::Rows, Some("pricing"), two));
        assert!(!covered(&build, Gate::Rows, Some("pricing"), None));
        assert_eq!(covers(&[], Gate::Rows, None, None), None);
    }

    #[test]
    fn a_waiver_ends_with_the_next_promotion_its_builds_own_or_its_day() {
        assert!(waiver(Gate::Rows, None, None).ends_with("druginfo_00001"));
        let build = waiver(Gate::Rows, None, Some("druginfo_00002"));
        assert!(!build.ends_with("druginfo_00001") && build.ends_with("druginfo_00002"));
        let mut day = waiver(Gate::Rows, Some("pricing"), None);
        day.until = Some("2026-08-01".into());
        assert!(!day.ends_with("druginfo_00001"));
        assert_eq!(day.scope(), "gate rows of source pricing until 2026-08-01");
        assert_eq!(build.scope(), "gate rows for build druginfo_00002");
    }

    #[test]
    fn a_gate_is_one_of_those_that_are_known() {
        for gate in Gate::ALL {
            assert_eq!(Gate::parse(gate.word()), Ok(gate));
            assert_eq!(serde_json::json!(gate), gate.word());
        }
        let said = Gate::parse("row").unwrap_err();
        assert!(said.contains("rejected, rows, nulls, older, sections"), "{said}");
    }
}
