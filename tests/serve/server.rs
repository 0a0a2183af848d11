//! A server with a small model, and how it ends.

use crate::client::{Reply, receive, send};
use crate::models::{Folder, config};
use epo::model::DecoderConfig;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) const CHAT: &str = "/v1/chat/completions";
pub(crate) const TEXT: &str = "/v1/completions";
const JSON: (&str, &str) = ("Content-Type", "application/json");

pub(crate) struct Server {
    child: Child,
    pub port: u16,
    /// What it said when it was ready.
    pub first: String,
}

/// A model with a chat template, in a folder called `model`.
pub(crate) fn model(context: usize) -> (tempfile::TempDir, Folder) {
    let folder = Folder::new(&DecoderConfig { context, ..config() });
    let place = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(place.path().join("model")).expect("a folder");
    for entry in std::fs::read_dir(folder.root()).expect("a folder").flatten() {
        std::fs::copy(entry.path(), place.path().join("model").join(entry.file_name())).expect("a copy");
    }
    (place, folder)
}

impl Server {
    pub(crate) fn start(place: &Path, args: &[&str], env: &[(&str, &str)]) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
        command.arg("serve").args(args).args(["--port", "0"]).current_dir(place).env_clear().env("HOME", place).envs(env.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
        let mut first = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut first).expect("a line");
        let port = first.split("127.0.0.1:").nth(1).and_then(|rest| rest.split('/').next()?.parse().ok());
        match port {
            Some(port) => Server { child, port, first },
            None => {
                let output = child.wait_with_output().expect("an end");
                panic!("it does not begin: {first:?} {}", String::from_utf8_lossy(&output.stderr));
            }
        }
    }

    /// With a model of so many tokens.
    pub(crate) fn with_model(context: usize, args: &[&str]) -> (tempfile::TempDir, Server) {
        let (place, _) = model(context);
        let server = Server::start(place.path(), &[&["model"], args].concat(), &[]);
        (place, server)
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        receive(send(self.port, "GET", path, &[], b""))
    }

    /// A request whose reply is yet to come.
    pub(crate) fn ask(&self, path: &str, body: &Value) -> TcpStream {
        send(self.port, "POST", path, &[JSON], body.to_string().as_bytes())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        receive(self.ask(path, body))
    }

    pub(crate) fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        receive(send(self.port, "POST", path, headers, body))
    }

    pub(crate) fn signal(&self, signal: i32) {
        // SAFETY: sends a signal to a process that this one started and has not yet waited for.
        let sent = unsafe { libc::kill(self.child.id().cast_signed(), signal) };
        assert_eq!(sent, 0);
    }

    /// Its exit code, and what it said on stderr.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        while self.child.try_wait().expect("a status").is_none() {
            assert!(begun.elapsed() < Duration::from_mins(1), "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        let mut said = String::new();
        let mut lines = BufReader::new(self.child.stderr.take().expect("a pipe"));
        std::io::Read::read_to_string(&mut lines, &mut said).expect("UTF-8");
        (self.child.wait().expect("an end").code(), said)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
