//! One request to a server, and what became of it.

use super::key::Key;
use super::protocol::{complaint, models};
use crate::env::Server;
use crate::lang::on_one_line;
use std::time::Duration;

/// Of an answer: thousands of tokens with their log-probabilities have room.
const MOST_BYTES: u64 = 16 << 20;
/// Of a refusal: no more of it is shown.
const MOST_OF_A_REFUSAL: u64 = 1 << 16;
/// Letters of a server's words that are shown.
const SHOWN: usize = 200;
/// How long a server that is only looked at may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a server may ask to be left alone.
const LONGEST_WISH: u64 = 120;

/// Why there is no answer, in words.
#[derive(Debug, PartialEq)]
pub(super) enum Trouble {
    /// Of the way or of the moment: it may go well later, after the time that the server wishes.
    Passing(String, Option<Duration>),
    /// The server does not take this request, and may take others.
    Refused(String),
    /// The server does not take anything from us, as things are.
    Hopeless(String),
}

impl Trouble {
    fn words(self) -> String {
        match self {
            Self::Passing(why, _) | Self::Refused(why) | Self::Hopeless(why) => why,
        }
    }
}

#[derive(Debug)]
pub(super) struct Client {
    agent: ureq::Agent,
    url: String,
    key: Option<Key>,
    time_out: Duration,
}

impl Client {
    /// # Errors
    /// If the key is not where settings say.
    pub(super) fn new(server: &Server, time_out: Duration) -> Result<Self, String> {
        // A redirect could lead to another host, with the key or without.
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).timeout_global(Some(time_out));
        let config = config.user_agent(concat!("epo-run/", env!("CARGO_PKG_VERSION")));
        Ok(Self { agent: config.build().new_agent(), url: server.url.clone(), key: Key::of(server)?, time_out })
    }

    pub(super) fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, Trouble> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        if let Some(key) = &self.key {
            request = request.header("Authorization", key.header());
        }
        self.heard(request.call())
    }

    pub(super) fn post(&self, path: &str, body: &[u8]) -> Result<Vec<u8>, Trouble> {
        let mut request = self.agent.post(format!("{}{path}", self.url)).content_type("application/json");
        if let Some(key) = &self.key {
            request = request.header("Authorization", key.header());
        }
        self.heard(request.send(body))
    }

    fn heard(&self, response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Vec<u8>, Trouble> {
        let mut response = response.map_err(|error| self.trouble(error))?;
        let status = response.status().as_u16();
        let wish = response.headers().get("retry-after").and_then(|wish| wish.to_str().ok()?.trim().parse().ok());
        let wish = wish.map(|seconds: u64| Duration::from_secs(seconds.min(LONGEST_WISH)));
        let limit = if status == 200 { MOST_BYTES } else { MOST_OF_A_REFUSAL };
        let body = response.body_mut().with_config().limit(limit).read_to_vec();
        if status == 200 {
            return body.map_err(|error| self.trouble(error));
        }
        let said = self.hidden(&complaint(&body.unwrap_or_default()));
        let said = format!("it answers {status}{}{said}", if said.is_empty() { "" } else { ": " });
        Err(match status {
            400 | 413 | 422 => Trouble::Refused(said),
            408 | 409 | 425 | 429 | 500..=599 => Trouble::Passing(said, wish),
            300..=399 => Trouble::Hopeless(format!("{said}; it leads elsewhere, and only the address of the settings is asked")),
            401 | 403 => Trouble::Hopeless(match &self.key {
                Some(_) => said,
                None => format!("{said}; no key is sent, since no setting says where it is"),
            }),
            404 | 405 => Trouble::Hopeless(format!("{said}; addresses mostly end in `/v1`")),
            _ => Trouble::Hopeless(said),
        })
    }

    fn trouble(&self, error: ureq::Error) -> Trouble {
        use ureq::Error;
        match error {
            Error::Timeout(_) => Trouble::Passing(format!("it did not answer within {} s", self.time_out.as_secs_f64()), None),
            Error::BodyExceedsLimit(limit) => Trouble::Refused(format!("its answer has more than {limit} bytes")),
            Error::BadUri(_) | Error::Tls(_) | Error::Rustls(_) | Error::InvalidProxyUrl => {
                Trouble::Hopeless(self.hidden(&shown(error.to_string().as_bytes())))
            }
            Error::Io(error) => Trouble::Passing(format!("it cannot be reached: {error}"), None),
            Error::HostNotFound => Trouble::Passing("there is no such host".into(), None),
            other => Trouble::Passing(self.hidden(&shown(other.to_string().as_bytes())), None),
        }
    }

    fn hidden(&self, text: &str) -> String {
        self.key.as_ref().map_or_else(|| text.to_owned(), |key| key.hidden_in(text))
    }
}

/// The beginning of a server's words, as it may stand in a message.
pub(super) fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    let begin: String = text.chars().take(SHOWN).collect();
    let more = if text.chars().nth(SHOWN).is_some() { "…" } else { "" };
    format!("{}{more}", on_one_line(&begin))
}

/// Asks a server for its models; gives what is to be said of it.
///
/// # Errors
/// If it does not answer, or does not know the model; in words.
pub(crate) fn look(server: &Server, model: &str) -> Result<String, String> {
    let client = Client::new(server, PATIENCE.min(server.time_out))?;
    let ask = || client.get("/models");
    let heard = match ask() {
        Err(Trouble::Passing(..)) => ask(),
        other => other,
    };
    let known = heard
        .and_then(|bytes| models(&bytes).map_err(Trouble::Hopeless))
        .map_err(|trouble| client.hidden(&format!("{}: {}", server.url, trouble.words())))?;
    if !known.iter().any(|known| known == model) {
        let list: Vec<String> = known.iter().take(8).map(|name| format!("`{}`", client.hidden(&shown(name.as_bytes())))).collect();
        let more = if known.len() > list.len() { format!(" and {} more", known.len() - list.len()) } else { String::new() };
        let has = if list.is_empty() { "none".to_owned() } else { list.join(", ") };
        return Err(format!("{} has no model `{model}`; it has {has}{more}", server.url));
    }
    let host = server.url.strip_prefix("http://").unwrap_or_default();
    let near = ["127.", "localhost", "[::1]"].iter().any(|near| host.starts_with(near));
    let clear = client.key.is_some() && server.url.starts_with("http://") && !near;
    Ok(if clear { "answers; its key is sent without encryption".into() } else { "answers".into() })
}
