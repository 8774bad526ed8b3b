//! The server's URL as it is shown to people: of another database and role, and never with a
//! password.

use super::Server;
use crate::error::{Exit, failure};

/// Parameters of a URL that say who logs in, and by what.
const LOGIN: [&str; 4] = ["user", "password", "passfile", "sslpassword"];

impl Server {
    /// The URL that this server was given, of this database, for a login role (`None`: whoever pastes
    /// it), which acts as another one from the start where that is given.
    ///
    /// # Errors
    /// When the URL is of the keyword form (`host=… user=…`), which has no place to put it.
    pub fn url(
        &self,
        database: &str,
        user: Option<&str>,
        acts_as: Option<&str>,
    ) -> anyhow::Result<String> {
        let not_a_url =
            || failure(Exit::Usage, "KILN_POSTGRES_URL is not of the form postgresql://…");
        let mut url = url::Url::parse(&self.url).map_err(|_| not_a_url())?;
        let mut parameters: Vec<String> = Vec::new();
        for parameter in url.query().unwrap_or_default().split('&') {
            let name = parameter.split('=').next().unwrap_or_default();
            if !parameter.is_empty() && !LOGIN.contains(&name) {
                parameters.push(parameter.to_owned());
            }
        }
        if let Some(role) = acts_as {
            let acts = format!("-c%20role%3D{role}");
            match parameters.iter_mut().find(|known| known.starts_with("options=")) {
                Some(options) => options.push_str(&format!("%20{acts}")),
                None => parameters.push(format!("options={acts}")),
            }
        }
        // A URL without a host has no place for a user before it.
        if url.has_host() && url.host_str() != Some("") {
            url.set_password(None).map_err(|()| not_a_url())?;
            url.set_username(user.unwrap_or_default()).map_err(|()| not_a_url())?;
        } else if let Some(user) = user {
            let user: String = url::form_urlencoded::byte_serialize(user.as_bytes()).collect();
            parameters.push(format!("user={}", user.replace('+', "%20")));
        }
        url.set_path(database);
        let query = parameters.join("&");
        url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
        Ok(url.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_and_nobody_elses_login_is_in_it() {
        let server =
            |url: &str| Server::new(crate::postgres::VARIABLE, url, None, "").expect("a URL");
        let tcp = server("postgresql://kiln:s3cret@127.0.0.1:5433/postgres?sslmode=require");
        let shown = |user, role| tcp.url("druginfo", user, role).expect("a URL");
        assert_eq!(shown(None, None), "postgresql://127.0.0.1:5433/druginfo?sslmode=require");
        assert_eq!(
            shown(Some("kiln"), Some("kiln_app")),
            "postgresql://kiln@127.0.0.1:5433/druginfo?sslmode=require&options=-c%20role%3Dkiln_app"
        );
        let socket = server("postgresql:///postgres?host=/tmp/x%20y&user=kiln&password=s3cret");
        assert_eq!(
            socket.url("druginfo", Some("kiln_app"), None).expect("a URL"),
            "postgresql:///druginfo?host=/tmp/x%20y&user=kiln_app"
        );
    }
}
