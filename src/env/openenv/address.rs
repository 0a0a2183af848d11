//! Where a server is, as a setting says it.

use tungstenite::http::Uri;

/// The most that an address may have.
const MOST_BYTES: usize = 2048;

/// `http://127.0.0.1:8000`, or with `https`, `ws`, `wss`; a path before those of the protocol may follow.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Address {
    pub host: String,
    pub port: u16,
    pub encrypted: bool,
    /// Without a `/` at its end.
    path: String,
}

impl Address {
    /// # Errors
    /// What is wrong with it, in words. They do not repeat it: it may hold a password.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("the address in the setting {why}; it takes one like `http://127.0.0.1:8000`");
        if text.len() > MOST_BYTES {
            return Err(wrong("is too long"));
        }
        let uri: Uri = text.trim().parse().map_err(|_| wrong("is none"))?;
        let (encrypted, usual) = match uri.scheme_str() {
            Some("http" | "ws") => (false, 80),
            Some("https" | "wss") => (true, 443),
            _ => return Err(wrong("begins with neither `http://` nor `https://`")),
        };
        let Some(authority) = uri.authority() else { return Err(wrong("has no host")) };
        if authority.as_str().contains('@') {
            return Err(wrong("has a name or a password before `@`, which are not for settings that are recorded"));
        }
        if uri.query().is_some() {
            return Err(wrong("has a `?`"));
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err(wrong("has no host"));
        }
        let path = uri.path().trim_end_matches('/');
        let path = path.strip_suffix("/ws").unwrap_or(path).to_owned();
        Ok(Self { host, port: authority.port_u16().unwrap_or(usual), encrypted, path })
    }

    fn at(&self, scheme: &str, what: &str) -> String {
        let Self { host, port, encrypted, path } = self;
        let bracketed = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let s = if *encrypted { "s" } else { "" };
        format!("{scheme}{s}://{bracketed}:{port}{path}/{what}")
    }

    /// Of the sessions.
    pub(super) fn sessions(&self) -> String {
        self.at("ws", "ws")
    }

    /// Of what the server says of its environment.
    pub(super) fn metadata(&self) -> String {
        self.at("http", "metadata")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let at = |text: &str| Address::parse(text).map(|address| (address.sessions(), address.metadata()));
        let both = |ws: &str, http: &str| Ok((ws.to_owned(), http.to_owned()));
        assert_eq!(at("http://127.0.0.1:8000"), both("ws://127.0.0.1:8000/ws", "http://127.0.0.1:8000/metadata"));
        assert_eq!(at("wss://a.b/games/1/"), both("wss://a.b:443/games/1/ws", "https://a.b:443/games/1/metadata"));
        assert_eq!(at("ws://[::1]:9/ws"), both("ws://[::1]:9/ws", "http://[::1]:9/metadata"));
        assert_eq!(Address::parse("ws://[::1]:9").map(|address| address.host), Ok("::1".into()));
    }

    #[test]
    fn what_is_no_address() {
        for (text, why) in [
            ("", "is none"),
            ("127.0.0.1:8000", "begins with neither"),
            ("ftp://host/x", "begins with neither"),
            ("http://me:secret@host", "has a name or a password"),
            ("http://host/?a=b", "has a `?`"),
            (&format!("http://{}", "a".repeat(3000)), "is too long"),
        ] {
            let said = Address::parse(text).unwrap_err();
            assert!(said.starts_with(&format!("the address in the setting {why}")) && !said.contains("secret"), "{text}: {said}");
        }
    }
}
