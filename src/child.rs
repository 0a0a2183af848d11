//! Programs of others that are started (Java, pip): each in a folder of our own and with an environment that holds nothing but what it needs. So what lies in
//! the current folder, which may be a stranger's, is never run.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a program that fetches packages may know of its user's machine: where it keeps its files, and how the network is reached.
const OF_THE_NETWORK: [&str; 26] = [
    "HOME",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "PYENV_ROOT",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_CONFIG_FILE",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_NO_INDEX",
    "PIP_PROXY",
    "PIP_TRUSTED_HOST",
];

/// The folders of `PATH` that do not depend on the current one: with `.` or an empty part, a program beside a recipe would be found.
pub(crate) fn folders(path: Option<&OsStr>) -> Vec<PathBuf> {
    std::env::split_paths(path.unwrap_or_default()).filter(|folder| folder.is_absolute()).collect()
}

/// The first program of a name in the [`folders`] of a `PATH`.
pub(crate) fn find(name: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    folders(path).into_iter().map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// A program that will run in `folder`, with an empty environment and nothing to read.
pub(crate) fn isolated(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(folder).stdin(Stdio::null());
    // Without it Windows starts no program that uses the network.
    command.envs(std::env::var_os("SystemRoot").map(|root| ("SystemRoot", root)));
    command
}

/// As [`isolated`], for pip: it may use the network as the user's settings say.
pub(crate) fn with_network(program: &Path, folder: &Path) -> Command {
    let mut command = isolated(program, folder);
    command.envs(OF_THE_NETWORK.iter().chain(&["PATH"]).filter_map(|name| Some((name, variable(name)?))));
    command
}

/// A variable as a program may be given it: of `PATH`, the [`folders`].
pub(crate) fn variable(name: &str) -> Option<OsString> {
    let value = std::env::var_os(name)?;
    if name == "PATH" { std::env::join_paths(folders(Some(&value))).ok() } else { Some(value) }
}

/// pip as a module of a Python that sees neither its current folder, nor the user's packages, nor `PYTHON…`.
pub(crate) const PIP: [&str; 3] = ["-I", "-m", "pip"];

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn programs_are_looked_for_in_absolute_folders_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("java"), "").unwrap();
        let path = |parts: &[&Path]| std::env::join_paths(parts).unwrap();
        let relative = path(&[Path::new("."), Path::new(""), Path::new("src")]);
        assert_eq!(folders(Some(&relative)), Vec::<PathBuf>::new());
        let both = path(&[Path::new("."), folder.path()]);
        assert_eq!(find("java", Some(&both)), Some(folder.path().join("java")));
        assert_eq!(find("java", None), None);
    }

    #[test]
    fn a_child_knows_nothing_of_its_surroundings() {
        let folder = tempfile::tempdir().unwrap();
        let output = isolated(Path::new("/bin/sh"), folder.path()).args(["-c", "pwd -P; /usr/bin/env"]).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let mut lines = said.lines();
        assert_eq!(lines.next().map(PathBuf::from), Some(folder.path().canonicalize().unwrap()));
        // What a shell sets by itself.
        let rest: Vec<&str> = lines.filter(|line| !["PWD=", "_=", "SHLVL=", "OLDPWD="].iter().any(|own| line.starts_with(own))).collect();
        assert_eq!(rest, Vec::<&str>::new());
    }
}
