//! What is a secret by its place in a text: passwords and signatures in URLs, `password=…`. Whatever
//! an error or a library's log line repeats goes through here before a person or a file gets it, so
//! that one message that was not thought of tells nobody.

use std::borrow::Cow;

/// What stands for a secret.
const HIDDEN: &str = "***";
/// Words before `=` whose value is a secret wherever it stands.
const SECRETS: [&str; 6] = ["password", "passwd", "signature", "token", "secret", "credential"];

/// The text with its secrets hidden.
pub(crate) fn redacted(text: &str) -> Cow<'_, str> {
    let lower = text.to_ascii_lowercase();
    if !lower.contains("://") && !SECRETS.iter().any(|word| lower.contains(word)) {
        return Cow::Borrowed(text);
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(ends) {
        let end = word.char_indices().next_back().filter(|(_, last)| ends(*last));
        let (word, rest) = word.split_at(end.map_or(word.len(), |(at, _)| at));
        match word.split_once("://") {
            Some((scheme, address)) => {
                out.push_str(scheme);
                out.push_str("://");
                out.push_str(&url(scheme, address));
            }
            None => out.push_str(&values(word, is_secret)),
        }
        out.push_str(rest);
    }
    Cow::Owned(out)
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRETS.iter().any(|word| name.ends_with(word))
}

/// What stands behind `://`: who it is for without the password, and no values of its query.
fn url(scheme: &str, address: &str) -> String {
    let scheme = scheme.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let end = address.find(['/', '?', '#']).unwrap_or(address.len());
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let host_and_port = |host: &str| {
        let ends_so = host.rsplit_once(':').is_none_or(|(_, port)| is_port(port));
        ends_so && !scheme.to_ascii_lowercase().starts_with("postgres")
    };
    // A password may hold what should have been escaped in it.
    let at = match address[..end].rfind('@') {
        None if host_and_port(&address[..end]) => None,
        None => address.rfind('@'),
        some => some,
    };
    let (user, rest) = match at {
        None => (String::new(), address),
        Some(at) => {
            let user = match address[..at].split_once(':') {
                Some((user, _)) if !web => format!("{user}:{HIDDEN}@"),
                None if !web => address[..=at].to_owned(),
                _ => format!("{HIDDEN}@"),
            };
            (user, &address[at + 1..])
        }
    };
    match rest.find(['?', '#']) {
        None => format!("{user}{rest}"),
        Some(query) => {
            let (place, query) = rest.split_at(query);
            format!("{user}{place}{}", values(query, |_| true))
        }
    }
}

/// A text of `name=value` with the values hidden of the names that are meant.
fn values(text: &str, meant: impl Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive(['&', '?', '#', ';', ',']) {
        match part.split_once('=') {
            Some((name, value)) if meant(name) && !value.is_empty() => {
                out.push_str(name);
                out.push('=');
                out.push_str(HIDDEN);
                out.extend(value.chars().next_back().filter(|c| "&?#;,".contains(*c)));
            }
            _ => out.push_str(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_values_of_queries_are_hidden() {
        for (text, expected) in [
            (
                "get https://h/a.zip?X-Amz-Signature=s3cret&b=s3cret: 403",
                "get https://h/a.zip?X-Amz-Signature=***&b=*** 403",
            ),
            ("(http://u:s3cret@h:80/x)", "(http://***@h:80/x)"),
            ("https://s3cret@h/x", "https://***@h/x"),
            ("postgresql://kiln:s3cret@h:5432/x", "postgresql://kiln:***@h:5432/x"),
            ("postgresql://kiln:/s3cret@h:5432/x", "postgresql://kiln:***@h:5432/x"),
            ("postgresql://kiln:12/s3cret@h/x", "postgresql://kiln:***@h/x"),
            ("postgresql://kiln:p@s3cret@h/x", "postgresql://kiln:***@h/x"),
            ("postgresql://kiln@h/x?password=s3cret", "postgresql://kiln@h/x?password=***"),
            ("host=h password=s3cret user=u", "host=h password=*** user=u"),
            ("AWS_SESSION_TOKEN=s3cret", "AWS_SESSION_TOKEN=***"),
        ] {
            assert_eq!(redacted(text), expected);
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "hint: postgresql://USER@HOST:5432/postgres",
            "psql \"$KILN_POSTGRES_URL\"",
            "read s3://bucket/a/2026-07-01/2024 Star Ratings (Oct 13 2023).csv: gone",
            "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem",
            "download http://127.0.0.1:1/SPUF_2026_20260701.zip: refused",
            "kiln waive druginfo rejected --why 'is a token of it'",
        ] {
            assert_eq!(redacted(text), text);
        }
    }
}
