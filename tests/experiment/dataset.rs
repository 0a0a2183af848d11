//! Episodes from files, as a run of the binary reads them.

use super::runs::{Runs, Said, command};
use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A folder with data, a file of a pipeline, and runs of it.
struct Desk {
    place: tempfile::TempDir,
    runs: Runs,
}

const SHOWN: &str = "collect { on = house.train, actor = expert, episodes = 6 }";

impl Desk {
    fn new() -> Self {
        let desk = Self { place: tempfile::tempdir().unwrap(), runs: Runs::new() };
        fs::copy("tests/experiment/tiny.epo", desk.place.path().join("tiny.epo")).unwrap();
        fs::create_dir(desk.place.path().join("data")).unwrap();
        desk
    }

    /// Learns from `shown`, for some passes.
    fn write(&self, shown: &str, epochs: usize) {
        let text = format!(
            "import \"tiny.epo\"\n\npipeline read {{\n  stages {{\n    words = tokenizer {{ on = house.train, vocabulary = 300, episodes = 6 }}\n    \
             shown = {shown}\n    warm  = sft {{ episodes = shown, epochs = {epochs}, minibatch = 8, optimizer = adamw {{ lr = 3e-3 }}\n      \
             policy = decoder {{ tokenizer = words, layers = 1, width = 16, heads = 2, context = 192, decode = sample {{ max_tokens = 20 }} }} }}\n    \
             page  = report {{ of = [warm] }}\n  }}\n}}\n"
        );
        fs::write(self.place.path().join("read.epo"), text).unwrap();
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.place.path().join("data").join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn command(&self, verb: &[&str], more: &[&str]) -> Command {
        let file = self.place.path().join("read.epo");
        let args = [verb, &[file.to_str().unwrap(), "--runs", self.runs.path()], more].concat();
        let mut command = command(&args);
        command.env("EPO_DATA__SHOWN", self.place.path().join("data"));
        command
    }

    fn run(&self, more: &[&str]) -> Said {
        Said::of(self.command(&[], more).output().unwrap())
    }

    fn task(&self, stage: &str) -> PathBuf {
        let mut runs: Vec<_> = fs::read_dir(self.runs.0.path().join("read")).unwrap().map(|entry| entry.unwrap().path()).collect();
        runs.sort_by_key(|run| run.metadata().unwrap().modified().unwrap());
        fs::canonicalize(runs.last().unwrap().join("tasks").join(format!("read.{stage}"))).unwrap()
    }

    fn episodes(&self) -> Vec<u8> {
        fs::read(self.task("shown").join("episodes.jsonl")).unwrap()
    }

    fn weights(&self) -> Vec<u8> {
        fs::read(self.task("warm").join("outputs/policy/model.safetensors")).unwrap()
    }

    fn summary(&self) -> Value {
        serde_json::from_slice(&fs::read(self.task("shown").join("outputs/episodes/episodes.json")).unwrap()).unwrap()
    }
}

fn hash(bytes: &[u8]) -> String {
    format!("blake3:{}", blake3::hash(bytes).to_hex())
}

fn dataset(from: &str, hash: &str, more: &str) -> String {
    format!("dataset {{ from = \"data:{from}\", hash = \"{hash}\", {more} }}")
}

fn gzipped(text: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

/// What `collect` wrote is read as it was, whatever it is packed in, and learned to the same weights.
#[test]
fn what_was_collected_comes_back() {
    let collected = Desk::new();
    collected.write(SHOWN, 2);
    collected.run(&[]).exits(0);
    let (episodes, weights) = (collected.episodes(), collected.weights());
    let packed = [episodes.clone(), gzipped(&episodes), compress_to_vec(episodes.as_slice(), CompressionLevel::Fastest)];
    for (name, bytes) in ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"].into_iter().zip(packed) {
        let desk = Desk::new();
        desk.put(name, &bytes);
        desk.write(&dataset(&format!("shown/{name}"), &hash(&bytes), "form = episodes"), 2);
        desk.run(&[]).exits(0);
        assert!(desk.episodes() == episodes && desk.weights() == weights, "{name}");
        assert_eq!(desk.summary()["hash"], hash(&bytes));
    }
    // a folder of which one file is packed
    let desk = Desk::new();
    let first = episodes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let (one, others) = (gzipped(&episodes[..first]), &episodes[first..]);
    desk.put("1.jsonl.gz", &one);
    desk.put("2.jsonl", others);
    let printed = format!("{}  1.jsonl.gz\n{}  2.jsonl\n", blake3::hash(&one).to_hex(), blake3::hash(others).to_hex());
    desk.write(&dataset("shown", &hash(printed.as_bytes()), "form = episodes"), 2);
    desk.run(&[]).exits(0);
    assert!(desk.episodes() == episodes && desk.weights() == weights);

    // where it lies is no part of what it is
    fs::rename(desk.place.path().join("data"), desk.place.path().join("moved")).unwrap();
    let mut again = desk.command(&[], &[]);
    Said::of(again.env("EPO_DATA__SHOWN", desk.place.path().join("moved")).output().unwrap()).exits(0).says("everything is up to date");

    let lines: Vec<&[u8]> = episodes.split_inclusive(|byte| *byte == b'\n').collect();
    let turns = |line: &[u8]| serde_json::from_slice::<Value>(line).unwrap()["turns"].as_array().unwrap().len();
    let few = lines.iter().map(|line| turns(line)).max().unwrap();
    let short: Vec<u8> = lines.iter().filter(|line| turns(line) < few).flat_map(|line| line.to_vec()).collect();
    assert!(!short.is_empty() && short.len() < episodes.len());
    for (more, expected) in [(format!("where = turns < {few} and success"), &short), ("limit = 2".to_string(), &lines[..2].concat())] {
        let desk = Desk::new();
        desk.put("a.jsonl", &episodes);
        desk.write(&dataset("shown/a.jsonl", &hash(&episodes), &format!("form = episodes, {more}")), 1);
        desk.run(&[]).exits(0);
        assert!(desk.episodes() == *expected, "{more}");
    }
}

fn chats(count: usize) -> String {
    let chat = |i: usize| {
        let system = (i.is_multiple_of(3)).then(|| json!({ "role": "system", "content": "Be brief." }));
        let turns = (0..=i % 3).flat_map(|turn| {
            let (asked, said) = (format!("go to shelf {} ?", i + turn), format!("shelf {turn}"));
            [json!({ "role": "user", "content": asked }), json!({ "role": "assistant", "content": said })]
        });
        json!({ "id": i, "messages": system.into_iter().chain(turns).collect::<Vec<_>>() }).to_string() + "\n"
    };
    (0..count).map(chat).collect()
}

#[test]
fn chats_are_learned_whatever_happens_on_the_way() {
    let text = chats(60);
    let shown = dataset("shown/a.jsonl", &hash(text.as_bytes()), "form = messages, where = turns < 3, limit = 30");
    let desk = |epochs| {
        let desk = Desk::new();
        desk.put("a.jsonl", &text);
        desk.write(&shown, epochs);
        desk
    };
    let one = desk(30);
    one.run(&["--threads", "1"]).exits(0);
    assert_eq!(one.summary()["kept"], 30);
    assert_eq!(one.summary()["turns"], 45);
    let metrics = fs::read_to_string(one.task("warm").join("metrics.jsonl")).unwrap();
    let loss = |line: Option<&str>| serde_json::from_str::<Value>(line.unwrap()).unwrap()["values"]["loss/nll"].as_f64().unwrap();
    assert!(loss(metrics.lines().last()) < 0.7 * loss(metrics.lines().next()), "{metrics}");

    let stopped = desk(30);
    let mut child = stopped.command(&[], &["--threads", "2"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while stopped.runs.checkpoints().is_empty() {
        assert!(child.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_mins(2), "no checkpoint");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    stopped.run(&["--threads", "2"]).exits(0);
    assert!(one.episodes() == stopped.episodes() && one.weights() == stopped.weights());
}

/// A process that ends while it reads leaves nothing that looks finished.
#[test]
fn killed_while_it_reads() {
    let text = chats(30_000);
    let desk = Desk::new();
    desk.put("a.jsonl", &text);
    desk.write(&dataset("shown/a.jsonl", &hash(text.as_bytes()), "form = messages"), 1);
    let written = |desk: &Desk| {
        let tasks = fs::read_dir(desk.runs.0.path().join("tasks")).into_iter().flatten().filter_map(Result::ok);
        tasks.filter_map(|task| Some(task.path().join("episodes.jsonl").metadata().ok()?.len())).max().unwrap_or(0)
    };
    let mut child = desk.command(&[], &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while written(&desk) < 100_000 {
        assert!(child.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_mins(2), "nothing is read");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut child = desk.command(&[], &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let finished = |desk: &Desk| {
        let tasks = fs::read_dir(desk.runs.0.path().join("tasks")).into_iter().flatten().filter_map(Result::ok);
        tasks.map(|task| task.path()).find(|task| task.join("outputs/episodes/episodes.json").exists())
    };
    let task = loop {
        if let Some(task) = finished(&desk) {
            break task;
        }
        assert!(child.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_mins(4), "it is not read");
        std::thread::sleep(Duration::from_millis(2));
    };
    child.kill().unwrap();
    child.wait().unwrap();
    let episodes = fs::read_to_string(task.join("episodes.jsonl")).unwrap();
    let ids: Vec<String> =
        episodes.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["task"]["id"].as_str().unwrap().to_string()).collect();
    let short = &hash(text.as_bytes())["blake3:".len()..][..8];
    assert!(ids.iter().enumerate().all(|(at, id)| *id == format!("{short}:{}", at + 1)) && ids.len() == 30_000);
}

fn check(desk: &Desk, bytes: &[u8], pinned: Option<&str>, more: &str, code: i32, expected: &str) {
    let path = desk.put("a.jsonl", bytes);
    let hash = pinned.map_or_else(|| hash(bytes), String::from);
    desk.write(&dataset("shown/a.jsonl", &hash, more), 1);
    let said = desk.run(&[]).exits(code);
    let expected = expected.replace("FILE", path.to_str().unwrap());
    assert!(said.err.contains(&expected), "no `{expected}` in\n{}", said.err);
    assert!(!Path::new(desk.runs.path()).join("warm").exists());
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let desk = Desk::new();
    let good = chats(3);
    let damaged = |line: &str| format!("{good}{line}\n{good}").into_bytes();
    let chats = "form = messages";
    let cases: [(Vec<u8>, &str, &str); 10] = [
        (damaged("{\"messages\": ["), chats, "FILE:4: column 14: EOF while parsing a list"),
        (damaged(""), chats, "FILE:4: there is nothing"),
        (damaged("{\"message\": []}"), chats, "FILE:4: column 15: missing field `messages`"),
        (damaged("{\"messages\": []}"), chats, "FILE:4: an episode without turns"),
        (
            damaged("{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"tool\", \"content\": \"b\"}]}"),
            chats,
            "FILE:4: message 2 has the role \"tool\"; known are `system`, `user` and `assistant`",
        ),
        (damaged("\u{0}\u{1}"), chats, "FILE:4: column 1: expected value"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03".to_vec(), chats, "FILE:1: "),
        (damaged(""), "form = episodes", "FILE:1: column 5: unknown field `id`, expected one of `task`, `group`, "),
        (Vec::new(), chats, "`data:shown/a.jsonl` has no line"),
        (good.clone().into_bytes(), "form = messages, where = turns > 3", "3 episodes were read and of none of them `turns > 3` holds"),
    ];
    for (bytes, more, expected) in &cases {
        check(&desk, bytes, None, more, 2, expected);
    }
    let other = format!("blake3:{}", "0".repeat(64));
    let found = hash(good.as_bytes());
    let differs = format!("`data:shown/a.jsonl` cannot be used: it has the hash `{found}`, and `hash` says `{other}`");
    check(&desk, good.as_bytes(), Some(&other), chats, 2, &differs);
    check(&desk, good.as_bytes(), Some("blake3:?"), chats, 2, &format!("what is there is pinned by `hash = \"{found}\"`"));
    let plan = Said::of(desk.command(&["plan"], &[]).output().unwrap()).exits(0);
    assert!(plan.out.contains(&found), "{}", plan.out);
    fs::remove_file(desk.place.path().join("data/a.jsonl")).unwrap();
    desk.run(&[]).exits(2).says("No such file or directory");
    let mut unset = desk.command(&[], &[]);
    let said = Said::of(unset.env_remove("EPO_DATA__SHOWN").output().unwrap()).exits(2);
    said.says("`data:shown/a.jsonl` cannot be used: no setting `data.shown` says where it lies").says("set `EPO_DATA__SHOWN`");
}

/// Later turns that do not fit are left out and told of; a first one is an error with its place.
#[test]
fn a_chat_that_does_not_fit() {
    let long = |turns: &[usize]| {
        let messages: Vec<Value> = turns
            .iter()
            .flat_map(|words| {
                let asked = json!({ "role": "user", "content": "shelf" });
                [asked, json!({ "role": "assistant", "content": "shelf ".repeat(*words) })]
            })
            .collect();
        json!({ "messages": messages }).to_string() + "\n"
    };
    let desk = Desk::new();
    let text = long(&[2, 2, 400]) + &long(&[3]);
    desk.put("a.jsonl", &text);
    desk.write(&dataset("shown/a.jsonl", &hash(text.as_bytes()), "form = messages"), 1);
    desk.run(&[]).exits(0);
    let metrics = fs::read_to_string(desk.task("warm").join("metrics.jsonl")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(metrics.lines().last().unwrap()).unwrap()["values"]["conversation_full"], 0.5);

    let text = long(&[2]) + &long(&[400]);
    desk.put("a.jsonl", &text);
    desk.write(&dataset("shown/a.jsonl", &hash(text.as_bytes()), "form = messages"), 1);
    let short = &hash(text.as_bytes())["blake3:".len()..][..8];
    let said = desk.run(&[]).exits(2);
    let begin = format!("episode 2 of `read.shown` (`{short}:2`): its first turn has ");
    assert!(said.err.contains(&begin) && said.err.contains(" tokens, and the context 192; raise the policy's `context`"), "{}", said.err);
}

/// A table of another implementation's: the chats of its rows, learned to the same weights as those of lines.
#[cfg(feature = "parquet")]
#[test]
fn tables() {
    let read = |name: &str, more: &str| {
        let desk = Desk::new();
        let bytes = fs::read(Path::new("tests/data/parquet").join(name)).unwrap();
        desk.put("a", &bytes);
        desk.write(&dataset("shown/a", &hash(&bytes), more), 1);
        desk.run(&[]).exits(0);
        assert_eq!(desk.summary()["hash"], hash(&bytes));
        desk
    };
    let lines = read("chats.jsonl", "form = messages");
    assert_eq!(lines.summary()["kept"], 40);
    for name in ["snappy.parquet", "zstd.parquet"] {
        let table = read(name, "form = messages");
        assert!(table.weights() == lines.weights(), "{name}");
    }
    assert_eq!(read("snappy.parquet", "form = messages, limit = 3").summary()["kept"], 3);
    let desk = Desk::new();
    for (name, more, expected) in [
        ("holes.parquet", "form = messages", "FILE: row 5 of row group 2: message 2 has no `content`"),
        ("missing.parquet", "form = messages", "FILE: row 4 of row group 1: an episode without turns"),
        ("snappy.parquet", "form = episodes", "FILE: this is a table of Parquet, which holds chats: `form = messages`"),
    ] {
        check(&desk, &fs::read(Path::new("tests/data/parquet").join(name)).unwrap(), None, more, 2, expected);
    }
}

#[cfg(not(feature = "parquet"))]
#[test]
fn tables() {
    let table = fs::read("tests/data/parquet/snappy.parquet").unwrap();
    let expected = "FILE: this is a table of Parquet, and the program was built without the feature `parquet`";
    check(&Desk::new(), &table, None, "form = messages", 2, expected);
}
