//! Readers that go away early, as `head` does.

use crate::support::{Place, SMALL};
use std::process::{Command, Stdio};

const VERBS: [&[&str]; 16] = [
    &["check", "small.epo"],
    &["check", "wrong.epo", "--json"],
    &["plan", "small.epo"],
    &["plan", "small.epo", "--json"],
    &["plan", "small.epo", "--dot"],
    &["show", "small.epo"],
    &["fmt", "laid_out_badly.epo", "--check"],
    &["new", "fresh"],
    &["kinds"],
    &["explain", "E0104"],
    &["settings"],
    &["completions", "bash"],
    &["runs"],
    &["diff", "small.epo", "wrong.epo"],
    &["env", "install", "household"],
    &["play", "small.epo:house"],
];

/// With nobody at the other end of stdout, and then of stderr too, no verb breaks down.
#[test]
fn nobody_reads_the_answer() {
    for args in VERBS {
        let place = Place::new(&[("small.epo", SMALL), ("wrong.epo", "x = y\n"), ("laid_out_badly.epo", "x   =  1\n")]);
        let expected = place.epo(args).code;
        place.remove("fresh.epo");
        let run = |both: bool| {
            let (reader, out) = std::io::pipe().expect("a pipe");
            let err = out.try_clone().expect("a pipe");
            drop(reader);
            let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
            command.args(args).current_dir(place.path("")).env_clear().env("HOME", place.path("")).stdin(Stdio::null()).stdout(out);
            command.stderr(if both { Stdio::from(err) } else { Stdio::piped() });
            command.spawn().expect("the command starts").wait_with_output().expect("the command ends")
        };
        let said = run(false);
        let words = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.code() == Some(expected) && !words.contains("panicked"), "{args:?}: {said:?}");
        place.remove("fresh.epo");
        assert_eq!(run(true).status.code(), Some(expected), "{args:?}");
    }
}
