//! What a server says of its environment: `GET /metadata`.

use super::address::Address;
use super::protocol::MOST_BYTES;
use crate::env::shown::shown;
use serde::Deserialize;
use std::time::Duration;

#[derive(Deserialize)]
struct Metadata {
    version: Option<String>,
}

/// Looks whether the server has a version of the environment. Another address that the server may name is not asked, nor a proxy.
///
/// # Errors
/// In words.
pub(super) fn check(address: &Address, version: &str, time_out: Duration) -> Result<(), String> {
    let at = address.metadata();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(time_out))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .into();
    let mut answer = agent.get(&at).call().map_err(|error| format!("nothing answers at {at}: {error}"))?;
    if answer.status() != 200 {
        return Err(format!("{at} says nothing of an environment: it answers {}", answer.status()));
    }
    let body = answer.body_mut().with_config().limit(MOST_BYTES as u64).read_to_vec();
    let body = body.map_err(|error| format!("what {at} says cannot be read: {error}"))?;
    let Metadata { version: found } = serde_json::from_slice(&body)
        .map_err(|error| format!("{at} answered `{}`, which says nothing of an environment: {error}", shown(&body)))?;
    match found {
        Some(found) if found == version => Ok(()),
        Some(found) => {
            Err(format!("it is version `{}` of the environment, and the recipe is for version `{version}`", shown(found.as_bytes())))
        }
        None => Err(format!("it does not say which version it is ({at}), and the recipe is for version `{version}`")),
    }
}
