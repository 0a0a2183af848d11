//! Whose requests a server on the loopback answers.

use axum::http::{HeaderMap, header};

/// Whether a request was meant for this machine. A page that a browser shows may be made to ask for this machine by a name of its own; that name then stands
/// in `Host`.
pub(crate) fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine() {
        let asks = |host: &str| names_this_machine(&HeaderMap::from_iter([(header::HOST, host.parse().expect("a header"))]));
        for own in ["localhost", "LocalHost:8000", "127.0.0.1:8000", "127.8.9.1", "[::1]:8000", "[::1]"] {
            assert!(asks(own), "{own}");
        }
        for other in ["", "evil.example", "localhost.evil.example:8000", "127.0.0.1.nip.io", "192.168.0.7:8000", "[2001:db8::1]:80"] {
            assert!(!asks(other), "{other}");
        }
        assert!(!names_this_machine(&HeaderMap::new()));
    }
}
