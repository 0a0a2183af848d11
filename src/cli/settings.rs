//! Settings: what can only change where or how fast. Defaults, the user's file, `epo.toml` of the current folder, `EPO_*`, flags; later ones win.

use super::args::SettingsArgs;
use super::settings_of_servers::GivenServer;
use super::surroundings;
use crate::env::{Machine, Program, Server};
use crate::exec::Address;
use crate::lang::load::Library;
use crate::play::WITH_DATA;
use crate::spec::library;
use crate::track::Trackers;
use figment::Figment;
use figment::providers::{Format, Toml};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct Values {
    /// The folder of runs.
    pub runs: PathBuf,
    /// A store that is shared with others.
    pub store: Option<Address>,
    /// Worker threads; 0: as many as the machine has cores.
    pub threads: usize,
    /// `cpu`, `cuda`, or `auto`: CUDA if the binary has it and a device answers.
    pub device: String,
    /// A folder that `std/…` and `lib/…` are read from, in the place of the compiled-in files.
    pub library: Option<PathBuf>,
    /// Data folders by name (`data.scienceworld`), what plays environments (`env.guess.command`, `env.guess.url`), and servers that answer chats
    /// (`endpoint.judge.url`).
    pub machine: Machine,
    /// `track.tensorboard`, `track.gradients`, `track.mlflow`.
    pub trackers: Trackers,
}

/// What one place says; what it leaves out stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Given {
    pub runs: Option<PathBuf>,
    #[serde(deserialize_with = "address")]
    pub store: Option<Address>,
    pub threads: Option<usize>,
    pub device: Option<String>,
    pub library: Option<PathBuf>,
    pub data: BTreeMap<String, PathBuf>,
    pub env: BTreeMap<String, GivenProgram>,
    pub endpoint: BTreeMap<String, GivenServer>,
    pub track: GivenTrackers,
}

/// What one place says of copies of metrics.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GivenTrackers {
    pub tensorboard: Option<PathBuf>,
    pub gradients: Option<bool>,
    #[serde(deserialize_with = "mlflow_address")]
    pub mlflow: Option<String>,
}

/// What one place says of the program or server that plays an environment.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GivenProgram {
    pub command: Option<Vec<String>>,
    pub url: Option<String>,
    pub pass: Option<Vec<String>>,
    #[serde(deserialize_with = "seconds")]
    pub time_out: Option<Duration>,
}

fn mlflow_address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    tracker_address(&String::deserialize(from)?).map(Some).map_err(serde::de::Error::custom)
}

/// # Errors
/// What is wrong with it, without a word of it: somebody may have put a password there.
pub(super) fn tracker_address(text: &str) -> Result<String, &'static str> {
    let hint = "it takes an address as `http://127.0.0.1:5000`; a name, a password or a token stand in the variables that MLflow's own programs read";
    Server::address(text).map_err(|_| hint)
}

fn address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Address>, D::Error> {
    Address::parse(&String::deserialize(from)?).map(Some).map_err(serde::de::Error::custom)
}

pub(super) fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    duration(f64::deserialize(from)?).map(Some).map_err(serde::de::Error::custom)
}

/// # Errors
/// What is taken.
pub(super) fn duration(seconds: f64) -> Result<Duration, &'static str> {
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|time| (1e-3..=86400.0).contains(&time.as_secs_f64()))
        .ok_or("it takes seconds, from 0.001 to 86400")
}

/// The values, and where each came from.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub values: Values,
    pub origins: BTreeMap<String, String>,
    /// Lines for the user, of what is no setting.
    pub warnings: Vec<String>,
}

const FILE: &str = "epo.toml";
/// A file of settings has a few lines.
const MOST_BYTES: u64 = 1 << 20;

impl Settings {
    /// # Errors
    /// A sentence that names the setting and where it was given.
    pub(crate) fn load(args: &SettingsArgs) -> Result<Self, String> {
        let epo = surroundings::data_home().map(|home| home.join("epo"));
        let data = epo.iter().flat_map(|epo| WITH_DATA.iter().map(|name| ((*name).to_string(), epo.join(name)))).collect();
        let machine = Machine { data, ..Machine::default() };
        let values = Values {
            runs: "runs".into(),
            store: None,
            threads: 0,
            device: "auto".into(),
            library: None,
            machine,
            trackers: Trackers::default(),
        };
        let mut settings = Self { values, origins: BTreeMap::new(), warnings: Vec::new() };
        for name in ["runs", "threads", "device", "library"].map(String::from).into_iter().chain(settings.names_of_data()) {
            settings.origins.insert(name, "default".into());
        }
        let user = surroundings::config_home().map(|home| home.join("epo").join(FILE));
        for file in user.into_iter().chain([PathBuf::from(FILE)]) {
            let shown = std::path::absolute(&file).unwrap_or_else(|_| file.clone()).display().to_string();
            settings.take(read(&file)?, |_| shown.clone());
        }
        let (given, warnings) = surroundings::variables()?;
        settings.warnings = warnings;
        settings.take(given, |name| format!("EPO_{}", name.to_uppercase().replace('.', "__")));
        let SettingsArgs { runs, threads, device, library } = args.clone();
        settings.take(Given { runs, threads, device, library, ..Given::default() }, |name| format!("--{name}"));
        let device = &settings.values.device;
        if !["auto", "cpu", "cuda"].contains(&device.as_str()) {
            let origin = &settings.origins["device"];
            return Err(format!("the setting `device` (from {origin}) is `{device}`; it takes `auto`, `cpu` or `cuda`"));
        }
        Ok(settings)
    }

