//! What the environment of the process says: `EPO_*`, and where a user's files lie.

use super::settings::{Given, duration, tracker_address};
use super::{settings_of_engines, settings_of_servers};
use crate::exec::Address;
use crate::lang::diagnostic::closest;
use std::ffi::OsStr;
use std::path::PathBuf;

const SETTINGS: [&str; 9] =
    ["RUNS", "STORE", "THREADS", "DEVICE", "ENGINE", "LIBRARY", "TRACK__GRADIENTS", "TRACK__MLFLOW", "TRACK__TENSORBOARD"];
/// Of the scripts and tests of this project.
const OF_SCRIPTS: [&str; 5] = ["CUDA_DIR", "FULL", "PEER_PYTHON", "SCIENCEWORLD", "SHARED"];
/// A key, which is no setting: settings are shown and recorded.
const OF_VERBS: [&str; 1] = ["SERVE_KEY"];

/// The settings that `EPO_*` variables give, and a line for each variable that is none.
///
/// # Errors
/// A sentence about one that a setting cannot be.
pub(super) fn variables() -> Result<(Given, Vec<String>), String> {
    let (mut given, mut warnings) = (Given::default(), Vec::new());
    let mut all: Vec<_> = std::env::vars_os().collect();
    all.sort();
    for (variable, value) in all {
        let Some(name) = variable.to_str().and_then(|name| name.strip_prefix("EPO_")) else { continue };
        let text = || value.to_string_lossy().into_owned();
        match name {
            "RUNS" => given.runs = Some(value.into()),
            // Not the value: somebody may have put a key there.
            "STORE" => match Address::parse(&text()) {
                Ok(store) => given.store = Some(store),
                Err(why) => return Err(format!("the setting `store` (from EPO_STORE) is wrong: {why}")),
            },
            "TRACK__TENSORBOARD" => given.track.tensorboard = Some(value.into()),
            "TRACK__GRADIENTS" => {
                let wrong =
                    |_| format!("the setting `track.gradients` (from EPO_TRACK__GRADIENTS) is `{}`; it takes `true` or `false`", text());
                given.track.gradients = Some(text().parse().map_err(wrong)?);
            }
            "TRACK__MLFLOW" => {
                let wrong = |why| format!("the setting `track.mlflow` (from EPO_TRACK__MLFLOW) is wrong: {why}");
                given.track.mlflow = Some(tracker_address(&text()).map_err(wrong)?);
            }
            "LIBRARY" => given.library = Some(value.into()),
            "DEVICE" => given.device = Some(text()),
            "THREADS" => match text().parse() {
                Ok(threads) => given.threads = Some(threads),
                Err(_) => return Err(format!("the setting `threads` (from EPO_THREADS) is `{}`; it takes a whole number", text())),
            },
            _ => match name.strip_prefix("DATA__") {
                Some(data) if !data.is_empty() => drop(given.data.insert(data.to_lowercase(), value.into())),
                _ if of_program(&mut given, name, &text())? => {}
                _ if settings_of_engines::variable(&mut given, name, &text())? => {}
                _ if settings_of_servers::variable(&mut given, name, &text())? => {}
                _ if OF_SCRIPTS.contains(&name) || OF_VERBS.contains(&name) || name.starts_with("TEST_") => {}
                _ => warnings.push(unknown(name)),
            },
        }
    }
    Ok((given, warnings))
}

/// Takes `ENV__NAME__COMMAND` and the like; false where it is none of them. Words are told apart by blanks: what has blanks in it belongs into a file.
fn of_program(given: &mut Given, variable: &str, value: &str) -> Result<bool, String> {
    let Some((name, what)) = variable.strip_prefix("ENV__").and_then(|rest| rest.rsplit_once("__")) else { return Ok(false) };
    if !["COMMAND", "PASS", "TIME_OUT", "URL"].contains(&what) {
        return Ok(false);
    }
    let program = given.env.entry(name.to_lowercase()).or_default();
    let words = || value.split_whitespace().map(str::to_owned).collect();
    match what {
        "COMMAND" => program.command = Some(words()),
        "PASS" => program.pass = Some(words()),
        "URL" => program.url = Some(value.to_owned()),
        _ => {
            let seconds = value.parse().map_err(|_| "it takes seconds").and_then(duration);
            let wrong = |why| format!("the setting `env.{}.time_out` (from EPO_{variable}) is `{value}`; {why}", name.to_lowercase());
            program.time_out = Some(seconds.map_err(wrong)?);
        }
    }
    Ok(true)
}

fn unknown(name: &str) -> String {
    let near = closest(name, SETTINGS).map(|near| format!("; did you mean `EPO_{near}`?")).unwrap_or_default();
    format!("`EPO_{name}` is no setting{near}")
}

pub(super) fn config_home() -> Option<PathBuf> {
    folder("XDG_CONFIG_HOME", ".config")
}

pub(super) fn data_home() -> Option<PathBuf> {
    folder("XDG_DATA_HOME", ".local/share")
}

/// A folder of the XDG base directory specification, which says that relative ones do not count.
fn folder(variable: &str, default: &str) -> Option<PathBuf> {
    let absolute =
        |name: &str| std::env::var_os(name).filter(|value| value != OsStr::new("")).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable).or_else(|| Some(absolute("HOME")?.join(default)))
}
