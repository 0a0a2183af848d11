//! The simulator's files: one release, pinned, verified before use, fetched through pip.

use super::error::SetupError;
use crate::child;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The release of the PyPI package `scienceworld` that everything here is made for.
pub const RELEASE: &str = "1.2.3";
/// blake3 of the simulator's archive: what determines the games.
pub const ARCHIVE_HASH: &str = "f4b31addca25ce2948c01acfd20ee7511cced5f46626e40534466ffd0b4f99ef";

/// The release of py4j whose server speaks for the simulator: the one inside its archive takes calls from everybody.
const SERVER_RELEASE: &str = "0.10.9.9";
const SERVER_WHEEL_SHA256: &str = "c7c26e4158defb37b0bb124933163641a2ff6e3a3913f7811b0ddbe07ed61533";
const WHEEL_SHA256: &str = "e9737b9d099bfaad90ef053ad6ac1d795e2063ed320efdfc0e9d9c8b5bebf419";
const ARCHIVE: &str = "scienceworld.jar";
const TYPES: &str = "object_type_ids.tsv";
const TYPES_HASH: &str = "7fb03903194bcc2c4defa35d1ea5dee8176c0163f5083ab6c0a0dda5adaa874f";
const SERVER: &str = "py4j.jar";
const SERVER_HASH: &str = "39fbda269d7d4b3363fd642715ce55652d37c1c9202af222a0bcc5fff26a75a3";

/// Each file with its hash, and where it lies in what pip unpacks.
const FILES: [(&str, &str, &str); 3] = [
    (ARCHIVE, ARCHIVE_HASH, "scienceworld/scienceworld.jar"),
    (TYPES, TYPES_HASH, "scienceworld/object_type_ids.tsv"),
    (SERVER, SERVER_HASH, "share/py4j/py4j0.10.9.9.jar"),
];
/// For Java, in the folder that [`Archive::unpack`] has filled: names, so that no folder's name is read as a list of folders.
pub(super) const CLASS_PATH: &str = if cfg!(windows) { "py4j.jar;scienceworld.jar" } else { "py4j.jar:scienceworld.jar" };

/// The simulator's files, verified, and kept as they were when they were verified.
#[derive(Clone, Debug)]
pub(super) struct Archive {
    files: Arc<Vec<(&'static str, Vec<u8>)>>,
}

impl Archive {
    /// # Errors
    /// [`SetupError::Absent`], [`SetupError::Damaged`], [`SetupError::Io`]
    pub(super) fn open(folder: &Path) -> Result<Self, SetupError> {
        let mut files = Vec::new();
        for (name, hash, _) in FILES {
            let file = folder.join(name);
            let bytes = match std::fs::read(&file) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(SetupError::Absent(file)),
                Err(error) => return Err(io("read", &file, &error)),
            };
            if blake3::hash(&bytes).to_hex().as_str() != hash {
                return Err(SetupError::Damaged { file, release: RELEASE });
            }
            files.push((name, bytes));
        }
        Ok(Self { files: Arc::new(files) })
    }

    /// Writes the files into a folder for one process, which runs what was verified. The simulator reads its type table from its working directory
    /// and may write there.
    pub(super) fn unpack(&self, folder: &Path) -> Result<(), SetupError> {
        for (name, bytes) in self.files.iter() {
            let file = folder.join(name);
            std::fs::write(&file, bytes).map_err(|error| io("write", &file, &error))?;
        }
        Ok(())
    }

    /// Where the simulator's classes lie in such a folder.
    pub(super) fn jar(folder: &Path) -> PathBuf {
        folder.join(ARCHIVE)
    }
}

/// What [`install`] had to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installed {
    /// The files were there and whole.
    Before,
    /// They were fetched.
    Now,
}

/// Puts the simulator's archive and its type table into `folder`: the wheel comes through pip, its version and hash are pinned.
/// Does nothing where they lie there whole; replaces damaged ones.
///
/// # Errors
/// [`SetupError::NoPip`], [`SetupError::Pip`], [`SetupError::Damaged`], [`SetupError::Io`]
pub fn install(folder: &Path) -> Result<Installed, SetupError> {
    if Archive::open(folder).is_ok() {
        return Ok(Installed::Before);
    }
    std::fs::create_dir_all(folder).map_err(|error| io("create", folder, &error))?;
    // pip runs in a folder of its own.
    let folder = &std::path::absolute(folder).map_err(|error| io("open", folder, &error))?;
    // In the data folder, so that the finished files need only be renamed.
    let scratch =
        tempfile::Builder::new().prefix(".install-").tempdir_in(folder).map_err(|error| io("create a folder in", folder, &error))?;
    let pip = pip(std::env::var_os("PATH").as_deref(), scratch.path())?;
    let wheel = scratch.path().join("wheel");
    fetch(&pip, scratch.path(), &wheel)?;
    for (name, _, inside) in FILES {
        let (from, to) = (wheel.join(inside), folder.join(name));
        std::fs::rename(&from, &to).map_err(|error| io("move the simulator to", &to, &error))?;
    }
    Archive::open(folder).map(|_| Installed::Now)
}

