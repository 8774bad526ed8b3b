//! What apps accept: one row an app and database in the database `kiln`. The gate asks those that
//! have not ended.

use serde::Serialize;

use super::control::{Audit, Who, write_audit};
use crate::postgres::{Session, db};

/// An app's word on the schema versions it accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contract {
    /// The database.
    pub database: String,
    /// The app's name.
    pub app: String,
    /// Lowest version accepted.
    pub accepts_min: i32,
    /// Highest version accepted.
    pub accepts_max: i32,
    /// The last day on which it counts, as ISO 8601 has it; `None`: until it is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

impl Contract {
    /// Whether it accepts one of the versions that a build of this version serves, the lowest and the
    /// highest.
    pub fn meets(&self, serves_from: u32, version: u32) -> bool {
        i64::from(self.accepts_min) <= i64::from(version)
            && i64::from(serves_from) <= i64::from(self.accepts_max)
    }

    /// What it accepts and until when: `1..3 until 2026-12-31`.
    pub fn words(&self) -> String {
        let Contract { accepts_min, accepts_max, .. } = self;
        let until = self.until.as_ref().map_or(String::new(), |day| format!(" until {day}"));
        format!("{accepts_min}..{accepts_max}{until}")
    }
}

/// The contracts of one database, or of all; those that have ended are not among them.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn contracts(
    control: &Session,
    database: Option<&str>,
) -> anyhow::Result<Vec<Contract>> {
    // A dry run makes nothing: the column may not be there yet.
    let rows = control
        .query(
            "select database, app, accepts_min, accepts_max, to_jsonb(c) ->> 'until'
             from kiln.contract c
             where ($1::text is null or database = $1)
               and coalesce((to_jsonb(c) ->> 'until')::date >= current_date, true)
             order by 1, 2",
            &[&database],
        )
        .await
        .map_err(db("read the contracts"))?;
    let contract = |row: &tokio_postgres::Row| Contract {
        database: row.get(0),
        app: row.get(1),
        accepts_min: row.get(2),
        accepts_max: row.get(3),
        until: row.get(4),
    };
    Ok(rows.iter().map(contract).collect())
}

/// Registers what an app accepts, in place of what it said before, and audits it.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn set_contract(
    control: &Session,
    who: &Who,
    contract: &Contract,
    why: &str,
) -> anyhow::Result<()> {
    let doing = || db("set the contract");
    control.batch_execute("begin").await.map_err(doing())?;
    control
        .execute(
            "insert into kiln.contract (database, app, accepts_min, accepts_max, until, set_by)
             values ($1, $2, $3, $4, $5::text::date, $6)
             on conflict (database, app) do update
             set accepts_min = excluded.accepts_min, accepts_max = excluded.accepts_max,
                 until = excluded.until, set_by = excluded.set_by, set_at = clock_timestamp()",
            &[
                &contract.database,
                &contract.app,
                &contract.accepts_min,
                &contract.accepts_max,
                &contract.until,
                &who.login,
            ],
        )
        .await
        .map_err(doing())?;
    let details = serde_json::json!({
        "app": contract.app, "accepts": [contract.accepts_min, contract.accepts_max],
        "until": contract.until,
    });
    audit(control, who, "contract set", &contract.database, why, details).await?;
    control.batch_execute("commit").await.map_err(doing())
}

/// Takes an app's word back, and audits it; false where it had said nothing.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn remove_contract(
    control: &Session,
    who: &Who,
    database: &str,
    app: &str,
    why: &str,
) -> anyhow::Result<bool> {
    let doing = || db("remove the contract");
    control.batch_execute("begin").await.map_err(doing())?;
    let removed = control
        .query_opt(
            "delete from kiln.contract where database = $1 and app = $2
             returning accepts_min, accepts_max",
            &[&database, &app],
        )
        .await
        .map_err(doing())?;
    if let Some(row) = &removed {
        let accepts: [i32; 2] = [row.get(0), row.get(1)];
        let details = serde_json::json!({ "app": app, "accepts": accepts });
        audit(control, who, "contract remove", database, why, details).await?;
    }
    control.batch_execute("commit").await.map_err(doing())?;
    Ok(removed.is_some())
}

async fn audit(
    control: &Session,
    who: &Who,
    action: &str,
    database: &str,
    why: &str,
    details: serde_json::Value,
) -> anyhow::Result<()> {
    let audit = Audit { action, database, from: None, to: None, why, details };
    write_audit(control, who, &audit).await
}
