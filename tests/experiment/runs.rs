//! Runs of the binary in a folder of their own.

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
    // settings of whoever runs the tests must not matter
    command.args(args).env("XDG_CONFIG_HOME", "/nowhere").env_remove("EPO_RUNS").env_remove("EPO_THREADS").stdin(Stdio::null());
    command
}

/// A folder of runs, and the binary at work in it.
pub(crate) struct Runs(pub(crate) TempDir);

impl Runs {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self) -> &str {
        self.0.path().to_str().expect("a path")
    }

    pub(crate) fn args<'a>(&'a self, file: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        [&[file, "--runs", self.path()], more].concat()
    }

    pub(crate) fn run(&self, file: &str, more: &[&str]) -> Said {
        Said::of(command(&self.args(file, more)).output().expect("the binary"))
    }

    /// The binary at work.
    pub(crate) fn start(&self, file: &str, more: &[&str]) -> Child {
        command(&self.args(file, more)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary")
    }

    /// The folder of the task of a stage of the only run.
    pub(crate) fn task(&self, stage: &str) -> PathBuf {
        self.task_of("tiny", stage)
    }

    /// The same of a pipeline of another name.
    pub(crate) fn task_of(&self, pipeline: &str, stage: &str) -> PathBuf {
        self.task_in(pipeline, pipeline, stage)
    }

    /// Of a run of several pipelines.
    pub(crate) fn task_in(&self, run: &str, pipeline: &str, stage: &str) -> PathBuf {
        let run = fs::read_dir(self.0.path().join(run)).expect("a run").filter_map(|e| e.ok()).map(|e| e.path()).next().expect("a run");
        fs::canonicalize(run.join("tasks").join(format!("{pipeline}.{stage}"))).expect("a task")
    }

    /// A file of JSON lines in it.
    pub(crate) fn lines(&self, pipeline: &str, stage: &str, file: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.task_of(pipeline, stage).join(file)).expect("a file");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// Starts, and kills where a checkpoint that replays has been written.
    pub(crate) fn kill_while_it_replays(&self, file: &str) {
        self.kill_after(file, &["--threads", "1"], |path| path.join("replay.json").exists() && !path.ends_with("iteration-0001"));
    }

    /// Starts, and kills where such a checkpoint has been written.
    pub(crate) fn kill_after(&self, file: &str, more: &[&str], such: impl Fn(&PathBuf) -> bool) {
        let mut child = self.start(file, more);
        let began = Instant::now();
        while !self.checkpoints().iter().any(&such) {
            assert!(child.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_mins(2), "no checkpoint");
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn weights(&self, stage: &str) -> Vec<u8> {
        fs::read(self.task(stage).join("outputs/policy/model.safetensors")).expect("weights")
    }

    pub(crate) fn checkpoints(&self) -> Vec<PathBuf> {
        // the stage itself may not have begun yet
        let tasks = fs::read_dir(self.0.path().join("tasks")).into_iter().flatten().filter_map(|e| e.ok());
        let folders = tasks.flat_map(|task| fs::read_dir(task.path().join("checkpoints")).into_iter().flatten().filter_map(|e| e.ok()));
        let mut found: Vec<PathBuf> =
            folders.map(|e| e.path()).filter(|p| p.join("state.json").exists() && p.join("manifest.json").exists()).collect();
        found.retain(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("iteration-")));
        found.sort();
        found
    }

    /// Waits until RL has gone so far.
    pub(crate) fn wait_for_checkpoint(&self, child: &mut Child, iteration: usize) {
        let began = Instant::now();
        let name = format!("iteration-{iteration:04}");
        // `sft` keeps checkpoints by epoch, without a critic
        while !self.checkpoints().iter().any(|p| p.ends_with(&name) && p.join("critic.safetensors").exists()) {
            assert!(child.try_wait().expect("a process").is_none(), "it was done before checkpoint {iteration}");
            assert!(began.elapsed() < Duration::from_mins(2), "no checkpoint {iteration}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

pub(crate) struct Said {
    status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { status: output.status, out: text(&output.stdout), err: text(&output.stderr) }
    }

    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "stdout\n{}\nstderr\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "no `{text}` in\n{}", self.err);
        self
    }
}
