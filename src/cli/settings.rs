//! Settings: what can only change where or how fast. Defaults, the user's file, `epo.toml`, `EPO_*`, flags; later ones win.

use super::args::SettingsArgs;
use crate::lang::load::Library;
use crate::play::WITH_DATA;
use crate::spec::LIBRARY;
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Values {
    /// The folder of runs.
    pub runs: PathBuf,
    /// Worker threads; 0: as many as the machine has cores.
    pub threads: usize,
    /// `cpu`, `cuda`, or `auto`: CUDA if the binary has it and a device answers.
    pub device: String,
    /// A folder that `std/…` and `lib/…` are read from, in the place of the compiled-in files.
    #[serde(default)]
    pub library: Option<PathBuf>,
    /// Data folders by the environment's name: `data.scienceworld`.
    #[serde(default)]
    pub data: BTreeMap<String, PathBuf>,
}

/// The values, and where each came from.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub values: Values,
    pub origins: BTreeMap<String, String>,
}

const FILE: &str = "epo.toml";

impl Settings {
    /// # Errors
    /// A sentence that names the setting and where it was given.
    pub(crate) fn load(args: &SettingsArgs) -> Result<Self, String> {
        let folders = data_home().map(|home| home.join("epo"));
        let data = folders.iter().flat_map(|epo| WITH_DATA.iter().map(|name| ((*name).to_string(), epo.join(name)))).collect();
        let defaults = Values { runs: "runs".into(), threads: 0, device: "auto".into(), library: None, data };
        let mut figment = Figment::from(Serialized::defaults(&defaults));
        let user = user_file();
        if let Some(user) = &user {
            figment = figment.merge(Toml::file(user));
        }
        figment = figment.merge(Toml::file(FILE)).merge(Env::prefixed("EPO_").ignore(&["shared", "cuda_dir"]).split("__"));
        let mut flags = BTreeMap::new();
        if let Some(runs) = &args.runs {
            flags.insert("runs", serde_json::json!(runs));
        }
        if let Some(threads) = args.threads {
            flags.insert("threads", serde_json::json!(threads));
        }
        if let Some(device) = &args.device {
            flags.insert("device", serde_json::json!(device));
        }
        if let Some(library) = &args.library {
            flags.insert("library", serde_json::json!(library));
        }
        let figment = figment.merge(Serialized::defaults(&flags));
        let values: Values = figment.extract().map_err(|error| describe(&error))?;
        let mut origins = BTreeMap::new();
        let names =
            ["runs", "threads", "device", "library"].map(String::from).into_iter().chain(values.data.keys().map(|k| format!("data.{k}")));
        for name in names {
            let by_flag = flags.contains_key(name.as_str());
            let origin = match figment.find_metadata(&name) {
                _ if by_flag => format!("--{name}"),
                Some(meta) if meta.name.contains("environment") => format!("EPO_{}", name.to_uppercase().replace('.', "__")),
                Some(meta) => meta.source.as_ref().and_then(|s| s.file_path()).map_or("default".into(), |p| p.display().to_string()),
                None => "default".into(),
            };
            origins.insert(name, origin);
        }
        if !["auto", "cpu", "cuda"].contains(&values.device.as_str()) {
            return Err(format!(
                "the setting `device` (from {}) is `{}`; it takes `auto`, `cpu` or `cuda`",
                origins["device"], values.device
            ));
        }
        Ok(Self { values, origins })
    }

    /// What `std/…` and `lib/…` mean.
    ///
    /// # Errors
    /// A sentence, if the folder of the setting lacks a file or one cannot be read.
    pub(crate) fn library(&self) -> Result<Cow<'static, Library>, String> {
        let Some(folder) = &self.values.library else { return Ok(Cow::Borrowed(&LIBRARY)) };
        let wrong = |message| format!("the setting `library` (from {}) is wrong: {message}", self.origins["library"]);
        Library::read(folder, &LIBRARY).map(Cow::Owned).map_err(wrong)
    }

    /// Worker threads.
    pub(crate) fn threads(&self) -> usize {
        match self.values.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        }
    }
}

fn user_file() -> Option<PathBuf> {
    user_folder("XDG_CONFIG_HOME", ".config").map(|c| c.join("epo").join(FILE))
}

fn data_home() -> Option<PathBuf> {
    user_folder("XDG_DATA_HOME", ".local/share")
}

/// A folder of the XDG base directory specification.
fn user_folder(variable: &str, default: &str) -> Option<PathBuf> {
    let given = std::env::var_os(variable).map(PathBuf::from);
    given.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(default)))
}

fn describe(error: &figment::Error) -> String {
    let origin = error.metadata.as_ref().map(|m| match m.source.as_ref().and_then(|s| s.file_path()) {
        Some(path) => format!(" in {}", path.display()),
        None => format!(" from {}", m.name),
    });
    let path = if error.path.is_empty() { String::new() } else { format!(" `{}`", error.path.join(".")) };
    format!("the setting{path}{} is wrong: {}", origin.unwrap_or_default(), error.kind)
}
