//! The plan that a build was made by, as it is stored there.

use super::RunPlan;
use crate::postgres::{Session, db};

impl RunPlan {
    /// Reads it; `None` where an older kiln made the build, or where it was not made by a plan of sources (a
    /// subset).
    ///
    /// # Errors
    /// When the server cannot be asked, or what it has is no plan.
    pub(crate) async fn stored(session: &Session) -> anyhow::Result<Option<RunPlan>> {
        let doing = || db("read the plan");
        let asked = session.query_one("select to_regclass('kiln.run_plan') is not null", &[]).await;
        if !asked.map_err(doing())?.get::<_, bool>(0) {
            return Ok(None);
        }
        let row =
            session.query_opt("select document from kiln.run_plan", &[]).await.map_err(doing())?;
        Ok(row.map(|row| serde_json::from_value(row.get(0))).transpose()?)
    }
}
