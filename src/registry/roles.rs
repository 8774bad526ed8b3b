//! The roles that builds need: an owner without login, and the one that apps read through.

use crate::error::{Exit, Failure};
use crate::pg::{Ident, Session, db};

/// Makes sure that the owner role and the app role exist and that kiln may act as the owner.
///
/// # Errors
/// [`Exit::Database`] with the statements that a DBA would run.
pub async fn ensure(session: &Session, owner: &Ident, app: &Ident) -> anyhow::Result<()> {
    for role in [owner, app] {
        let create = format!(
            "do $$ begin
                 if not exists (select from pg_roles where rolname = '{name}') then
                     create role {role} nologin;
                 end if;
             exception when duplicate_object or unique_violation then null;
             end $$",
            name = role.as_str()
        );
        session.batch_execute(&create).await.map_err(|error| role_refused(role, owner, error))?;
    }
    let member: bool = session
        .query_one("select pg_has_role($1, 'usage')", &[&owner.as_str()])
        .await
        .map_err(db("ask for role membership"))?
        .get(0);
    if !member {
        let grant = format!("grant {owner} to current_user");
        session.batch_execute(&grant).await.map_err(|error| role_refused(owner, owner, error))?;
    }
    Ok(())
}

fn role_refused(role: &Ident, owner: &Ident, error: tokio_postgres::Error) -> anyhow::Error {
    let cause = db(format!("set up role {role}"))(error);
    let text = crate::error::render(&cause);
    Failure::new(Exit::Database, text.lines().next().unwrap_or_default())
        .hint(format!(
            "as a superuser: create role {owner} nologin; create role kiln_app nologin; \
             grant {owner}, pg_signal_backend to KILN'S_ROLE"
        ))
        .into()
}
