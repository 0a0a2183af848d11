//! What settings say of the machine: where data lie, which programs and servers play environments, and which servers answer chats.

use super::Server;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Of one machine. None of it may change a result.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Machine {
    /// Data folders by name: of environments, of models, of datasets.
    pub data: BTreeMap<String, PathBuf>,
    /// Programs and servers by the name of the environment that they play.
    pub programs: BTreeMap<String, Program>,
    /// Servers by the name that endpoints have for them.
    pub servers: BTreeMap<String, Server>,
}

impl Machine {
    /// The folder of some data.
    pub fn folder(&self, name: &str) -> Option<&Path> {
        self.data.get(name).map(PathBuf::as_path)
    }
}

/// What plays an environment: a program that is started (`process { … }` speaks with it), or a server that is there (`openenv { … }`).
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// The program and its arguments. A program without a separator is looked for in the absolute folders of `PATH`; words that begin with `./` or
    /// `../` are paths from the current folder, since the program runs in another.
    pub command: Vec<String>,
    /// Where the server is: `http://127.0.0.1:8000`.
    pub url: Option<String>,
    /// Variables of this process's environment that the program is given, of `PATH` the absolute folders; it knows no others.
    pub pass: Vec<String>,
    /// After which time without any answer it is taken to hang.
    pub time_out: Duration,
}

impl Program {
    /// How long an answer may take where settings say nothing: importing a large library is slow, and a step of an environment is not.
    pub const TIME_OUT: Duration = Duration::from_mins(1);

    /// What a program is given where settings say nothing: where other programs lie, and the user's files.
    pub const PASS: [&str; 2] = ["HOME", "PATH"];

    /// The usual way to run a command.
    pub fn new(command: Vec<String>) -> Self {
        Self { command, url: None, pass: Self::PASS.map(str::to_owned).to_vec(), time_out: Self::TIME_OUT }
    }
}
