//! Postgres: connecting (TLS that verifies), names that are safe in SQL, cancellable
//! statements, and errors without data values.

mod place;
pub(crate) mod pooler;
mod refused;
pub(crate) mod servers;
mod session;
pub(crate) mod settings;
mod shown;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use futures_util::stream::poll_fn;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::sync::OnceCell;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Config, Notification};
use tokio_postgres_rustls::MakeRustlsConnect;

use refused::{connect_error, not_prepared, silent};
pub(crate) use session::Session;

use crate::error::{Exit, Failure, Position, source_chain};
use crate::fetch::plainfile;

/// Longest time to wait for a connection, unless the URL has `connect_timeout`; and as long again
/// for the server's greeting on it, since the driver's own limit ends once TCP is up, and a server
/// that then says nothing would be waited for for ever.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A name that reaches SQL: lower case, digits and underscores, at most 63 bytes, so that
/// Postgres neither folds nor truncates it, and two names never collide.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ident(String);

impl Ident {
    /// `None` when the name is not of the form `[a-z_][a-z0-9_]{0,62}`.
    pub fn parse(name: &str) -> Option<Ident> {
        let mut bytes = name.bytes();
        let first = bytes.next()?;
        let well_formed = name.len() <= 63
            && (first.is_ascii_lowercase() || first == b'_')
            && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        well_formed.then(|| Ident(name.to_owned()))
    }

