//! Slurm's commands: each is asked, and what it says on its errors is told.

use crate::child;
use crate::exec::ExecError;
use std::io::Write;
use std::process::{Command, Stdio};

fn wrong(message: String, help: Option<&str>) -> ExecError {
    ExecError::Engine { message, help: help.map(str::to_owned) }
}

/// Whether there is a Slurm here, and it answers.
pub(super) fn there() -> Result<(), ExecError> {
    run("sbatch", &["--version"], None).map(drop)?;
    run("squeue", &["--noheader", "--me", "--format=%i"], None).map(drop)
}

/// What it prints.
///
/// # Errors
/// If it is not there, or ends with an error, in its own words.
pub(super) fn run<S: AsRef<str>>(program: &str, words: &[S], text: Option<&str>) -> Result<String, ExecError> {
    let Some(path) = child::find(program, std::env::var_os("PATH").as_deref()) else {
        let help = "run it on a machine of the cluster that has Slurm's commands, or with `--engine local`";
        return Err(wrong(format!("there is no Slurm here: no `{program}` on the `PATH`"), Some(help)));
    };
    let stdin = if text.is_some() { Stdio::piped() } else { Stdio::null() };
    let mut command = Command::new(path);
    command.args(words.iter().map(AsRef::as_ref)).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| wrong(format!("cannot start `{program}`: {error}"), None))?;
    // What does not read its text says why.
    if let (Some(text), Some(mut stdin)) = (text, child.stdin.take()) {
        let _ = stdin.write_all(text.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| wrong(format!("cannot wait for `{program}`: {error}"), None))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let message = match said.as_str() {
        "" => format!("`{program}` of Slurm ended with {}", output.status),
        said => format!("Slurm refuses: {said}"),
    };
    let help = match &said {
        said if said.contains("Unable to contact slurm controller") || said.contains("Connection refused") => {
            Some("its controller does not answer: `scontrol ping` says more")
        }
        said if program == "sbatch" && !said.is_empty() => {
            Some("what stages ask for is in `needs` and the settings `jobs.…`; further words for `sbatch` are in `slurm.options`")
        }
        _ => None,
    };
    Err(wrong(message, help))
}