    fn names_of_data(&self) -> Vec<String> {
        self.values.machine.data.keys().map(|name| format!("data.{name}")).collect()
    }

    fn take(&mut self, given: Given, origin: impl Fn(&str) -> String) {
        let mut note = |name: &str| drop(self.origins.insert(name.into(), origin(name)));
        if let Some(runs) = given.runs {
            note("runs");
            self.values.runs = runs;
        }
        if let Some(store) = given.store {
            note("store");
            self.values.store = Some(store);
        }
        if let Some(threads) = given.threads {
            note("threads");
            self.values.threads = threads;
        }
        if let Some(device) = given.device {
            note("device");
            self.values.device = device;
        }
        if let Some(library) = given.library {
            note("library");
            self.values.library = Some(library);
        }
        if let Some(folder) = given.track.tensorboard {
            note("track.tensorboard");
            self.values.trackers.tensorboard = Some(folder);
        }
        if let Some(gradients) = given.track.gradients {
            note("track.gradients");
            self.values.trackers.gradients = gradients;
        }
        if let Some(url) = given.track.mlflow {
            note("track.mlflow");
            self.values.trackers.mlflow = Some(url);
        }
        for (name, folder) in given.data {
            note(&format!("data.{name}"));
            self.values.machine.data.insert(name, folder);
        }
        for (name, given) in given.env {
            let program = self.values.machine.programs.entry(name.clone()).or_insert_with(|| Program::new(Vec::new()));
            let GivenProgram { command, url, pass, time_out } = given;
            if let Some(command) = command {
                note(&format!("env.{name}.command"));
                program.command = command;
            }
            if let Some(url) = url {
                note(&format!("env.{name}.url"));
                program.url = Some(url);
            }
            if let Some(pass) = pass {
                note(&format!("env.{name}.pass"));
                program.pass = pass;
            }
            if let Some(time_out) = time_out {
                note(&format!("env.{name}.time_out"));
                program.time_out = time_out;
            }
        }
        for (name, given) in given.endpoint {
            given.put_into(self.values.machine.servers.entry(name.clone()).or_default(), |what| note(&format!("endpoint.{name}.{what}")));
        }
    }

    /// What `std/…` and `lib/…` mean.
    ///
    /// # Errors
    /// A sentence, if the folder of the setting lacks a file or one cannot be read.
    pub(crate) fn library(&self) -> Result<Cow<'static, Library>, String> {
        let Some(folder) = &self.values.library else { return Ok(Cow::Borrowed(library())) };
        let wrong = |message| format!("the setting `library` (from {}) is wrong: {message}", self.origins["library"]);
        Library::read(folder, library()).map(Cow::Owned).map_err(wrong)
    }

    /// Worker threads.
    pub(crate) fn threads(&self) -> usize {
        match self.values.threads {
            0 => (std::thread::available_parallelism().map_or(1, usize::from) / super::ranks::on_this_machine()).max(1),
            n => n,
        }
    }

    /// Every setting, for people and for the record of a run: a path that is no UTF-8 is shown as well as it can be.
    pub(crate) fn rows(&self) -> Vec<(String, Value)> {
        let Values { runs, store, threads, device, library, machine: Machine { data, programs, servers }, trackers } = &self.values;
        let path = |path: &Path| json!(path.to_string_lossy());
        let mut rows = vec![("runs".to_owned(), path(runs)), ("threads".into(), json!(threads)), ("device".into(), json!(device))];
        rows.push(("library".into(), library.as_deref().map_or(Value::Null, path)));
        rows.extend(store.iter().map(|store| ("store".to_owned(), json!(store.to_string()))));
        rows.extend(trackers.tensorboard.iter().map(|folder| ("track.tensorboard".to_owned(), path(folder))));
        rows.extend(trackers.gradients.then(|| ("track.gradients".to_owned(), json!(true))));
        rows.extend(trackers.mlflow.iter().map(|url| ("track.mlflow".to_owned(), json!(url))));
        rows.extend(data.iter().map(|(name, folder)| (format!("data.{name}"), path(folder))));
        for (name, Program { command, url, pass, time_out }) in programs {
            rows.extend(url.iter().map(|url| (format!("env.{name}.url"), json!(url))));
            // Who has an address is not started.
            if url.is_none() || !command.is_empty() {
                rows.push((format!("env.{name}.command"), json!(command)));
                rows.push((format!("env.{name}.pass"), json!(pass)));
            }
            rows.push((format!("env.{name}.time_out"), json!(time_out.as_secs_f64())));
        }
        rows.extend(servers.iter().flat_map(|(name, server)| super::settings_of_servers::rows(name, server)));
        rows
    }
}

/// What a file of settings says; nothing where there is none.
fn read(file: &Path) -> Result<Given, String> {
    match file.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Given::default()),
        Ok(data) if !data.is_file() || data.len() > MOST_BYTES => return Err(format!("`{}` is no file of settings", file.display())),
        _ => {}
    }
    Figment::from(Toml::file_exact(file)).extract().map_err(|error| {
        let path = if error.path.is_empty() { String::new() } else { format!(" `{}`", error.path.join(".")) };
        let shown = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
        format!("the setting{path} in {} is wrong: {}", shown.display(), error.kind)
    })
}
