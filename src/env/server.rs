//! What settings say of a server that answers chats.

use std::path::PathBuf;
use std::time::Duration;

/// A server that speaks OpenAI's protocol: `endpoint { … }` asks it.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// As [`Server::address`] takes it; empty where no setting names one.
    pub url: String,
    /// The environment variable that holds the key.
    pub key_variable: Option<String>,
    /// The file that holds the key.
    pub key_file: Option<PathBuf>,
    /// The most requests at a time.
    pub at_once: usize,
    /// How often a request is sent again that met trouble on its way.
    pub retries: usize,
    /// After which time without its whole answer a request is given up.
    pub time_out: Duration,
}

impl Server {
    /// Requests at a time where settings say nothing.
    pub const AT_ONCE: usize = 8;
    /// The most that settings may say.
    pub const MOST_AT_ONCE: usize = 256;
    /// With pauses that double from half a second up to half a minute: together a minute and a half.
    pub const RETRIES: usize = 8;
    /// The most that settings may say.
    pub const MOST_RETRIES: usize = 100;
    /// A long answer of a model on a few cores takes minutes.
    pub const TIME_OUT: Duration = Duration::from_mins(5);

    /// An address without `/` at its end: scheme, host, port and path.
    ///
    /// # Errors
    /// What is wrong with it, without a word of it: it may have a key in it.
    pub fn address(text: &str) -> Result<String, &'static str> {
        let rest =
            text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).ok_or("it begins with `http://` or `https://`")?;
        if rest.contains('@') {
            return Err("a name or a password has no place in it; `key_variable` or `key_file` says where the key is");
        }
        if rest.contains(['?', '#']) {
            return Err("it ends before `?` and `#`; `key_variable` or `key_file` says where the key is");
        }
        let host = rest.split('/').next().unwrap_or_default();
        if host.is_empty() || host.starts_with(':') || !rest.chars().all(|c| c.is_ascii_graphic()) {
            return Err("it has a host, as in `http://127.0.0.1:8000/v1`");
        }
        Ok(text.trim_end_matches('/').to_owned())
    }
}

impl Default for Server {
    fn default() -> Self {
        let (at_once, retries, time_out) = (Self::AT_ONCE, Self::RETRIES, Self::TIME_OUT);
        Self { url: String::new(), key_variable: None, key_file: None, at_once, retries, time_out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in ["http://127.0.0.1:8000/v1", "https://api.example.com/v1/", "http://[::1]:80"] {
            assert_eq!(Server::address(good).unwrap(), good.trim_end_matches('/'));
        }
        for bad in
            ["", "localhost:8000", "ftp://a", "http://", "http://:80", "http://a b", "https://me:secret@a/v1", "http://a/?key=secret"]
        {
            let why = Server::address(bad).unwrap_err();
            assert!(why.starts_with("it ") || why.starts_with("a name"), "{bad}: {why}");
        }
    }
}
