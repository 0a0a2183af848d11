//! What can go wrong before a simulator runs, and while it runs.

use std::path::PathBuf;
use std::time::Duration;

/// The simulator cannot be set up on this machine. Each message says what to do next.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SetupError {
    /// Neither `JAVA_HOME` nor the path has one.
    #[error(
        "no java found: `JAVA_HOME` is not set and there is no `java` on the path; install Java 11 or later, for example `apt-get install openjdk-17-jre-headless`"
    )]
    NoJava,
    /// `JAVA_HOME`, which has no `bin/java`.
    #[error("`JAVA_HOME` is `{home}`, but there is no `bin/java` in it; correct or unset `JAVA_HOME`", home = .0.display())]
    NoJavaInHome(PathBuf),
    /// Older than Java 11.
    #[error("`{java}` is Java {found}, ScienceWorld needs Java 11 or later; install one or point `JAVA_HOME` to it", java = .java.display())]
    OldJava {
        /// The program.
        java: PathBuf,
        /// Its version.
        found: String,
    },
    /// It does not tell its version.
    #[error("`{java}` does not work: {reason}; install Java 11 or later or point `JAVA_HOME` to one", java = .java.display())]
    BrokenJava {
        /// The program.
        java: PathBuf,
        /// What it said instead.
        reason: String,
    },
    /// A Java with which the same actions need not give the same game.
    #[error(
        "`{java}` (Java {version}) does not know the option `-XX:hashCode=2`, without which ScienceWorld does not repeat itself; use an OpenJDK 11 to 21 (HotSpot), or give up repeatability with `repeatable = false`",
        java = .java.display()
    )]
    NotRepeatable {
        /// The program.
        java: PathBuf,
        /// Its version.
        version: String,
    },
    /// The file that is missing.
    #[error("ScienceWorld is not installed: `{file}` is missing; run `epo-run env install scienceworld`", file = .0.display())]
    Absent(PathBuf),
    /// A file whose hash is not that of the release.
    #[error("`{file}` is not the file of ScienceWorld {release}: it is damaged or of another version; delete it and run `epo-run env install scienceworld`", file = .file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The release it should be of.
        release: &'static str,
    },
    /// None of the ways to call pip works.
    #[error(
        "no pip found (tried `python3 -m pip`, `python -m pip`, `pip3`, `pip`); the simulator comes from the Python package index: install pip, for example `apt-get install python3-pip`"
    )]
    NoPip,
    /// pip did not bring the package.
    #[error("`{command}` failed: {reason}")]
    Pip {
        /// The command line.
        command: String,
        /// The last line that it wrote.
        reason: String,
    },
    /// The system refused.
    #[error("{action} `{path}`: {reason}", path = .path.display())]
    Io {
        /// What was tried: `read`, `write`, …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// As the system says it.
        reason: String,
    },
    /// The last lines that the process wrote.
    #[error("the java process of ScienceWorld did not start: {0}")]
    NoStart(String),
    /// The first calls to a new process failed.
    #[error("the java process of ScienceWorld answers otherwise than expected: {0}")]
    Unexpected(#[from] Failure),
}

/// A call to a running simulator failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// The process is gone, or the connection is unusable.
    #[error("the connection to the simulator was lost in `{call}`: {reason}")]
    Closed { call: String, reason: String },
    #[error("the simulator did not answer `{call}` within {} s", .after.as_secs_f32())]
    Hung { call: String, after: Duration },
    /// An exception inside the simulator; the connection is intact. The text is Java's own, with the stack.
    #[error("java exception in `{call}`: {}", .text.lines().next().unwrap_or("no text"))]
    Java { call: String, text: String },
    /// The server does not know the object, class or method.
    #[error("the server refused `{call}`: {text}")]
    Refused { call: String, text: String },
    #[error("`{call}` answered `{answer}`, which is not what was expected")]
    Answer { call: String, answer: String },
    /// The process could not be started again.
    #[error("{0}")]
    Start(Box<SetupError>),
}

impl Failure {
    /// Whether another simulator may do better: the process broke down, not the request.
    pub fn is_breakdown(&self) -> bool {
        matches!(self, Self::Closed { .. } | Self::Hung { .. } | Self::Start(_))
    }
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        Self::Start(Box::new(error))
    }
}
