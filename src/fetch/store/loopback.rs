//! Endpoints on this machine itself: no proxy of the environment's leads there, for a proxy has a
//! loopback of its own.

use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_http_client::{Builder, tls};

/// Whether a URL leads to this machine itself.
pub(crate) fn is_loopback(url: &str) -> bool {
    let Ok(url) = url::Url::parse(url) else { return false };
    match url.host() {
        Some(url::Host::Domain(name)) => {
            name.eq_ignore_ascii_case("localhost")
                || name.to_ascii_lowercase().ends_with(".localhost")
        }
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The SDK's own client for HTTP, which asks no proxy.
pub(super) fn without_proxy() -> SharedHttpClient {
    let crypto = tls::rustls_provider::CryptoMode::AwsLc;
    Builder::new().tls_provider(tls::Provider::Rustls(crypto)).build_https()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_several_names() {
        for here in
            ["http://127.0.0.1:9000", "http://localhost/x", "https://[::1]:1", "http://a.localhost"]
        {
            assert!(is_loopback(here), "{here}");
        }
        for there in
            ["https://s3.amazonaws.com", "http://10.0.0.1", "http://localhost.example", "x"]
        {
            assert!(!is_loopback(there), "{there}");
        }
    }
}
