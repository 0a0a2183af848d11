//! A folder, and the command in it.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

pub(crate) struct Place {
    folder: tempfile::TempDir,
}

/// What a command did.
#[derive(Debug, PartialEq)]
pub(crate) struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a folder") };
        for (name, text) in files {
            place.write(name, text);
        }
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Where it is there.
    pub(crate) fn remove(&self, name: &str) {
        let _ = fs::remove_file(self.path(name));
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub(crate) fn epo(&self, args: &[&str]) -> Said {
        self.epo_with(args, "", &[])
    }

    /// With a text on stdin and more of an environment. Settings of the machine that runs the test play no part.
    pub(crate) fn epo_with(&self, args: &[&str], input: &str, env: &[(&str, &str)]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
        command.args(args).current_dir(self.folder.path()).env_clear();
        command.env("HOME", self.folder.path()).env("NO_COLOR", "1").envs(env.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        // one that does not read its input may be gone already
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("the command ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Said { code: output.status.code().expect("an exit code"), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Said {
    /// Asserts all three.
    #[track_caller]
    pub(crate) fn is(&self, code: i32, out: &str, err: &str) {
        let expected = Said { code, out: out.into(), err: err.into() };
        assert!(
            *self == expected,
            "---- expected {code}\n{out}\n---- on stderr\n{err}\n---- found {}\n{}\n---- on stderr\n{}",
            self.code,
            self.out,
            self.err
        );
    }

    /// Asserts that the answer is this, and nothing was said beside it.
    #[track_caller]
    pub(crate) fn answers(&self, out: &str) {
        self.is(0, out, "");
    }

    /// Asserts that the input was refused with these words.
    #[track_caller]
    pub(crate) fn refuses(&self, err: &str) {
        self.is(1, "", err);
    }
}

/// An environment and a pipeline that need no training.
pub(crate) const SMALL: &str = r#"prompt look = "{observation}"

house = household {
  receptacles = 5, objects = 4, families = [put]
  max_turns = 4, success_reward = 1
  prompt = windowed { then = look }
  seen = games { split = "seen", count = 3 }
}

pipeline small {
  title = "Small"
  stages {
    chance = evaluate { actor = random, on = house.seen }
    oracle = evaluate { actor = expert, on = house.seen }
    page   = report { of = [chance, oracle] }
  }
}
"#;
