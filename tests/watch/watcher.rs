//! The program that watches, and what it says.

use crate::client::{Reply, receive, send};
use crate::runs::{Runs, command};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

pub(crate) struct Watcher {
    child: Child,
    pub port: u16,
    /// What it said when it was ready.
    pub first: String,
}

impl Watcher {
    pub(crate) fn start(runs: &Runs, args: &[&str]) -> Watcher {
        let mut command = command(&[&["watch", "--port", "0", "--runs", runs.path()], args].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
        let mut first = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut first).expect("a line");
        let port = first.split("127.0.0.1:").nth(1).and_then(|rest| rest.split('/').next()?.parse().ok());
        let port = port.unwrap_or_else(|| panic!("it does not begin: {first:?}"));
        Watcher { child, port, first }
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        receive(send(self.port, "GET", path, headers, b""))
    }

    pub(crate) fn page(&self) -> String {
        let reply = self.get("/", &[]);
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.body
    }

    pub(crate) fn news(&self, have: &str) -> News {
        News(BufReader::new(send(self.port, "GET", &format!("/events?have={have}"), &[], b"")))
    }

    pub(crate) fn end(mut self, signal: i32) -> Option<i32> {
        // SAFETY: sends a signal to a process that this one started and has not yet waited for.
        let sent = unsafe { libc::kill(self.child.id().cast_signed(), signal) };
        assert_eq!(sent, 0);
        let begun = Instant::now();
        while self.child.try_wait().expect("a status").is_none() {
            assert!(begun.elapsed() < Duration::from_secs(8), "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.child.wait().expect("an end").code()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A stream of events.
pub(crate) struct News(BufReader<TcpStream>);

impl News {
    /// The next event with parts: its name, and the parts by their ids. None if none comes in so long, or ever.
    pub(crate) fn next(&mut self, patience: Duration) -> Option<(String, BTreeMap<String, String>)> {
        self.0.get_ref().set_read_timeout(Some(patience)).expect("a time");
        let (mut name, mut line, begun) = (String::new(), Vec::new(), Instant::now());
        loop {
            // Signs of life come all the time.
            if begun.elapsed() > patience {
                return None;
            }
            line.clear();
            if self.0.read_until(b'\n', &mut line).ok()? == 0 {
                return None;
            }
            let text = String::from_utf8_lossy(&line);
            if let Some(id) = text.strip_prefix("id: ") {
                id.trim().clone_into(&mut name);
            }
            if let Some(data) = text.strip_prefix("data: ") {
                let news: Value = serde_json::from_str(data).expect("JSON");
                let text = |value: &Value| value.as_str().expect("a text").to_owned();
                let parts = news["parts"].as_array().expect("parts").iter().map(|part| (text(&part["id"]), text(&part["html"]))).collect();
                return Some((name, parts));
            }
        }
    }

    /// Whether the stream ends.
    pub(crate) fn ends(mut self) -> bool {
        self.0.get_ref().set_read_timeout(Some(Duration::from_secs(8))).expect("a time");
        let mut rest = Vec::new();
        // A connection that was not even accepted is reset.
        self.0.read_to_end(&mut rest).map_or_else(|error| error.kind() == ErrorKind::ConnectionReset, |_| true)
    }
}

/// What the page says that it has.
pub(crate) fn revision(page: &str) -> &str {
    page.split("data-revision=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a revision")
}
