//! kiln's own schema in a build, kept from SQL of others: a file that is restored brings its own. What a section has
//! done is asked of rights, locks and the catalog, and not of its text. It is no wall: who owns a schema may give
//! itself every right in it, and is then found by the lock that a write takes.

use crate::postgres::{Session, db};

/// kiln's own schema as it was when it was closed.
pub(crate) struct Closed {
    /// The tables, indexes, views, types and functions in it.
    objects: Vec<u32>,
}

/// A transaction in which SQL of others runs.
pub(crate) struct WatchedTransaction {
    number: String,
}

const OBJECTS: &str = "select array_agg(oid order by oid) from (
    select oid from pg_class where relnamespace = to_regnamespace('kiln')
    union all select oid from pg_type where typnamespace = to_regnamespace('kiln')
    union all select oid from pg_proc where pronamespace = to_regnamespace('kiln')) own";

impl Closed {
    /// Takes from the role that the session acts as all rights to write in kiln's own schema.
    ///
    /// # Errors
    /// When Postgres reports an error.
    pub(crate) async fn new(session: &Session) -> anyhow::Result<Closed> {
        let revoke = "begin;
            revoke insert, update, delete, truncate, references, trigger on all tables in schema kiln from current_user;
            revoke create on schema kiln from current_user; commit";
        session.batch_execute(revoke).await.map_err(db("close kiln's own schema"))?;
        let objects = session.query_one(OBJECTS, &[]).await.map_err(db("look at kiln's schema"))?;
        Ok(Closed { objects: objects.get::<_, Option<Vec<u32>>>(0).unwrap_or_default() })
    }

    /// Gives the rights back.
    ///
    /// # Errors
    /// When Postgres reports an error.
    pub(crate) async fn open(self, session: &Session) -> anyhow::Result<()> {
        let grant = "begin; grant all on all tables in schema kiln to current_user;
                     grant all on schema kiln to current_user; commit";
        session.batch_execute(grant).await.map_err(db("open kiln's own schema"))
    }

    /// Begins a transaction for SQL of others.
    ///
    /// # Errors
    /// When Postgres reports an error.
    pub(crate) async fn begin(&self, session: &Session) -> anyhow::Result<WatchedTransaction> {
        session.batch_execute("begin").await.map_err(db("begin"))?;
        let number = session.query_one("select pg_current_xact_id()::text", &[]).await;
        Ok(WatchedTransaction { number: number.map_err(db("begin"))?.get(0) })
    }

    /// Whether it has done more to kiln's own schema than to read, or has ended the transaction, so that nobody can
    /// tell. What it did is then to be given up.
    ///
    /// # Errors
    /// When Postgres reports an error.
    pub(crate) async fn is_touched(
        &self,
        session: &Session,
        by: &WatchedTransaction,
    ) -> anyhow::Result<bool> {
        // What was put off to the commit is done before it is looked at.
        let now = session.batch_execute("set constraints all immediate").await;
        now.map_err(db("do what was put off to the commit"))?;
        let sql = format!(
            "select pg_current_xact_id_if_assigned()::text is distinct from $1
                 or exists (select from pg_locks where pid = pg_backend_pid() and locktype = 'relation'
                     and database = (select oid from pg_database where datname = current_database())
                     and relation = any ($2) and mode <> 'AccessShareLock')
                 or ({OBJECTS}) is distinct from $2"
        );
        let asked = session.query_one(&sql, &[&by.number, &self.objects]).await;
        asked.map(|row| row.get(0)).map_err(db("look at what a section has done"))
    }
}