/// A program and what comes before the arguments of pip.
type Pip = (PathBuf, &'static [&'static str]);

fn fetch((program, before): &Pip, scratch: &Path, wheel: &Path) -> Result<(), SetupError> {
    let wanted = scratch.join("wanted.txt");
    let lines =
        format!("scienceworld=={RELEASE} --hash=sha256:{WHEEL_SHA256}\npy4j=={SERVER_RELEASE} --hash=sha256:{SERVER_WHEEL_SHA256}\n");
    std::fs::write(&wanted, lines).map_err(|error| io("write", &wanted, &error))?;
    let mut command = child::with_network(program, scratch);
    command.args(*before).args(["install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--no-compile"]);
    command.args(["--only-binary", ":all:", "--ignore-requires-python", "--require-hashes", "--target"]).arg(wheel).arg("-r").arg(&wanted);
    // A user-wide setting of this would contradict `--target`.
    let output = command.env("PIP_USER", "0").output();
    let words = std::iter::once(program.display().to_string()).chain(before.iter().map(|word| (*word).to_owned())).collect::<Vec<_>>();
    let failed = |reason: String| SetupError::Pip { command: format!("{} install scienceworld=={RELEASE}", words.join(" ")), reason };
    let output = output.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let told = said.lines().rfind(|line| line.starts_with("ERROR")).or_else(|| said.lines().last());
    Err(failed(told.unwrap_or("it says nothing").trim_start_matches("ERROR:").trim().to_owned()))
}

/// The first way to call pip that works.
fn pip(path: Option<&OsStr>, scratch: &Path) -> Result<Pip, SetupError> {
    let ways: [(&str, &'static [&'static str]); 4] = [("python3", &child::PIP), ("python", &child::PIP), ("pip3", &[]), ("pip", &[])];
    for (name, before) in ways {
        let Some(program) = child::find(name, path) else { continue };
        let tried = child::with_network(&program, scratch).args(before).arg("--version").output();
        if tried.is_ok_and(|output| output.status.success()) {
            return Ok((program, before));
        }
    }
    Err(SetupError::NoPip)
}

fn io(action: &'static str, path: &Path, error: &std::io::Error) -> SetupError {
    SetupError::Io { action, path: path.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_and_damaged_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = Archive::open(folder.path()).expect_err("empty");
        assert!(matches!(&error, SetupError::Absent(file) if file.ends_with(ARCHIVE)));
        assert!(error.to_string().ends_with("is missing; run `epo-run env install scienceworld`"), "{error}");
        std::fs::write(folder.path().join(ARCHIVE), b"PK half an archive").expect("written");
        let error = Archive::open(folder.path()).expect_err("damaged");
        assert!(error.to_string().contains("is not the file of ScienceWorld 1.2.3"), "{error}");
    }

    #[test]
    fn without_pip() {
        let empty = tempfile::tempdir().expect("a folder");
        let error = pip(Some(empty.path().as_os_str()), empty.path()).expect_err("no pip there");
        assert!(error.to_string().starts_with("no pip found (tried `python3 -m pip`"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn what_pip_complains_of_is_passed_on() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("pip");
        std::fs::write(
            &program,
            "#!/bin/sh\n[ \"$1\" = --version ] && exit 0\necho 'ERROR: THESE PACKAGES DO NOT MATCH' >&2\necho >&2\nexit 1\n",
        )
        .expect("written");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("executable");
        let way = loop {
            // A file that was just written can't be executed while another thread's child still holds it open.
            if let Ok(way) = pip(Some(folder.path().as_os_str()), folder.path()) {
                break way;
            }
        };
        let error = fetch(&way, folder.path(), &folder.path().join("wheel")).expect_err("pip fails");
        assert!(error.to_string().ends_with("install scienceworld==1.2.3` failed: THESE PACKAGES DO NOT MATCH"), "{error}");
    }
}
