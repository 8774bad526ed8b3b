//! The servers that databases are on: one for all, and those of databases that have one of their own.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Server, VARIABLE};

/// Every server that is configured, and which database is on which.
#[derive(Clone)]
pub(crate) struct Servers {
    /// The common one first.
    all: Vec<Server>,
    own: BTreeMap<String, usize>,
}

impl Servers {
    /// The common server's URL, and those of databases that have one of their own. Where two are given the
    /// same URL they are on one server.
    ///
    /// # Errors
    /// [`crate::error::Exit::Usage`] when a URL or the CA file cannot be read.
    pub(crate) fn new(
        common: &str,
        own: &BTreeMap<String, String>,
        ca: Option<&Path>,
        who: &str,
    ) -> anyhow::Result<Servers> {
        let mut urls = vec![common];
        let mut servers =
            Servers { all: vec![Server::new(VARIABLE, common, ca, who)?], own: BTreeMap::new() };
        for (database, url) in own {
            let known = urls.iter().position(|known| known == url);
            let at = match known {
                Some(at) => at,
                None => {
                    urls.push(url);
                    let of =
                        |error: anyhow::Error| error.context(format!("the server of {database}"));
                    let variable = format!("{VARIABLE}_{}", database.to_uppercase());
                    servers.all.push(Server::new(&variable, url, ca, who).map_err(of)?);
                    urls.len() - 1
                }
            };
            servers.own.insert(database.clone(), at);
        }
        Ok(servers)
    }

    /// The server that a database is on.
    pub(crate) fn of(&self, database: &str) -> &Server {
        &self.all[self.number_of(database)]
    }

    /// The same number for databases on one server.
    pub(crate) fn number_of(&self, database: &str) -> usize {
        self.own.get(database).copied().unwrap_or_default()
    }

    /// Every server, the common one first.
    pub(crate) fn each(&self) -> impl Iterator<Item = &Server> {
        self.all.iter()
    }
}
