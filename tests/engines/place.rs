//! A folder with a recipe, and the command in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const RECIPE: &str = r#"prompt p = "{observation}"
house = household { prompt = windowed { then = p }, seen = games { split = "seen", count = 2 } }
pipeline small {
  seeds = [0, 1]
  needs = resources { cpus = 2, memory = 1.5 }
  stages {
    chance = evaluate { actor = random, on = house.seen, needs = resources { cpus = 3, time = 90 } }
    page   = report { of = [chance] }
  }
}
"#;

pub(crate) struct Place(tempfile::TempDir);

/// What a command did.
#[derive(Debug)]
pub(crate) struct Said {
    pub code: i32,
    pub err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        place.write("small.epo", RECIPE);
        fs::create_dir(place.path("bin")).expect("a folder");
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// A program on the `PATH`, which has no others, as lines of a shell.
    pub(crate) fn program(&self, name: &str, lines: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{lines}\n")).expect("a program");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("rights");
    }

    pub(crate) fn epo(&self, args: &[&str], env: &[(&str, &str)]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
        command.args(args).current_dir(self.0.path()).env_clear().stdin(Stdio::null());
        command.env("PATH", self.path("bin")).env("HOME", self.0.path()).env("NO_COLOR", "1").envs(env.iter().copied());
        let output = command.output().expect("the command starts");
        Said { code: output.status.code().unwrap_or(-1), err: String::from_utf8_lossy(&output.stderr).into_owned() }
    }

    /// The folder of the only run, below `runs`, and its name.
    pub(crate) fn run(&self) -> (PathBuf, String) {
        let folder = fs::read_dir(self.path("runs/small")).expect("a run").find_map(Result::ok).expect("a run").path();
        let name = format!("small/{}", folder.file_name().expect("a name").to_string_lossy());
        (folder, name)
    }
}
