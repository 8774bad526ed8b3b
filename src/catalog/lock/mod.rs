//! One run a database at a time: an advisory lock in the database `kiln`, held by a session of
//! its own. The swap is executed on that same session, so that a run whose lock session was
//! ended cannot swap any more (a fence).

mod alive;

use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use alive::Holder;

use crate::catalog::registry::CONTROL;
use crate::catalog::registry::control::{self, Who};
use crate::catalog::registry::joint::{self, Unended};
use crate::catalog::registry::{found, promoted};
use crate::error::{Exit, Failure};
use crate::postgres::{Server, Session, db, pooler};

/// Tells kiln's locks from others in the same database ("kiln" in ASCII).
const CLASS: i32 = 0x6b69_6c6e;
/// How often, and how far apart, a holder that has not yet said who it is is asked again.
const HOLDER_TRIES: u32 = 20;
const HOLDER_PAUSE: Duration = Duration::from_millis(20);

/// How long a lost server is waited for.
const RENEW_PATIENCE: Duration = Duration::from_secs(5);

/// The lock on one database's builds. Dropping it ends the session and with it the lock.
pub(crate) struct RunLock {
    session: Session,
    database: String,
    /// Other databases of this server whose locks this session has taken over, each with the session that
    /// answers for it whether its holder is alive.
    also: Vec<(String, Session)>,
    who: Who,
}

impl RunLock {
    /// Takes the lock, or says who holds it: at once where the holder answers; one that does not is
    /// given half a minute to be found gone.
    ///
    /// # Errors
    /// [`Exit::Locked`] with the holder's run, host, process and command; [`Unended`] where a swap of
    /// several databases has to be ended first.
    pub(crate) async fn acquire(
        server: &Server,
        who: &Who,
        command: &str,
        database: &str,
    ) -> anyhow::Result<RunLock> {
        let lock = RunLock::to_end_a_swap(server, who, database).await?;
        if let Some(swap) = joint::unended(&lock.session, database).await? {
            return Err(Unended(swap).into());
        }
        found::note_again(&lock.session, database).await?;
        promoted::note_again(&lock.session, database).await?;
        control::begin_run(&lock.session, who, command, database).await?;
        Ok(lock)
    }

    /// The same for whoever ends a swap of several databases that was begun: without a look at whether
    /// there is one, and without a row in the history.
    ///
    /// # Errors
    /// As [`RunLock::acquire`].
    pub(crate) async fn to_end_a_swap(
        server: &Server,
        who: &Who,
        database: &str,
    ) -> anyhow::Result<RunLock> {
        let beside = control::open(server).await?;
        let lock = RunLock::take(server, who, database).await?;
        // The lock is all that keeps two runs apart: here too, whatever the first look saw.
        pooler::refuse(&beside, &lock.session).await?;
        Ok(lock)
    }

    /// Takes over another database's lock on the same server, so that one session holds both: what it
    /// commits is then fenced by both.
    ///
    /// # Errors
    /// [`Exit::Locked`] where somebody was quicker between the two sessions.
    pub(crate) async fn take_over(&mut self, other: RunLock) -> anyhow::Result<()> {
        let sql = "select pg_advisory_unlock($1, hashtext($2))";
        let free = other.session.query_one(sql, &[&CLASS, &other.database]).await;
        free.map_err(db("hand the lock over"))?;
        if !try_lock(&self.session, &other.database, LockSharing::Alone).await? {
            return Err(holder(&self.session, &other.database, "").await);
        }
        self.also.push((other.database, other.session));
        Ok(())
    }

