//! Requests to a server of MLflow's REST protocol, version 2.0.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::time::Duration;

/// In which a request is answered.
const PATIENCE: Duration = Duration::from_secs(10);
/// Of an answer.
const MOST_BYTES: u64 = 16 << 20;
/// Letters of a server's words that are shown.
const SHOWN: usize = 200;

pub(super) struct Client {
    agent: ureq::Agent,
    url: String,
    /// What proves who asks; from the variables that MLflow's own programs read.
    authorization: Option<String>,
}

/// A run as the server knows it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub id: String,
    /// Where its artifacts lie.
    pub artifacts: String,
    /// The last step of which something was measured.
    pub step: Option<u64>,
}

impl Client {
    pub(super) fn new(url: String) -> Self {
        // A redirect could lead to another host, with the key or without.
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).timeout_global(Some(PATIENCE));
        let config = config.user_agent(concat!("epo-run/", env!("CARGO_PKG_VERSION")));
        Self { agent: config.build().new_agent(), url, authorization: authorization() }
    }

    /// The experiment of a name, made where there is none.
    pub(super) fn experiment(&self, name: &str) -> Result<String, String> {
        let found = self.ask("GET", &format!("experiments/get-by-name?experiment_name={}", encoded(name)), None)?;
        let found = match found {
            (200, answer) => answer["experiment"].clone(),
            (404, _) => self.told(self.ask("POST", "experiments/create", Some(&json!({ "name": name })))?)?,
            other => self.told(other)?,
        };
        text(&found, "experiment_id")
    }

    /// The run of an experiment that has these tags; `None` where there is none.
    pub(super) fn find(&self, experiment: &str, tags: &[(&str, &str)]) -> Result<Option<Known>, String> {
        let filter = tags.iter().map(|(key, value)| format!("tags.{key} = '{value}'")).collect::<Vec<_>>().join(" and ");
        let asked = json!({ "experiment_ids": [experiment], "filter": filter, "max_results": 1, "run_view_type": "ACTIVE_ONLY" });
        let answer = self.told(self.ask("POST", "runs/search", Some(&asked))?)?;
        answer["runs"].get(0).map(known).transpose()
    }

    pub(super) fn create(&self, experiment: &str, name: &str, tags: &[(&str, &str)]) -> Result<Known, String> {
        let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        let asked = json!({ "experiment_id": experiment, "run_name": name, "start_time": now(), "tags": tags });
        known(&self.told(self.ask("POST", "runs/create", Some(&asked))?)?["run"])
    }

    /// `RUNNING`, `FINISHED`, `FAILED`, `KILLED`.
    pub(super) fn set_status(&self, run: &str, status: &str) -> Result<(), String> {
        let mut asked = json!({ "run_id": run, "status": status });
        if status != "RUNNING" {
            asked["end_time"] = now().into();
        }
        self.told(self.ask("POST", "runs/update", Some(&asked))?).map(drop)
    }

    /// Up to 1000 metrics, each a name, a value and a step.
    pub(super) fn log_metrics(&self, run: &str, metrics: &[(String, f64, u64)]) -> Result<(), String> {
        let time = now();
        let one = |(key, value, step): &(String, f64, u64)| json!({ "key": key, "value": number(*value), "timestamp": time, "step": step });
        let metrics: Vec<Value> = metrics.iter().map(one).collect();
        self.told(self.ask("POST", "runs/log-batch", Some(&json!({ "run_id": run, "metrics": metrics })))?).map(drop)
    }

    /// Up to 100 parameters.
    pub(super) fn log_params(&self, run: &str, params: &[(String, String)]) -> Result<(), String> {
        let params: Vec<Value> = params.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        self.told(self.ask("POST", "runs/log-batch", Some(&json!({ "run_id": run, "params": params })))?).map(drop)
    }

    /// Puts a file among a run's artifacts, if the server takes them itself.
    pub(super) fn put(&self, artifacts: &str, name: &str, bytes: &[u8]) -> Result<(), String> {
        let place = artifacts.strip_prefix("mlflow-artifacts:").ok_or_else(|| {
            format!(
                "its artifacts lie at `{artifacts}`, where only itself can put them (`mlflow server` takes them unless it is told not to)"
            )
        })?;
        let place = match place.strip_prefix("//") {
            Some(rest) => rest.split_once('/').map_or("", |(_, path)| path),
            None => place.trim_start_matches('/'),
        };
        let url = format!("{}/api/2.0/mlflow-artifacts/artifacts/{place}/{}", self.url, encoded(name));
        let mut request = self.agent.put(url).content_type("application/octet-stream");
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        self.told(heard(request.send(bytes))?).map(drop)
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<(u16, Value), String> {
        let url = format!("{}/api/2.0/mlflow/{path}", self.url);
        let authorization = self.authorization.as_deref();
        let response = match (method, body) {
            ("POST", Some(body)) => {
                let mut request = self.agent.post(url).content_type("application/json");
                if let Some(authorization) = authorization {
                    request = request.header("Authorization", authorization);
                }
                request.send(body.to_string())
            }
            _ => {
                let mut request = self.agent.get(url);
                if let Some(authorization) = authorization {
                    request = request.header("Authorization", authorization);
                }
                request.call()
            }
        };
        heard(response)
    }

    /// What was answered, or why it was not.
    fn told(&self, (status, answer): (u16, Value)) -> Result<Value, String> {
        if status == 200 {
            return Ok(answer);
        }
        let message = answer["message"].as_str().unwrap_or_default();
        let shown: String = message.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
        Err(format!("{} answers {status}{}{shown}", self.url, if shown.is_empty() { "" } else { ": " }))
    }
}

fn heard(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<(u16, Value), String> {
    let mut response = response.map_err(|error| match error {
        ureq::Error::Timeout(_) => format!("it did not answer within {} s", PATIENCE.as_secs()),
        other => format!("it cannot be reached: {other}"),
    })?;
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(MOST_BYTES).read_to_vec().unwrap_or_default();
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}

fn authorization() -> Option<String> {
    let of = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty() && value.chars().all(|c| c.is_ascii_graphic()));
    let token = of("MLFLOW_TRACKING_TOKEN").map(|token| format!("Bearer {token}"));
    token.or_else(|| {
        let pair = format!("{}:{}", of("MLFLOW_TRACKING_USERNAME")?, of("MLFLOW_TRACKING_PASSWORD")?);
        Some(format!("Basic {}", BASE64_STANDARD.encode(pair)))
    })
}

fn known(run: &Value) -> Result<Known, String> {
    let metrics = run["data"]["metrics"].as_array();
    // What is 0 may be left out.
    let step = metrics.into_iter().flatten().map(|metric| whole(&metric["step"]).unwrap_or(0)).max();
    Ok(Known { id: text(&run["info"], "run_id")?, artifacts: text(&run["info"], "artifact_uri").unwrap_or_default(), step })
}

/// 64 bits may be written as text.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn text(value: &Value, field: &str) -> Result<String, String> {
    value[field].as_str().map(str::to_owned).ok_or_else(|| format!("it does not answer as MLflow does: there is no `{field}`"))
}

/// As protocol buffers write in JSON what is no number there.
fn number(value: f64) -> Value {
    match value {
        value if value.is_finite() => json!(value),
        value if value.is_nan() => json!("NaN"),
        value => json!(if value > 0.0 { "Infinity" } else { "-Infinity" }),
    }
}

/// Milliseconds since 1970: for people who look, in no result.
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
