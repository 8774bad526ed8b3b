//! A build as a thing to work on: made from template0, spoken to as its owner, renamed by
//! nobody but the swap, dropped by nobody but a clean-up that holds the lock.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_postgres::error::SqlState;

use crate::catalog::registry::{Tag, control, found};
use crate::error::{Exit, Failure, failure};
use crate::postgres::settings::SessionSettings;
use crate::postgres::{Ident, Server, Session, db};

/// A build's database and how to reach it.
#[derive(Clone)]
pub(crate) struct BuildDatabase {
    /// The server, named for run and build.
    pub server: Server,
    /// The database's name, the build's own.
    pub name: Ident,
    /// The role that owns everything in it.
    pub owner: Ident,
    /// What its sessions ask of the server.
    pub settings: SessionSettings,
    /// Sessions that are done with something.
    idle: Arc<Mutex<Vec<Session>>>,
}

impl BuildDatabase {
    /// A build by its name.
    ///
    /// # Errors
    /// [`Exit::Usage`] when the name cannot be one.
    pub(crate) fn new(server: &Server, name: &str, owner: &str) -> anyhow::Result<BuildDatabase> {
        let (name, owner) = (ident(name)?, ident(owner)?);
        let settings = SessionSettings::default();
        Ok(BuildDatabase { server: server.clone(), name, owner, settings, idle: Arc::default() })
    }

    /// Another build of the same server, spoken to by the same role.
    ///
    /// # Errors
    /// [`Exit::Usage`] when the name cannot be one.
    pub(crate) fn other(&self, name: &str) -> anyhow::Result<BuildDatabase> {
        Ok(BuildDatabase { name: ident(name)?, idle: Arc::default(), ..self.clone() })
    }

    /// Makes the database, from template0 (a template with sessions on it is refused by
    /// Postgres, and a crash while copying a large one leaks its files), in C collation (half
    /// the cost of a text key), closed to everybody but its owner.
    ///
    /// # Errors
    /// [`Exit::Database`] with a hint where a right is missing.
    pub(crate) async fn create(&self, control: &Session, tag: &Tag) -> anyhow::Result<()> {
        let like = "template template0 encoding 'UTF8' locale_provider libc locale 'C'";
        let (name, owner) = (&self.name, &self.owner);
        let oid = found::intend(control, name.as_str(), tag).await?;
        control
            .batch_execute(&format!("create database {name} owner {owner} oid {oid} {like}"))
            .await
            .map_err(|error| match error.code() {
                Some(&SqlState::DUPLICATE_DATABASE | &SqlState::UNIQUE_VIOLATION) => {
                    db(format!("create database {}", name.as_str()))(error).context(NameTaken)
                }
                _ => control::cannot_create(&self.server, name.as_str(), error),
            })?;
        control
            .batch_execute(&format!(
                "begin; revoke all on database {name} from public; {}; commit",
                tag.comment_sql(name)
            ))
            .await
            .map_err(db(format!("close database {}", name.as_str())))
    }

    /// Makes kiln's own schema in it, in the caller's transaction if there is one.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub(crate) async fn prepare(&self, session: &Session) -> anyhow::Result<()> {
        session.batch_execute(include_str!("build.sql")).await.map_err(db("prepare the build"))
    }

    /// A session in it, as its owner, named for what it does: one that was given back, or a new one.
    ///
    /// # Errors
    /// [`Exit::Database`].
    pub(crate) async fn session(&self, purpose: &str) -> anyhow::Result<Session> {
        // What only the login role may set comes before it acts as the owner.
        let acting = format!("{} set role {}", self.settings.sql, self.owner);
        while let Some(session) = self.take_idle() {
            if session.renew(&self.server, purpose, &acting).await.is_ok() {
                return Ok(session);
            }
        }
        let session = self.server.connect_as(self.name.as_str(), purpose).await?;
        session
            .batch_execute(&acting)
            .await
            .map_err(db(format!("act as {}", self.owner.as_str())))?;
        Ok(session)
    }

    fn take_idle(&self) -> Option<Session> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Takes a session back for what is done next. Only one that has ended what it did, its
    /// transaction above all; any other is dropped, and so ended.
    pub(crate) fn give_back(&self, session: Session) {
        if !session.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        }
    }

    /// Ends the sessions that were given back: nobody may be in a build that is sealed, and what a
    /// session has counted is seen by all once it has ended.
    pub(crate) fn end_idle(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Writes what it is, on the database and in kiln's note of it.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub(crate) async fn retag(&self, control: &Session, tag: &Tag) -> anyhow::Result<()> {
        let sql = format!("{}; {}", tag.comment_sql(&self.name), found::note_sql(tag));
        control
            .batch_execute(&sql)
            .await
            .map_err(db(format!("note the state of {}", self.name.as_str())))
    }

    /// Drops it and ends whatever session is still in it. Dropping what is not there is done; what
    /// kiln has not noted as made by it is never dropped, whatever it is called.
    ///
    /// # Errors
    /// When Postgres refuses, or the database of this name is not kiln's.
    pub(crate) async fn discard(&self, control: &Session) -> anyhow::Result<()> {
        let name = self.name.as_str();
        self.drop_alone(control).await?;
        control
            .execute("delete from kiln.build where name = $1", &[&name])
            .await
            .map_err(db("forget the build"))?;
        Ok(())
    }

    /// The same, and its name stays noted for what is made next.
    ///
    /// # Errors
    /// As [`BuildDatabase::discard`].
    pub(crate) async fn drop_alone(&self, control: &Session) -> anyhow::Result<()> {
        let name = self.name.as_str();
        if found::is_made_by_kiln(control, name).await? == Some(false) {
            let message = format!("database {name} was not made by kiln and is not dropped");
            return Err(failure(Exit::Database, message));
        }
        control
            .batch_execute(&format!("drop database if exists {} with (force)", self.name))
            .await
            .map_err(db(format!("drop {name}")))
    }
}

/// Marks the error of a database that was not made because somebody else's came to have its name.
#[derive(Debug, thiserror::Error)]
#[error("somebody else has made a database of that name")]
pub(crate) struct NameTaken;

/// A name that is to reach SQL.
///
/// # Errors
/// [`Exit::Usage`] when it cannot.
pub(crate) fn ident(name: &str) -> anyhow::Result<Ident> {
    Ident::parse(name).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("{name:?} is not a name that kiln gives"))
            .hint("`kiln status` lists the builds")
            .into()
    })
}