    /// The name without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ident {
    /// Quoted, as it stands in SQL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// Any name as a person types it: quoted where it has other characters than kiln's names.
pub(crate) fn quoted(name: &str) -> String {
    match Ident::parse(name) {
        Some(_) => name.to_owned(),
        None => always_quoted(name),
    }
}

/// Any name between quotes: none of it is read as a keyword or as SQL.
pub(crate) fn always_quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as an SQL literal.
pub(crate) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') {
        format!("E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

/// The variable that names the server of all databases that have none of their own.
pub(crate) const VARIABLE: &str = "KILN_POSTGRES_URL";

/// A Postgres server and how to speak to it.
#[derive(Clone)]
pub struct Server {
    config: Config,
    tls: MakeRustlsConnect,
    url: String,
    /// The variable that names it.
    variable: String,
    /// Run and build, for `application_name`.
    who: String,
    /// Whether it was seen that sessions have backends of their own.
    direct: Arc<OnceCell<()>>,
}

impl Server {
    /// A server by its URL, which this variable names; `ca` holds PEM roots to trust besides the system's.
    ///
    /// # Errors
    /// [`Exit::Usage`] when the URL or the CA file cannot be read.
    pub(crate) fn new(
        variable: &str,
        url: &str,
        ca: Option<&Path>,
        who: &str,
    ) -> anyhow::Result<Server> {
        // The driver has another word for it; sealed builds say of themselves that they are read-only.
        let writes = url.replace("target_session_attrs=primary", "target_session_attrs=read-write");
        let mut config: Config = writes.parse().map_err(|error| {
            Failure::new(Exit::Usage, format!("{variable} is not a Postgres URL"))
                .hint("postgresql://USER@HOST:5432/postgres")
                .because(RedactedUrlError(format!("{error}")))
        })?;
        // The driver's default falls back to plain text; off this machine that must be asked for.
        if !place::is_local(&config) && config.get_ssl_mode() == SslMode::Prefer {
            config.ssl_mode(SslMode::Require);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_target_session_attrs() == TargetSessionAttrs::ReadWrite {
            // What is asked is whether the server takes writes, not what a database's default is.
            let own = config.get_options().unwrap_or_default();
            let options = format!("{own} -c default_transaction_read_only=off");
            config.options(options.trim_start());
        }
        config.keepalives_idle(Duration::from_secs(30));
        config.tcp_user_timeout(Duration::from_secs(60));
        let (url, who) = (url.to_owned(), who.to_owned());
        let variable = variable.to_owned();
        Ok(Server { config, tls: tls(ca)?, url, variable, who, direct: Arc::default() })
    }

    /// The same server, with another name in `application_name`.
    #[must_use]
    pub fn called(&self, who: impl Into<String>) -> Server {
        Server { who: who.into(), ..self.clone() }
    }

    /// Run and build, as `application_name` has them: `kiln RUN BUILD SOURCE`, without labels,
    /// for Postgres keeps 63 bytes of it.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// The role this server is spoken to as.
    pub fn user(&self) -> &str {
        self.config.get_user().unwrap_or("")
    }

    /// Connects to one database of the server.
    ///
    /// # Errors
    /// [`Exit::Database`], with a hint for the usual reasons.
    pub async fn connect(&self, database: &str) -> anyhow::Result<Session> {
        self.connect_as(database, "").await
    }

    /// Connects, and says in `application_name` what for (a source, say).
    ///
    /// # Errors
    /// [`Exit::Database`], with a hint for the usual reasons; [`Exit::Usage`] through a pooler of
    /// transactions.
    pub async fn connect_as(&self, database: &str, purpose: &str) -> anyhow::Result<Session> {
        self.listen_as(database, purpose).await.map(|(session, _)| session)
    }

    /// The same, with what comes of `notify` once the session has listened.
    ///
    /// # Errors
    /// As [`Server::connect_as`].
    pub async fn listen_as(
        &self,
        database: &str,
        purpose: &str,
    ) -> anyhow::Result<(Session, UnboundedReceiver<Notification>)> {
        let opened = self.open(database, purpose).await?;
        let look = async {
            // Where there is no second one to be had, the run meets that in its place.
            match self.open(database, "look for a pooler").await {
                Ok((other, _)) => pooler::refuse(&opened.0, &other).await,
                Err(_) => Ok(()),
            }
        };
        self.direct.get_or_try_init(|| look).await?;
        let (session, heard) = opened;
        Ok((session, heard))
    }

    async fn open(
        &self,
        database: &str,
        purpose: &str,
    ) -> anyhow::Result<(Session, UnboundedReceiver<Notification>)> {
        let mut config = self.config.clone();
        config.dbname(database).application_name(self.application_name(purpose));
        let patience = 2 * config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT);
        let connect = tokio::time::timeout(patience, config.connect(self.tls.clone()));
        let (client, mut connection) = match connect.await {
            Ok(connected) => {
                connected.map_err(|error| connect_error(&self.variable, database, &error))?
            }
            Err(_) => return Err(silent(&self.variable, database, purpose, patience)),
        };
        let (tell, heard) = unbounded_channel();
        tokio::spawn(async move {
            let mut messages = poll_fn(|context| connection.poll_message(context));
            // Errors of the connection surface at the statement that meets them.
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(notification) = message {
                    let _ = tell.send(notification);
                }
            }
        });
        let session = Session::new(client, self.clone());
        if let Err(error) = session.batch_execute(session::PREPARED).await {
            return Err(not_prepared(&session, database, &error).await);
        }
        Ok((session, heard))
    }

    /// What a session is called, cut to what Postgres keeps of it.
    fn application_name(&self, purpose: &str) -> String {
        let mut name = format!("kiln {} {purpose}", self.who).trim_end().to_owned();
        name.truncate(63);
        name
    }
}

fn tls(ca: Option<&Path>) -> anyhow::Result<MakeRustlsConnect> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca {
        let unreadable = || {
            let message = format!("cannot read certificates from {}", path.display());
            anyhow::Error::from(
                Failure::new(Exit::Usage, message)
                    .hint("KILN_POSTGRES_CA names a PEM file with the roots to trust"),
            )
        };
        let pem = plainfile::bytes(path).map_err(|error| unreadable().context(error))?;
        let mut count = 0;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|_| unreadable())?;
            roots.add(certificate).map_err(|error| unreadable().context(error))?;
            count += 1;
        }
        if count == 0 {
            let message = format!("{} holds no PEM certificates", path.display());
            return Err(Failure::new(Exit::Usage, message)
                .hint("KILN_POSTGRES_CA=FILE, for RDS https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem")
                .into());
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("set up TLS")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// A parse error of a URL never repeats the URL: it may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct RedactedUrlError(String);

/// Turns an error of a statement that carries no data (DDL, catalog queries) into one for
/// people: what was done, SQLSTATE, the server's primary message. DETAIL is left out, for it
/// quotes rows.
pub(crate) fn db(doing: impl Into<String>) -> impl FnOnce(tokio_postgres::Error) -> anyhow::Error {
    move |error| describe(&doing.into(), &error)
}

/// Turns an error of a statement that carried rows into one without values: SQLSTATE, table,
/// column and constraint only, for the server's message may quote a value.
pub(crate) fn data_error(doing: &str, error: &tokio_postgres::Error) -> anyhow::Error {
    let Some(db_error) = error.as_db_error() else {
        return describe(doing, error);
    };
    // These classes say nothing of the rows: 08 connection, 53 resources, 57 operator, 42 rights,
    // 25, 40 and 55 transactions and locks, 0A what the server cannot, 54 what is too much for it.
    if ["08", "53", "57", "58", "42", "25", "40", "55", "0A", "54"]
        .iter()
        .any(|class| db_error.code().code().starts_with(class))
    {
        return describe(doing, error);
    }
    let code = db_error.code().code();
    let mut text = format!("{doing}: SQLSTATE {code}");
    for (what, name) in [
        ("table", db_error.table()),
        ("column", db_error.column()),
        ("constraint", db_error.constraint()),
    ] {
        if let Some(name) = name {
            text.push_str(&format!(", {what} {name}"));
        }
    }
    let place = Position::default().column(db_error.column());
    Failure::new(Exit::Database, text).sqlstate(code).at(place).into()
}

/// Whether the server refused with this SQLSTATE.
pub(crate) fn is_state(error: &anyhow::Error, state: &SqlState) -> bool {
    crate::error::sqlstate_of(error) == Some(state.code())
}

fn describe(doing: &str, error: &tokio_postgres::Error) -> anyhow::Error {
    let Some(db_error) = error.as_db_error() else {
        let failure = Failure::new(Exit::Database, format!("{doing}: {}", source_chain(error)));
        let cause = std::error::Error::source(error);
        let lost =
            error.is_closed() || cause.is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
        return match lost {
            true => failure.hint("the connection was lost; `kiln status` shows what is true now"),
            false => failure,
        }
        .into();
    };
    let code = db_error.code();
    let message = match code.code().starts_with("28") {
        true => without_user(db_error.message()),
        false => db_error.message().to_owned(),
    };
    let text = format!("{doing}: {message} (SQLSTATE {})", code.code());
    let hint = match code {
        &SqlState::DISK_FULL => {
            "the server's disk is full: free space there, then `kiln run` again"
        }
        &SqlState::INSUFFICIENT_PRIVILEGE => {
            "an app's role may ask kiln guard and kiln url, no more; else give kiln's role what it lacks: CREATEDB, and membership of the owner role and pg_signal_backend (docs/src/configuration.md, Roles)"
        }
        &SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "check user and password in KILN_POSTGRES_URL"
        }
        &SqlState::INVALID_CATALOG_NAME => "`kiln status` lists the databases that there are",
        &SqlState::TOO_MANY_CONNECTIONS => "lower KILN_CONNECTIONS, or raise max_connections",
        _ => return Failure::new(Exit::Database, text).sqlstate(code.code()).into(),
    };
    Failure::new(Exit::Database, text).sqlstate(code.code()).hint(hint).into()
}

/// What a server says of who may not connect, without the name: a password that was put
/// in its place must not be printed.
fn without_user(message: &str) -> String {
    for mark in ["user \"", "role \""] {
        let named = message.split_once(mark);
        if let Some((before, (_, after))) =
            named.and_then(|(b, rest)| Some((b, rest.split_once('"')?)))
        {
            return format!("{before}the user of KILN_POSTGRES_URL{after}");
        }
    }
    message.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_postgres_keeps_as_they_are_become_identifiers() {
        for good in ["a", "_x", "plan_information", &"a".repeat(63)] {
            assert!(Ident::parse(good).is_some(), "{good}");
        }
        for bad in ["", "1a", "A", "a-b", "a\"b", "ä", "x; drop", &"a".repeat(64)] {
            assert!(Ident::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn literals_survive_quotes_and_backslashes() {
        assert_eq!(literal("a'b"), "'a''b'");
        assert_eq!(literal("a\\'b"), "E'a\\\\''b'");
    }

    #[test]
    fn a_bad_url_is_refused_without_its_password() {
        let error =
            Server::new(VARIABLE, "postgresql://u:s3cret@h:port/x", None, "").err().expect("bad");
        let said = format!("{error:#}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}
