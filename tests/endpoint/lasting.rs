//! What was answered outlasts the process.

use crate::place::Place;
use crate::recipe::{lines, place, runs, same, task};
use crate::server::{Reply, Server, answer};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Few milliseconds a request, so that there is a middle to be killed in.
fn slow() -> Server {
    Server::start(|asked| {
        std::thread::sleep(Duration::from_millis(25));
        asked.path.ends_with("completions").then(|| Reply::Json(answer(&asked.body)))
    })
}

fn record(place: &Place) -> Option<PathBuf> {
    let tasks = std::fs::read_dir(place.path("runs/tasks")).ok()?;
    tasks.flatten().map(|task| task.path().join("answers.jsonl")).find(|path| path.exists())
}

#[test]
fn a_run_that_was_killed_goes_on_asks_nothing_twice_and_leaves_the_same_bytes() {
    let calm = place(&Server::well_behaved(), "", "");
    runs(&calm);
    let server = slow();
    let shaken = place(&server, "", "at_once = 3\n");
    for kill in 1..=4 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
        command.arg("far.epo").current_dir(shaken.path("")).env_clear().env("HOME", shaken.path("")).stderr(Stdio::null());
        let mut child = command.spawn().expect("the command");
        let patience = Instant::now() + Duration::from_mins(1);
        let recorded = || record(&shaken).map_or(0, |path| std::fs::read_to_string(path).unwrap_or_default().lines().count());
        while recorded() < kill * 8 && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().and_then(|()| child.wait()).expect("killed");
    }
    let kept: BTreeSet<String> =
        std::fs::read_to_string(record(&shaken).expect("a record")).expect("text").lines().map(str::to_owned).collect();
    let said = runs(&shaken);
    same(&calm, &shaken);
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    server.bodies().iter().for_each(|body| *times.entry(body.to_string()).or_default() += 1);
    // Only what was under way when it was killed is asked again.
    let again: usize = times.values().map(|times| times - 1).sum();
    assert!(again <= 4 * 3, "{again}");
    assert_eq!(times.len(), lines(&task(&shaken).join("answers.jsonl")).len());
    assert!(said.err.contains(&format!("{} answered from the record", kept.len())), "{} {}", kept.len(), said.err);
}

/// What was recorded is no longer believed where it is not what a task was finished with.
#[test]
fn a_record_that_was_changed_is_asked_for_again() {
    let server = Server::well_behaved();
    let place = place(&server, "", "");
    runs(&place);
    let (asked, path) = (server.bodies().len(), task(&place).join("answers.jsonl"));
    let text = std::fs::read_to_string(&path).expect("a record");
    std::fs::write(&path, text.replacen("Let me see.", "Let me lie.", 1)).expect("written");
    let said = runs(&place);
    assert!(said.err.contains("the content of `answers.jsonl` does not have the hash it was written with"), "{}", said.err);
    assert_eq!((server.bodies().len(), std::fs::read_to_string(&path).expect("a record")), (2 * asked, text));
    // Where something else was damaged, it is used.
    std::fs::write(task(&place).join("episodes.jsonl"), "").expect("written");
    runs(&place);
    assert_eq!(server.bodies().len(), 2 * asked);
}

#[test]
fn made_anew_everything_is_asked_again() {
    let server = Server::well_behaved();
    let place = place(&server, "", "");
    runs(&place);
    let asked = server.bodies().len();
    assert_eq!(place.epo(&["--fresh", "far.epo"]).code, 0);
    assert_eq!(server.bodies().len(), 2 * asked);
}
