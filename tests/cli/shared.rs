//! More than one machine: a run folder with many writers, and a store that two run folders share.

use crate::support::{Place, SMALL, Said};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

fn run(place: &Place, runs: &str, env: &[(&str, &str)]) -> Said {
    place.epo_with(&["small.epo", "--quiet", "--device", "cpu", "--runs", runs], "", env)
}

/// Of all tasks; claims apart.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(path) = open.pop() {
        for entry in fs::read_dir(&path).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if !path.ends_with(".lock") {
                found.insert(path.strip_prefix(folder).expect("below").display().to_string(), fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

/// How often an event happened, in all runs of a folder.
fn events(runs: &Path, event: &str) -> usize {
    let wanted = format!("\"event\":\"{event}\"");
    let all = files(runs).into_iter().filter(|(name, _)| name.ends_with("events.jsonl"));
    all.map(|(_, text)| String::from_utf8(text).expect("UTF-8").matches(&wanted).count()).sum()
}

#[test]
fn a_folder_that_two_run_folders_share() {
    let place = Place::new(&[("small.epo", SMALL), ("epo.toml", "store = \"file:team\"\n")]);
    for runs in ["one", "two"] {
        let said = run(&place, runs, &[]);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{runs}");
    }
    assert_eq!(events(&place.path("one"), "task_finished"), 3);
    assert_eq!((events(&place.path("two"), "task_started"), events(&place.path("two"), "task_taken")), (0, 3));
    assert_eq!(files(&place.path("one/tasks")), files(&place.path("two/tasks")));
    // Not quietly.
    let said = place.epo(&["small.epo", "--runs", "three", "--device", "cpu"]);
    assert!(said.code == 0 && said.err.contains("small.chance: fetched from file:team"), "{}", said.err);
    let settings = place.epo(&["settings"]).out;
    assert!(settings.lines().any(|line| line.starts_with("store") && line.contains("file:team")), "{settings}");
    let said = place.epo(&["runs", "verify", "--store"]);
    assert!(said.code == 0 && said.err.is_empty(), "{said:?}");
    assert!(said.out.starts_with("file:team: 3 tasks, ") && said.out.ends_with(" files: all as they were put there\n"), "{said:?}");
    place.epo(&["runs", "verify", "--runs", "two"]).answers("1 run, 3 tasks: all as they were written\n");
}

#[test]
fn what_is_not_as_it_was_put_there_is_found() {
    let place = Place::new(&[("small.epo", SMALL), ("epo.toml", "store = \"file:team\"\n")]);
    assert_eq!(run(&place, "one", &[]).code, 0);
    let (name, content) = files(&place.path("team/blobs")).into_iter().max_by_key(|(_, content)| content.len()).expect("a file");
    let object = format!("team/blobs/{name}");
    let mut changed = content.clone();
    changed[content.len() / 2] ^= 1;
    fs::write(place.path(&object), &changed).expect("a file");
    fs::create_dir_all(place.path("team/blobs/00")).expect("a folder");
    fs::write(place.path("team/blobs/00/half"), "x").expect("a file");
    let said = place.epo(&["runs", "verify", "--store"]);
    let fault = format!("`file:{object}` is damaged: its content does not have the hash in its name");
    assert!(said.code == 2 && said.out.starts_with(&fault) && said.out.ends_with(" files: 1 fault\n"), "{said:?}");
    assert!(said.err.starts_with("1 file belongs to no task"), "{said:?}");
    // A run says the same, computes the task, and mends it.
    let said = run(&place, "two", &[]);
    assert!(said.code == 0 && said.err.contains(&format!("{fault}; the task is computed")), "{said:?}");
    assert_eq!(files(&place.path("one/tasks")), files(&place.path("two/tasks")));
    assert_eq!(fs::read(place.path(&object)).expect("a file"), content);
    assert_eq!(place.epo(&["runs", "verify", "--store"]).code, 0);
    place.remove("epo.toml");
    let said = place.epo(&["runs", "verify", "--store"]);
    assert!(said.code == 1 && said.err.contains("there is no shared store"), "{said:?}");
}

#[test]
fn what_a_store_may_be() {
    let place = Place::new(&[("small.epo", SMALL)]);
    let said = place.epo_with(&["settings"], "", &[("EPO_STORE", "s3://key:secret@bucket/x")]);
    assert!(
        said.code == 1 && said.err.contains("the setting `store` (from EPO_STORE) is wrong: it takes `s3://BUCKET/PREFIX`"),
        "{said:?}"
    );
    assert!(!said.err.contains("secret"), "{said:?}");
    let said = run(&place, "runs", &[("EPO_STORE", "file:not/mounted/team")]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.err, "warning: cannot use `file:not/mounted/team`: no such file or folder; the run goes on without it\n");
}

/// Three files that share two tasks, each on three machines that begin at once: each task is done once.
#[test]
fn many_machines_in_one_run_folder() {
    let titles = ["Small", "Little", "Tiny"];
    let texts: Vec<(String, String)> =
        titles.iter().map(|title| (format!("{title}.epo"), SMALL.replace("\"Small\"", &format!("{title:?}")))).collect();
    let place = Place::new(&texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>());
    let mut children = Vec::new();
    for machine in 0..9 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
        command.args([&*texts[machine % 3].0, "--quiet", "--device", "cpu"]).current_dir(place.path(""));
        command.env_clear().env("HOME", place.path("")).env("EPO_TEST_HOST", format!("node{machine}"));
        children.push(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the command starts"));
    }
    for child in children {
        let output = child.wait_with_output().expect("the command ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(events(&place.path("runs"), "task_finished"), 2 + titles.len());
    place.epo(&["runs", "verify"]).answers("3 runs, 5 tasks: all as they were written\n");
}

/// A server that answers everything with one refusal.
#[cfg(feature = "cloud")]
mod bucket {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    const KEYS: [(&str, &str); 3] = [("AWS_ACCESS_KEY_ID", "the-key"), ("AWS_SECRET_ACCESS_KEY", "the-secret"), ("AWS_ALLOW_HTTP", "true")];

    fn refused(code: &str) -> (Place, Said) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>Not now.</Message><AWSAccessKeyId>the-key</AWSAccessKeyId></Error>"
        );
        let answer = format!(
            "HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let _ = stream.read(&mut [0; 8192]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        let place = Place::new(&[("small.epo", SMALL)]);
        let env = [&KEYS[..], &[("EPO_STORE", "s3://team/epo"), ("AWS_ENDPOINT_URL", &url)]].concat();
        let said = run(&place, "runs", &env);
        (place, said)
    }

    #[test]
    fn a_clock_that_is_off_and_keys_that_may_not_are_said() {
        for (code, words) in [
            ("RequestTimeTooSkewed", "this machine's clock is off (the server says `RequestTimeTooSkewed`); set it"),
            ("AccessDenied", "access denied: the keys of the environment may not do that"),
            ("InvalidAccessKeyId", "the keys of the environment are not known there, or wrong"),
        ] {
            let (place, said) = refused(code);
            assert_eq!(said.code, 0, "{said:?}");
            assert!(said.err.starts_with("warning: cannot use `s3://team/epo`: ") && said.err.contains(words), "{said:?}");
            assert!(said.err.contains(code) && said.err.lines().count() == 1, "{said:?}");
            assert_eq!(events(&place.path("runs"), "task_finished"), 3);
            let whole = [said.err.into_bytes(), files(&place.path("runs")).into_values().flatten().collect()].concat();
            let whole = String::from_utf8_lossy(&whole);
            assert!(!whole.contains("the-secret") && !whole.contains("the-key"), "no key stands in a record");
        }
    }

    #[test]
    fn nobody_at_the_address() {
        let place = Place::new(&[("small.epo", SMALL)]);
        let env = [&KEYS[..], &[("EPO_STORE", "s3://team/epo"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:9")]].concat();
        let said = run(&place, "runs", &env);
        assert!(said.code == 0 && said.err.contains("nobody answers at its address"), "{said:?}");
    }
}
