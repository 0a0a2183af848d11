//! What Ray is asked, by a server that says what its dashboard would. `scripts/ray-check.sh` has the real one.

use crate::place::Place;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// Answers each request with the first pair whose beginning fits `METHOD PATH`; keeps the bodies of what it was sent.
pub(crate) fn dashboard(answers: Vec<(&'static str, u16, &'static str)>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let kept = heard.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            let mut reader = BufReader::new(stream);
            let mut first = String::new();
            let (mut line, mut length) = (String::new(), 0);
            if reader.read_line(&mut first).is_err() {
                continue;
            }
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap_or(0);
                }
                line.clear();
            }
            let mut body = vec![0; length];
            let _ = reader.read_exact(&mut body);
            kept.lock().expect("a lock").push(format!("{} {}", first.trim_end(), String::from_utf8_lossy(&body)));
            let (status, text) =
                answers.iter().find(|(begin, ..)| first.starts_with(begin)).map_or((404, "no"), |(_, status, text)| (*status, *text));
            let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", text.len());
            let _ = reader.get_mut().write_all(format!("{head}{text}").as_bytes());
        }
    });
    (url, heard)
}

#[test]
fn a_driver_gets_the_tasks_with_what_they_ask_for() {
    let place = Place::new();
    let (url, heard) = dashboard(vec![
        ("GET /api/version", 200, r#"{"ray_version":"2"}"#),
        ("POST /api/jobs/ ", 200, r#"{"submission_id":"raysubmit_x"}"#),
        ("GET /api/jobs/raysubmit_x", 200, r#"{"status":"FAILED","message":"no python3\nmore"}"#),
        ("POST /api/jobs/raysubmit_x/stop", 200, r#"{"stopped":true}"#),
    ]);
    let env = [("EPO_ENGINE", "ray"), ("EPO_RAY__URL", url.as_str()), ("EPO_SERVE_KEY", "secret"), ("OTHER", "hidden")];
    let said = place.epo(&["small.epo"], &env);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(
        said.err.contains("3 jobs handed to Ray") && said.err.contains("the driver of the run has ended (FAILED): no python3"),
        "{}",
        said.err
    );
    let heard = heard.lock().expect("a lock").join("\n");
    assert!(heard.contains("EPO_RAY__URL") && !heard.contains("secret") && !heard.contains("hidden"), "{heard}");
    let (folder, run) = place.run();
    let plan = std::fs::read_to_string(folder.join("jobs/ray-0.json")).expect("what the driver reads");
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("JSON");
    let (chance, page) = (&plan["tasks"][0], &plan["tasks"][2]);
    assert_eq!((chance["cpus"].as_u64(), chance["memory"].as_u64()), (Some(3), None), "{plan}");
    assert_eq!((page["cpus"].as_u64(), page["memory"].as_u64()), (Some(2), Some(1536 << 20)), "{plan}");
    assert_eq!(page["after"].as_array().map(Vec::len), Some(2), "{plan}");
    let words: Vec<&str> = chance["words"].as_array().expect("words").iter().filter_map(|word| word.as_str()).collect();
    assert_eq!(words.get(1..4), Some(&["task", run.as_str(), chance["task"].as_str().expect("a digest")][..]));
    assert!(folder.join("jobs/driver.py").is_file());
}

#[test]
fn no_ray_at_the_address() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let free = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let said = place.epo(&["small.epo", "--engine", "ray"], &[("EPO_RAY__URL", &free)]);
    assert!(said.code == 2 && said.err.contains(&format!("there is no Ray at {free}: ")), "{}", said.err);
    for (status, text, words) in [
        (200, "<html>", "is no Ray"),
        (404, "", "is no Ray"),
        (401, "", "RAY_AUTH_TOKEN"),
        (500, "Traceback\nValueError: no\n", "refuses (500): ValueError: no"),
    ] {
        let (url, _) = dashboard(vec![("GET /api/version", status, text)]);
        let said = place.epo(&["small.epo", "--engine", "ray"], &[("EPO_RAY__URL", &url)]);
        assert!(said.code == 2 && said.err.contains(words), "{}", said.err);
    }
    let said = place.epo(&["settings"], &[("EPO_RAY__URL", "http://me:secret@head:8265")]);
    assert!(said.code == 1 && said.err.contains("`ray.url`") && !said.err.contains("secret"), "{}", said.err);
}