    /// The same for a dry run: nobody else runs meanwhile, and the history stays as it is (a
    /// dry run that went well must not hide a night that did not).
    ///
    /// # Errors
    /// As [`RunLock::acquire`]; [`Exit::SwapNotPossible`] on a server that has no build yet.
    pub(crate) async fn for_dry_run(
        server: &Server,
        who: &Who,
        database: &str,
    ) -> anyhow::Result<RunLock> {
        if control::existing(server).await?.is_none() {
            let message = format!("{database} has no build: nothing was ever built on this server");
            return Err(Failure::new(Exit::SwapNotPossible, message)
                .hint(format!("kiln run {database}"))
                .into());
        }
        let lock = RunLock::take(server, who, database).await?;
        if let Some(swap) = joint::unended(&lock.session, database).await? {
            let message = format!(
                "a swap of {} was begun and not ended: what is live now may go back",
                swap.databases()
            );
            return Err(Failure::new(Exit::SwapNotPossible, message)
                .hint(format!(
                    "the next command that changes one of them ends it: kiln prune {database}"
                ))
                .into());
        }
        Ok(lock)
    }

    async fn take(server: &Server, who: &Who, database: &str) -> anyhow::Result<RunLock> {
        let session = hold(server, who, database, LockSharing::Alone).await?;
        Ok(RunLock { session, database: database.to_owned(), also: Vec::new(), who: who.clone() })
    }

    /// Takes the lock again after its session was lost (a crash of the server), so that the run
    /// can put away what it made and say how it ended; waits for recovery a few seconds.
    pub(crate) async fn renew(&mut self, server: &Server) {
        let until = Instant::now() + RENEW_PATIENCE;
        while self.session.is_closed() && Instant::now() < until {
            let purpose = format!("lock {}", self.database);
            if let Ok((session, heard)) = server.listen_as(CONTROL, &purpose).await
                && alive::listen(&session).await.is_ok()
                && self.locks(&session).await
            {
                alive::answer(server, &self.database, heard);
                self.session = session;
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Takes all its locks on another session.
    async fn locks(&self, session: &Session) -> bool {
        let also = self.also.iter().map(|(database, _)| database);
        for database in std::iter::once(&self.database).chain(also) {
            if !try_lock(session, database, LockSharing::Alone).await.unwrap_or(false) {
                return false;
            }
        }
        true
    }

    /// Lets go of it at once: what a session that is only dropped holds, it holds for a moment longer.
    pub(crate) async fn release(self) {
        let _ = self.session.batch_execute("select pg_advisory_unlock_all()").await;
    }

    /// All databases that are locked, for people.
    pub(crate) fn databases(&self) -> String {
        let also = self.also.iter().map(|(database, _)| database.as_str());
        std::iter::once(self.database.as_str()).chain(also).collect::<Vec<_>>().join(" and ")
    }

    /// Whether it holds this database's lock.
    pub(crate) fn holds(&self, database: &str) -> bool {
        self.database == database || self.also.iter().any(|(also, _)| also == database)
    }

    /// The database that is locked; the first, where it is several.
    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// Who holds it: this run.
    pub(crate) fn who(&self) -> &Who {
        &self.who
    }
}

impl Deref for RunLock {
    type Target = Session;
    fn deref(&self) -> &Session {
        &self.session
    }
}

impl DerefMut for RunLock {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.session
    }
}

/// A worker's share of the lock: others may work beside it, and nobody begins, finishes or drops a build.
/// Dropping it ends the session and with it the share.
pub(crate) struct WorkLock(Session);

impl WorkLock {
    /// Takes a share, or says who holds the lock alone.
    ///
    /// # Errors
    /// [`Exit::Locked`] with the holder's run, host, process and command.
    pub(crate) async fn acquire(
        server: &Server,
        who: &Who,
        database: &str,
    ) -> anyhow::Result<WorkLock> {
        control::open(server).await?;
        Ok(WorkLock(hold(server, who, database, LockSharing::Others).await?))
    }
}

impl Deref for WorkLock {
    type Target = Session;
    fn deref(&self) -> &Session {
        &self.0
    }
}

/// Who else may hold the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LockSharing {
    /// Nobody.
    Alone,
    /// Workers.
    Others,
}

/// Takes the lock, or says who holds it.
async fn hold(
    server: &Server,
    who: &Who,
    database: &str,
    share: LockSharing,
) -> anyhow::Result<Session> {
    let doing = if share == LockSharing::Alone { "lock" } else { "work" };
    let (session, mut heard) = server.listen_as(CONTROL, &format!("{doing} {database}")).await?;
    alive::listen(&session).await?;
    if !try_lock(&session, database, share).await? {
        let asking = alive::LockRequest { session: &session, database, run: &who.run, share };
        let silent = match asking.outlasted(&mut heard).await? {
            Holder::Gone => None,
            Holder::Alive => Some(String::new()),
            Holder::Silent => {
                Some(format!(", which has not answered for {} s", alive::PATIENCE.as_secs()))
            }
        };
        if let Some(silent) = silent {
            return Err(holder(&session, database, &silent).await);
        }
    }
    alive::answer(server, database, heard);
    Ok(session)
}

async fn try_lock(session: &Session, database: &str, share: LockSharing) -> anyhow::Result<bool> {
    let shared = if share == LockSharing::Alone { "" } else { "_shared" };
    let sql = format!("select pg_try_advisory_lock{shared}($1, hashtext($2))");
    let row = session.query_one(&sql, &[&CLASS, &database]).await.map_err(db("take the lock"))?;
    Ok(row.get(0))
}

/// Whether some run holds a database's lock now. A run that the history has as not ended, while
/// nobody holds its lock, was killed.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn is_held(control: &Session, database: &str) -> anyhow::Result<bool> {
    let row = control
        .query_one(
            "select exists (select from pg_locks
                 where locktype = 'advisory' and granted and classid::int8 = $1::int4::int8
                   and objid::int8 = (hashtext($2)::int8 & 4294967295)
                   and database = (select oid from pg_database
                                   where datname = current_database()))",
            &[&CLASS, &database],
        )
        .await
        .map_err(db("look at the lock"))?;
    Ok(row.get(0))
}

