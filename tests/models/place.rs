//! A folder with a small model, in which pipelines are run.

use crate::support::{Folder, config};
use candle_core::{Device, Tensor};
use epo::model::DecoderConfig;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A household, small enough for a model that cannot read; `house.train`, `house.seen`.
pub(crate) const HOUSE: &str = r#"
import "std/losses.epo"
import "std/advantages.epo"

prompt look = """
{task}
{observation}
>"""

house = household {
  kinds = [study], receptacles = 5, openable = 0.2, objects = 3, families = [put]
  max_turns = 3
  prompt = windowed { then = look, history = 1, max_tokens = 300 }
  train  = games { split = "train", count = 4 }
  seen   = games { split = "seen", count = 2 }
}
"#;

pub(crate) struct Place {
    folder: tempfile::TempDir,
}

/// What a command said and how it ended.
pub(crate) struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Place {
    /// With a model in `model`.
    pub(crate) fn new() -> Place {
        let place = Place { folder: tempfile::tempdir().expect("a folder") };
        place.put_model("model", &Place::shape());
        place
    }

    pub(crate) fn shape() -> DecoderConfig {
        DecoderConfig { context: 400, ..config() }
    }

    pub(crate) fn put_model(&self, name: &str, config: &DecoderConfig) {
        let model = Folder::new(config);
        std::fs::create_dir_all(self.path(name)).expect("a folder");
        for entry in std::fs::read_dir(model.root()).expect("a folder").flatten() {
            std::fs::copy(entry.path(), self.path(name).join(entry.file_name())).expect("a copy");
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes the first number of a tensor of the model in `model`.
    pub(crate) fn poke(&self, tensor: &str, value: f32) {
        let file = self.path("model/model.safetensors");
        let mut all: HashMap<String, Tensor> = candle_core::safetensors::load(&file, &Device::Cpu).expect("a file");
        let old = &all[tensor];
        let mut numbers: Vec<f32> = old.flatten_all().and_then(|t| t.to_vec1()).expect("numbers");
        numbers[0] = value;
        let new = Tensor::from_vec(numbers, old.shape(), &Device::Cpu).expect("a tensor");
        all.insert(tensor.into(), new);
        candle_core::safetensors::save(&all, &file).expect("a file");
    }

    /// Writes `a.epo`: the household and a pipeline.
    pub(crate) fn write(&self, pipeline: &str) {
        std::fs::write(self.path("a.epo"), format!("{HOUSE}{pipeline}")).expect("a file");
    }

    pub(crate) fn epo(&self, args: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
        command.args(args).current_dir(self.folder.path()).env_clear().env("HOME", self.folder.path()).env("NO_COLOR", "1");
        let Output { status, stdout, stderr } = command.output().expect("the command starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Said { code: status.code(), out: text(stdout), err: text(stderr) }
    }

    /// Runs `a.epo` to its end.
    pub(crate) fn run(&self) -> Said {
        let said = self.epo(&["a.epo"]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        said
    }

    /// Of a task of the only run.
    pub(crate) fn task(&self, name: &str) -> PathBuf {
        let run = std::fs::read_dir(self.path("runs/a")).expect("runs").next().expect("a run").expect("an entry").path();
        run.join("tasks").join(name)
    }
}

/// The lines of a log.
pub(crate) fn lines(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}
