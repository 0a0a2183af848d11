//! How a program is started.

use crate::child;
use crate::env::Program;
use std::path::{Path, PathBuf, is_separator};
use std::process::{Command, Stdio};

/// The command of a program, to be run in `folder` and nowhere else.
///
/// # Errors
/// If there is no such program.
pub(super) fn command(program: &Program, folder: &Path) -> Result<Command, String> {
    let (first, rest) = program.command.split_first().ok_or("the command has no words")?;
    let mut command = child::isolated(&find(first)?, folder);
    for word in rest {
        command.arg(from_here(word)?);
    }
    command.envs(program.pass.iter().filter_map(|name| Some((name, child::variable(name)?))));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Of its own, so that Ctrl-C reaches only us, who may still want to finish an iteration; and so that its own children end with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    Ok(command)
}

fn find(name: &str) -> Result<PathBuf, String> {
    if name.contains(is_separator) {
        return std::path::absolute(name).map_err(|error| format!("`{name}`: {error}"));
    }
    child::find(name, std::env::var_os("PATH").as_deref()).ok_or_else(|| format!("there is no program `{name}` in the folders of `PATH`"))
}

/// A word of the command line; of a path from the current folder, the whole path.
fn from_here(word: &str) -> Result<PathBuf, String> {
    let relative = ["./", "../", ".\\", "..\\"].iter().any(|begin| word.starts_with(begin));
    match relative {
        true => std::path::absolute(word).map_err(|error| format!("`{word}`: {error}")),
        false => Ok(word.into()),
    }
}

/// A folder for one process, of this user alone.
///
/// # Errors
/// As the system says it.
pub(super) fn folder() -> Result<tempfile::TempDir, String> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("epo-process-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir().map_err(|error| format!("create a folder in `{}`: {error}", std::env::temp_dir().display()))
}
