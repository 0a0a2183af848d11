//! Copies for MLflow, told to a server that only writes down what it hears. `scripts/mlflow-check.sh` asks the real one.

use super::TINY;
use super::runs::{Runs, Said, command};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What was asked: method, path and body.
type Heard = Arc<Mutex<Vec<(String, String, Vec<u8>)>>>;

/// Answers as MLflow does to who is new there, until the test ends; gives its address.
fn server() -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heard = Heard::default();
    let writes = heard.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let writes = writes.clone();
            std::thread::spawn(move || while answer(&stream, &writes).is_some() {});
        }
    });
    (url, heard)
}

fn answer(mut stream: &TcpStream, heard: &Heard) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let (method, path) = line.split_once(' ').and_then(|(method, rest)| Some((method.to_owned(), rest.split(' ').next()?.to_owned())))?;
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((_, value)) = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut heard = heard.lock().unwrap();
    let made = heard.iter().filter(|(_, path, _)| path.ends_with("runs/create")).count();
    let (status, reply) = match path.split("mlflow/").nth(1).unwrap_or_default() {
        asked if asked.starts_with("experiments/get-by-name") => {
            (404, json!({ "error_code": "RESOURCE_DOES_NOT_EXIST", "message": "none" }))
        }
        "experiments/create" => (200, json!({ "experiment_id": "7" })),
        "runs/create" => (
            200,
            json!({ "run": { "info": { "run_id": format!("r{made}"), "artifact_uri": format!("mlflow-artifacts:/7/r{made}/artifacts") } } }),
        ),
        _ => (200, json!({})),
    };
    heard.push((method, path, body));
    drop(heard);
    let reply = reply.to_string();
    write!(stream, "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{reply}", reply.len()).ok()
}

fn run(runs: &Runs, url: &str, more: &[&str]) -> Said {
    Said::of(command(&runs.args(TINY, more)).env("EPO_TRACK__MLFLOW", url).output().unwrap())
}

#[test]
fn every_value_every_parameter_and_the_report_are_told_once() {
    let (runs, (url, heard)) = (Runs::new(), server());
    let said = run(&runs, &url, &["--set", "tiny.iterations=2"]).exits(0);
    assert!(!said.err.contains("MLflow"), "{}", said.err);
    let heard = heard.lock().unwrap();
    let body = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap();
    let asked = |what: &str| heard.iter().filter(|(_, path, _)| path.ends_with(what)).map(|(_, _, bytes)| body(bytes)).collect::<Vec<_>>();
    let created = asked("runs/create");
    let names: Vec<&str> = created.iter().map(|run| run["run_name"].as_str().unwrap()).collect();
    assert!(names[0].starts_with("tiny/") && names[1..] == ["tiny.warm", "tiny.train"], "{names:?}");
    assert!(created[1]["tags"].as_array().unwrap().contains(&json!({ "key": "mlflow.parentRunId", "value": "r0" })));
    for (number, stage) in [(1, "warm"), (2, "train")] {
        let mut told: BTreeMap<(String, u64), Value> = BTreeMap::new();
        let mut params: BTreeMap<String, String> = BTreeMap::new();
        for batch in asked("runs/log-batch").iter().filter(|batch| batch["run_id"] == format!("r{number}")) {
            for metric in batch["metrics"].as_array().into_iter().flatten() {
                let key = (metric["key"].as_str().unwrap().to_owned(), metric["step"].as_u64().unwrap());
                assert!(told.insert(key, metric["value"].clone()).is_none(), "told twice: {metric}");
            }
            for param in batch["params"].as_array().into_iter().flatten() {
                params.insert(param["key"].as_str().unwrap().into(), param["value"].as_str().unwrap().into());
            }
        }
        let lines = fs::read_to_string(runs.task(stage).join("metrics.jsonl")).unwrap();
        let mut expected = BTreeMap::new();
        for record in lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
            for (name, value) in record["values"].as_object().unwrap() {
                expected.insert((name.clone(), record["iteration"].as_u64().unwrap()), value.clone());
            }
        }
        assert!(told.len() > 10 && told == expected, "{stage}");
        assert_eq!(params["kind"], if stage == "warm" { "sft" } else { "rl" });
        assert_eq!(params["optimizer.adamw.weight_decay"], "0.01");
    }
    let ends = asked("runs/update");
    assert!(ends.len() == 3 && ends.iter().all(|end| end["status"] == "FINISHED"), "{ends:?}");
    let pages: Vec<_> = heard.iter().filter(|(method, ..)| method == "PUT").collect();
    assert_eq!(pages.len(), 2);
    let folder = fs::read_dir(runs.0.path().join("tiny")).unwrap().next().unwrap().unwrap().path();
    for (_, path, bytes) in pages {
        let name = path.strip_prefix("/api/2.0/mlflow-artifacts/artifacts/7/r0/artifacts/").expect("a place");
        assert!(fs::read(folder.join(name)).unwrap() == *bytes, "{name}");
    }
}

#[test]
fn a_server_that_is_not_there_fails_no_run() {
    let runs = Runs::new();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = run(&runs, &format!("http://{gone}"), &["--set", "tiny.iterations=1"]).exits(0);
    let warned = |words: &str| said.err.lines().filter(|line| line.contains(words)).count();
    assert_eq!((warned("MLflow is not told all of tiny.train"), warned("MLflow is not told all of the run's end")), (1, 1), "{}", said.err);
    let alone = Runs::new();
    alone.run(TINY, &["--set", "tiny.iterations=1"]).exits(0);
    assert!(fs::read(runs.task("train").join("metrics.jsonl")).unwrap() == fs::read(alone.task("train").join("metrics.jsonl")).unwrap());

    let said = run(&runs, "http://me:secret@127.0.0.1", &[]).exits(1);
    assert!(
        said.err.contains("the setting `track.mlflow` (from EPO_TRACK__MLFLOW) is wrong") && !said.err.contains("secret"),
        "{}",
        said.err
    );
}
