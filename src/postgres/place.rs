//! Where the server is: on this machine, or on another one that must be named by a person before
//! something there is replaced.

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::Server;
use crate::error::{Exit, Failure, shell};

/// Whether all that is said between here and the server stays on this machine. An address beside
/// the name (`hostaddr`) is where the bytes go, whatever the name says.
pub(super) fn is_local(config: &Config) -> bool {
    let here = config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
    });
    here && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}

impl Server {
    /// The name of the machine it is on; `None` when that is this one.
    pub fn elsewhere(&self) -> Option<String> {
        if is_local(&self.config) {
            return None;
        }
        let name = self.config.get_hosts().iter().find_map(|host| match host {
            Host::Tcp(name) => Some(name.clone()),
            Host::Unix(_) => None,
        });
        let address = || self.config.get_hostaddrs().first().map(ToString::to_string);
        Some(name.or_else(address).unwrap_or_default())
    }

    /// Refuses another machine than this one unless `allowed` names it.
    ///
    /// # Errors
    /// [`Exit::Usage`] with the name and how to tell it.
    pub fn must_be_here_or(
        &self,
        allowed: Option<&str>,
        doing: &str,
        command: &str,
    ) -> anyhow::Result<()> {
        match self.elsewhere() {
            None => Ok(()),
            Some(host) if allowed == Some(host.as_str()) => Ok(()),
            Some(host) => {
                let message = format!("{doing} on {host}, which is not this machine");
                Err(Failure::new(Exit::Usage, message)
                    .hint(format!("if that is meant: {command} --on {}", shell::word(&host)))
                    .into())
            }
        }
    }
}
