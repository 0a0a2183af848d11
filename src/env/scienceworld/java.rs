//! The Java that runs the simulator.

use super::error::SetupError;
use crate::child;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The simulator's archive is built for this.
const OLDEST: u32 = 11;

/// With Java's own identity hash codes the simulator lists things in another order from one episode to the next, and gives other names
/// to equal things; with constant ones it is a function of the calls.
pub(super) const CONSTANT_HASH_CODES: [&str; 2] = ["-XX:+UnlockExperimentalVMOptions", "-XX:hashCode=2"];

/// A Java that has been tried and is new enough.
#[derive(Clone, Debug)]
pub(super) struct Java {
    program: PathBuf,
    version: String,
    constant_hash_codes: bool,
}

impl Java {
    /// `JAVA_HOME` if set, or else `java` on the path.
    pub(super) fn find() -> Result<Self, SetupError> {
        Self::find_with(std::env::var_os("JAVA_HOME").as_deref(), std::env::var_os("PATH").as_deref())
    }

    fn find_with(home: Option<&OsStr>, path: Option<&OsStr>) -> Result<Self, SetupError> {
        if let Some(home) = home.filter(|home| !home.is_empty()) {
            let home = std::path::absolute(home).unwrap_or_else(|_| home.into());
            let program = home.join("bin").join("java");
            return if program.is_file() { Self::try_out(program) } else { Err(SetupError::NoJavaInHome(home)) };
        }
        Self::try_out(child::find("java", path).ok_or(SetupError::NoJava)?)
    }

    fn try_out(program: PathBuf) -> Result<Self, SetupError> {
        let broken = |reason: String| SetupError::BrokenJava { java: program.clone(), reason };
        let asked = |options: &[&str]| {
            let folder = program.parent().unwrap_or(&program);
            let output = child::isolated(&program, folder).args(options).arg("-version").output();
            output.map_err(|error| broken(error.to_string()))
        };
        let strict = asked(&CONSTANT_HASH_CODES)?;
        let constant_hash_codes = strict.status.success();
        let output = if constant_hash_codes { strict } else { asked(&[])? };
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            return Err(broken(said.lines().next().unwrap_or("it says nothing").to_owned()));
        }
        let (major, version) = version(&said).ok_or_else(|| broken("`java -version` names no version".into()))?;
        if major < OLDEST {
            return Err(SetupError::OldJava { java: program, found: version });
        }
        Ok(Self { program, version, constant_hash_codes })
    }

    /// `17.0.15`
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// The options that make the simulator repeat itself.
    ///
    /// # Errors
    /// [`SetupError::NotRepeatable`] where this Java does not know them.
    pub(super) fn repeatable(&self) -> Result<&'static [&'static str], SetupError> {
        if self.constant_hash_codes {
            Ok(&CONSTANT_HASH_CODES)
        } else {
            Err(SetupError::NotRepeatable { java: self.program.clone(), version: self.version.clone() })
        }
    }

    /// In `folder`. No options from outside (`JAVA_TOOL_OPTIONS` and its like) change heap and hash codes.
    pub(super) fn command(&self, folder: &Path) -> Command {
        child::isolated(&self.program, folder)
    }
}

/// The major version and the whole, from what `java -version` says: `openjdk version "17.0.15" 2025-04-15`, `java version "1.8.0_392"`.
fn version(said: &str) -> Option<(u32, String)> {
    let whole = said.lines().find(|line| line.contains(" version \""))?.split('"').nth(1)?;
    let mut numbers = whole.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse::<u32>().ok());
    let major = match numbers.next()? {
        1 => numbers.next()?,
        major => major,
    };
    Some((major, whole.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_old_and_new() {
        let read = |said| version(said).map(|(major, whole)| format!("{major} {whole}"));
        assert_eq!(read("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime").as_deref(), Some("17 17.0.15"));
        assert_eq!(read("java version \"1.8.0_392\"\n").as_deref(), Some("8 1.8.0_392"));
        assert_eq!(read("Picked up _JAVA_OPTIONS: -Xmx1g\nopenjdk version \"24-ea\" 2025").as_deref(), Some("24 24-ea"));
        assert_eq!(read("command not found"), None);
    }

    #[cfg(unix)]
    mod with_a_made_up_java {
        use super::*;
        use std::os::unix::fs::PermissionsExt;

        fn home(script: &str) -> tempfile::TempDir {
            let home = tempfile::tempdir().expect("a folder");
            let bin = home.path().join("bin");
            std::fs::create_dir(&bin).expect("a folder");
            let java = bin.join("java");
            std::fs::write(&java, format!("#!/bin/sh\n{script}\n")).expect("a file");
            std::fs::set_permissions(&java, std::fs::Permissions::from_mode(0o755)).expect("executable");
            home
        }

        fn found(home: &tempfile::TempDir) -> Result<Java, SetupError> {
            // A file that was just written can't be executed while another thread's child still holds it open.
            for _ in 0..50 {
                match Java::find_with(Some(home.path().as_os_str()), None) {
                    Err(SetupError::BrokenJava { reason, .. }) if reason.contains("busy") => std::thread::yield_now(),
                    other => return other,
                }
            }
            Java::find_with(Some(home.path().as_os_str()), None)
        }

        #[test]
        fn too_old() {
            let error = found(&home("echo 'java version \"1.8.0_392\"' >&2")).expect_err("Java 8");
            assert!(error.to_string().contains("is Java 1.8.0_392, ScienceWorld needs Java 11 or later"), "{error}");
        }

        #[test]
        fn without_the_option() {
            let java = found(&home("[ $# -gt 1 ] && exit 1\necho 'openjdk version \"21\"' >&2")).expect("found");
            let error = java.repeatable().expect_err("no such option");
            assert!(error.to_string().contains("(Java 21) does not know the option `-XX:hashCode=2`"), "{error}");
        }

        #[test]
        fn broken() {
            let error = found(&home("echo 'no libjvm here' >&2; exit 1")).expect_err("broken");
            assert!(error.to_string().contains("does not work: no libjvm here"), "{error}");
        }

        #[test]
        fn none() {
            let empty = tempfile::tempdir().expect("a folder");
            let error = Java::find_with(Some(empty.path().as_os_str()), None).expect_err("nothing there");
            assert!(error.to_string().starts_with("`JAVA_HOME` is `"), "{error}");
            let error = Java::find_with(None, Some(empty.path().as_os_str())).expect_err("nothing there");
            assert!(error.to_string().starts_with("no java found"), "{error}");
        }
    }
}
