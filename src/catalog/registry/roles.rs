//! The roles that builds need: an owner without login, and the one that apps read through.

use crate::error::{Exit, Failure, message_of};
use crate::postgres::{Ident, Session, db};

/// Makes sure that the owner role and the app role exist and that kiln may act as the owner.
///
/// # Errors
/// [`Exit::Database`] with the statements that a DBA would run.
pub(crate) async fn ensure(session: &Session, owner: &Ident, app: &Ident) -> anyhow::Result<()> {
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
        session.batch_execute(&create).await.map_err(|error| {
            let both = format!("create role {owner} nologin; create role {app} nologin");
            refused_role(role, &both, error)
        })?;
    }
    let asked = session
        .query_one("select pg_has_role($1, 'usage'), quote_ident(current_user)", &[&owner.as_str()])
        .await
        .map_err(db("ask for role membership"))?;
    if !asked.get::<_, bool>(0) {
        let user: String = asked.get(1);
        let grant = format!("grant {owner} to {user}");
        session.batch_execute(&grant).await.map_err(|error| {
            refused_role(owner, &format!("grant {owner}, pg_signal_backend to {user}"), error)
        })?;
    }
    Ok(())
}

fn refused_role(role: &Ident, statement: &str, error: tokio_postgres::Error) -> anyhow::Error {
    let code = error.code().map(|code| code.code().to_owned());
    let cause = db(format!("set up role {role}"))(error);
    let mut failure = Failure::new(Exit::Database, message_of(&cause));
    failure.sqlstate = code;
    failure.hint(format!("as a superuser: {}", statement.replace('"', ""))).into()
}
