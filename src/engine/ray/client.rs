//! The Jobs API of a cluster's dashboard.

use crate::exec::ExecError;
use serde_json::Value;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
/// An answer is a few lines.
const MOST_BYTES: u64 = 4 << 20;
/// Holds what a cluster with access control asks for; Ray's own tools read it too.
const TOKEN: &str = "RAY_AUTH_TOKEN";

#[derive(Debug)]
pub(super) struct Client {
    agent: ureq::Agent,
    url: String,
}

/// What is wrong at an address, for people.
fn wrong(message: String, help: Option<&str>) -> ExecError {
    ExecError::Engine { message, help: help.map(str::to_owned) }
}

impl Client {
    pub(super) fn new(url: &str) -> Self {
        // A redirect could lead to another host, with the token.
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).timeout_global(Some(PATIENCE));
        Self { agent: config.build().new_agent(), url: url.trim_end_matches('/').to_owned() }
    }

    /// `None`: the server knows nothing of it.
    pub(super) fn get(&self, path: &str) -> Result<Option<Value>, ExecError> {
        let request = self.agent.get(format!("{}{path}", self.url));
        let request = match token() {
            Some(token) => request.header("Authorization", token),
            None => request,
        };
        self.heard(request.call())
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Option<Value>, ExecError> {
        let request = self.agent.post(format!("{}{path}", self.url)).content_type("application/json");
        let request = match token() {
            Some(token) => request.header("Authorization", token),
            None => request,
        };
        self.heard(request.send(body.to_string()))
    }

    fn heard(&self, response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Option<Value>, ExecError> {
        let help = "`ray.url` is the address of a cluster's dashboard: `http://head:8265`";
        let url = &self.url;
        let mut response = response.map_err(|error| {
            let why = match error {
                ureq::Error::Timeout(_) => format!("it did not answer within {} s", PATIENCE.as_secs()),
                ureq::Error::Io(error) => error.to_string(),
                other => other.to_string(),
            };
            wrong(format!("there is no Ray at {url}: {why}"), Some(help))
        })?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(MOST_BYTES).read_to_vec().unwrap_or_default();
        match status {
            200 => match serde_json::from_slice(&body) {
                Ok(value) => Ok(Some(value)),
                Err(_) => Err(wrong(format!("what answers at {url} is no Ray"), Some(help))),
            },
            404 => Ok(None),
            401 | 403 => Err(wrong(format!("Ray at {url} lets nobody in without a token ({status})"), Some("put it into RAY_AUTH_TOKEN"))),
            _ => {
                let text = String::from_utf8_lossy(&body);
                // A traceback of Python ends with its cause.
                let said = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
                let said: String = said.chars().take(400).collect();
                Err(wrong(format!("Ray at {url} refuses ({status}): {}", said.trim()), None))
            }
        }
    }
}

fn token() -> Option<String> {
    std::env::var(TOKEN).ok().filter(|token| !token.is_empty()).map(|token| format!("Bearer {token}"))
}