async fn holder(session: &Session, database: &str, silent: &str) -> anyhow::Error {
    // A holder of a few milliseconds has not yet written who it is.
    let mut found = ask(session, database).await;
    for _ in 0..HOLDER_TRIES {
        if !matches!(&found, Ok(Some(row)) if row.get::<_, Option<String>>(0).is_none()) {
            break;
        }
        tokio::time::sleep(HOLDER_PAUSE).await;
        found = ask(session, database).await;
    }
    let who = match &found {
        Ok(Some(row)) if row.get::<_, Option<String>>(0).is_some() => {
            let (run, command, host): (String, String, String) =
                (row.get(0), row.get(1), row.get(2));
            let (pid, login, since): (i32, String, String) = (row.get(3), row.get(4), row.get(5));
            format!(
                "run {run} (`kiln {command}`, process {pid} of {login} on {host}, since {since})"
            )
        }
        Ok(Some(row)) => {
            let (backend, name): (i32, String) = (row.get(6), row.get(7));
            format!("the session of backend {backend} ({name})")
        }
        _ => "a run that ended just now".to_owned(),
    };
    Failure::new(Exit::Locked, format!("{database} is locked by {who}{silent}"))
        .hint("wait for it, or stop that process; then run this again")
        .into()
}

async fn ask(
    session: &Session,
    database: &str,
) -> Result<Option<tokio_postgres::Row>, tokio_postgres::Error> {
    session
        .query_opt(
            "select r.run, r.command, r.host, r.pid, r.login, to_char(r.started_at,
                        'YYYY-MM-DD HH24:MI:SS TZ'), l.pid,
                    coalesce(a.application_name, '')
             from pg_locks l
             left join pg_stat_activity a on a.pid = l.pid
             left join kiln.run r on r.database = $2 and r.ended_at is null
                  and l.mode = 'ExclusiveLock'
                  -- a killed run's row stays open until the next holder closes it
                  and r.started_at >= coalesce(a.backend_start, '-infinity')
             where l.locktype = 'advisory' and l.classid::int8 = $1::int4::int8
               and l.objid::int8 = (hashtext($2)::int8 & 4294967295) and l.granted
               and l.database = (select oid from pg_database where datname = current_database())
             order by r.started_at desc limit 1",
            &[&CLASS, &database],
        )
        .await
}
