//! Snapshots in the hub's cache that lack files: completed from the hub, or named.

use crate::place::{Place, Said};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A hub with one model: the files of a folder, under any name and the one commit. Gives its address; it ends with the test.
fn hub(files: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(answer(&stream, &files))));
    address
}

/// As the hub answers a question for a part of a file.
fn answer(mut stream: &TcpStream, files: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let mut range = None;
    for line in lines {
        let line = line?.to_lowercase();
        if let Some(rest) = line.strip_prefix("range: bytes=") {
            range = rest.split_once('-').map(|(from, to)| (from.parse::<usize>().unwrap_or(0), to.parse::<usize>().ok()));
        }
        if line.is_empty() {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    if !path.contains(&format!("/resolve/{COMMIT}/")) {
        return stream.write_all(b"HTTP/1.1 500 The branch has moved on\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    let Ok(bytes) = std::fs::read(files.join(name)) else {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    };
    let (from, to) = range.map_or((0, bytes.len()), |(from, to)| (from, to.map_or(bytes.len(), |to| (to + 1).min(bytes.len()))));
    let part = &bytes[from.min(to)..to];
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\ncontent-length: {}\r\ncontent-range: bytes {from}-{}/{}\r\netag: \"{name}\"\r\nx-repo-commit: {COMMIT}\r\nconnection: close\r\n\r\n",
        part.len(),
        to.saturating_sub(1),
        bytes.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(part)
}

fn info(place: &Place, variable: (&str, &str)) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
    command.args(["model", "info", "hub:someone/small@main"]).current_dir(place.path(""));
    let output = command.env_clear().env("HOME", place.path("")).env("HF_HOME", place.path("hf")).env(variable.0, variable.1).output();
    let output = output.expect("the command starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn a_snapshot_that_lacks_files_is_completed_or_they_are_named() {
    let place = Place::new();
    let cache = place.path("hf/hub/models--someone--small");
    let snapshot = cache.join("snapshots").join(COMMIT);
    std::fs::create_dir_all(&snapshot).expect("a folder");
    std::fs::create_dir_all(cache.join("refs")).expect("a folder");
    std::fs::write(cache.join("refs/main"), COMMIT).expect("a file");
    for name in ["config.json", "model.safetensors"] {
        std::fs::copy(place.path("model").join(name), snapshot.join(name)).expect("a copy");
    }
    let offline = ("HF_HUB_OFFLINE", "1");
    let said = info(&place, offline);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let words = "`hub:someone/small@main` may lack tokenizer.json, tokenizer_config.json, generation_config.json, special_tokens_map.json, chat_template.jinja in the cache";
    assert!(said.err.contains(words) && said.err.contains("HF_HUB_OFFLINE forbids to ask for them"), "{}", said.err);
    assert!(said.out.contains("tokenizer     none\n"), "{}", said.out);

    let address = hub(place.path("model"));
    let said = info(&place, ("HF_ENDPOINT", &address));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert!(said.out.contains("tokenizer     290 tokens") || said.out.contains(" tokens, responses end with [1]\n"), "{}", said.out);
    assert!(cache.join(".no_exist").join(COMMIT).join("chat_template.jinja").is_file());

    // What is known to be absent is not asked for again.
    let said = info(&place, offline);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    std::fs::remove_file(snapshot.join("model.safetensors")).expect("a file");
    let said = info(&place, offline);
    assert_eq!(said.err, "error: `hub:someone/small@main` lacks weights in the cache, and HF_HUB_OFFLINE forbids to fetch it\n");
}

#[test]
fn a_file_of_a_dataset_is_fetched_once() {
    let place = Place::new();
    let chat = r#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}"#;
    std::fs::create_dir_all(place.path("talks")).expect("a folder");
    std::fs::write(place.path("talks/train.jsonl"), chat).expect("a file");
    let hash = blake3::hash(chat.as_bytes()).to_hex();
    let from = format!("hub:someone/talks@{COMMIT}/data/train.jsonl");
    let stage = format!("talks = dataset {{ from = \"{from}\", hash = \"blake3:{hash}\", form = messages }}");
    std::fs::write(place.path("b.epo"), format!("pipeline b {{ stages {{ {stage} }} }}\n")).expect("a file");
    let epo = |args: &[&str], variable: (&str, &str)| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
        command.args(args).current_dir(place.path("")).env_clear().env("HOME", place.path("")).env("HF_HOME", place.path("hf"));
        let output = command.env(variable.0, variable.1).output().expect("the command starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    };
    let address = hub(place.path("talks"));
    let (online, offline) = (("HF_ENDPOINT", address.as_str()), ("HF_HUB_OFFLINE", "1"));
    let planned = epo(&["plan", "b.epo"], online);
    assert!(planned.out.contains(&format!("`{from}`: is fetched first")), "{}\n{}", planned.out, planned.err);
    let refused = epo(&["b.epo"], offline);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains(&format!("`{from}` is not in the cache, and HF_HUB_OFFLINE forbids to fetch it")), "{}", refused.err);
    let said = epo(&["b.epo"], online);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains(&format!("fetching {from}")), "{}", said.err);
    let again = epo(&["b.epo", "--fresh"], offline);
    assert_eq!(again.code, Some(0), "{}", again.err);
}
