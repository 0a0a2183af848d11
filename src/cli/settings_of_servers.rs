//! The settings `endpoint.NAME.…`: where a server is, where its key is kept, and how much is asked of it at a time. A key itself is no setting, so that none
//! stands in a record.

use super::settings::{Given, duration, seconds};
use crate::env::Server;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// What one place says of a server; what it leaves out stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GivenServer {
    #[serde(deserialize_with = "address")]
    url: Option<String>,
    #[serde(deserialize_with = "name_of_variable")]
    key_variable: Option<String>,
    key_file: Option<PathBuf>,
    #[serde(deserialize_with = "requests")]
    at_once: Option<usize>,
    #[serde(deserialize_with = "retries")]
    retries: Option<usize>,
    #[serde(deserialize_with = "seconds")]
    time_out: Option<Duration>,
}

fn address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Server::address(&String::deserialize(from)?).map(Some).map_err(serde::de::Error::custom)
}

fn name_of_variable<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    variable_name(&String::deserialize(from)?).map(Some).map_err(serde::de::Error::custom)
}

fn requests<'de, D: Deserializer<'de>>(from: D) -> Result<Option<usize>, D::Error> {
    at_once(u64::deserialize(from)?).map(Some).map_err(serde::de::Error::custom)
}

fn retries<'de, D: Deserializer<'de>>(from: D) -> Result<Option<usize>, D::Error> {
    tries(u64::deserialize(from)?).map(Some).map_err(serde::de::Error::custom)
}

/// # Errors
/// Without a word of it: somebody may have put the key itself there.
fn variable_name(text: &str) -> Result<String, &'static str> {
    let is_name =
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then(|| text.to_owned()).ok_or("it takes the name of a variable, not the key itself")
}

fn at_once(requests: u64) -> Result<usize, String> {
    let most = Server::MOST_AT_ONCE;
    usize::try_from(requests).ok().filter(|n| (1..=most).contains(n)).ok_or(format!("it takes a whole number from 1 to {most}"))
}

fn tries(retries: u64) -> Result<usize, String> {
    let most = Server::MOST_RETRIES;
    usize::try_from(retries).ok().filter(|n| *n <= most).ok_or(format!("it takes a whole number from 0 to {most}"))
}

impl GivenServer {
    /// `note` is told the names of what is given.
    pub(super) fn put_into(self, server: &mut Server, mut note: impl FnMut(&str)) {
        let Self { url, key_variable, key_file, at_once, retries, time_out } = self;
        if let Some(url) = url {
            note("url");
            server.url = url;
        }
        // A later place that names the one does not mean the other of an earlier place.
        if key_variable.is_some() || key_file.is_some() {
            note(if key_variable.is_some() { "key_variable" } else { "key_file" });
            (server.key_variable, server.key_file) = (key_variable, key_file);
        }
        if let Some(at_once) = at_once {
            note("at_once");
            server.at_once = at_once;
        }
        if let Some(retries) = retries {
            note("retries");
            server.retries = retries;
        }
        if let Some(time_out) = time_out {
            note("time_out");
            server.time_out = time_out;
        }
    }
}

/// Takes `ENDPOINT__NAME__URL` and the like; false where it is none of them.
pub(super) fn variable(given: &mut Given, variable: &str, value: &str) -> Result<bool, String> {
    let Some((name, what)) = variable.strip_prefix("ENDPOINT__").and_then(|rest| rest.rsplit_once("__")) else { return Ok(false) };
    let (name, what) = (name.to_lowercase(), what.to_lowercase());
    if !["url", "key", "key_variable", "key_file", "at_once", "retries", "time_out"].contains(&what.as_str()) {
        return Ok(false);
    }
    // Not the value: somebody may have put a key there.
    let wrong = |why: String| format!("the setting `endpoint.{name}.{what}` (from EPO_{variable}) is wrong: {why}");
    let number = || value.parse::<u64>().map_err(|_| "it takes a whole number".to_owned());
    let server = given.endpoint.entry(name.clone()).or_default();
    match what.as_str() {
        "url" => server.url = Some(Server::address(value).map_err(|why| wrong(why.into()))?),
        "key_variable" => server.key_variable = Some(variable_name(value).map_err(|why| wrong(why.into()))?),
        "key_file" => server.key_file = Some(value.into()),
        "at_once" => server.at_once = Some(number().and_then(at_once).map_err(wrong)?),
        "retries" => server.retries = Some(number().and_then(tries).map_err(wrong)?),
        "time_out" => {
            let seconds = value.parse().map_err(|_| "it takes seconds").and_then(duration);
            server.time_out = Some(seconds.map_err(|why| wrong(why.into()))?);
        }
        _ => return Err(wrong(format!("a key is no setting; `EPO_{variable}_VARIABLE` names the variable that holds it"))),
    }
    Ok(true)
}

/// For people, and for the record of a run.
pub(super) fn rows(name: &str, server: &Server) -> Vec<(String, Value)> {
    let Server { url, key_variable, key_file, at_once, retries, time_out } = server;
    let key = match (key_variable, key_file) {
        (Some(variable), _) => Some(("key_variable", json!(variable))),
        (None, file) => file.as_ref().map(|file| ("key_file", json!(file.to_string_lossy()))),
    };
    let rows = [("url", json!(url))].into_iter().chain(key);
    let numbers = [("at_once", json!(at_once)), ("retries", json!(retries)), ("time_out", json!(time_out.as_secs_f64()))];
    rows.chain(numbers).map(|(what, value)| (format!("endpoint.{name}.{what}"), value)).collect()
}
