//! How long an editor waits: from an edit of a file of 300 lines with imports to what is said of it, and for answers after it. Prints milliseconds.
//!
//! The server is the program itself, spoken to over its pipes.

use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

/// Edits, each of another place.
const EDITS: usize = 60;
/// What an edit may take, in milliseconds.
const WANTED: f64 = 50.0;

/// Recipes whose names do not meet, in an order in which each finds what it needs.
const RECIPES: [&str; 21] = [
    "ppo",
    "epo_ppo",
    "grpo",
    "epo_grpo",
    "dapo",
    "gspo",
    "cispo",
    "rloo",
    "remax",
    "gigpo",
    "hgpo",
    "otb",
    "dr_grpo",
    "reinforce_plus_plus",
    "m2po",
    "spo",
    "bapo",
    "ea",
    "gtpo",
    "lp_reg",
    "rlvmr",
];

struct Server {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    id: i64,
}

impl Server {
    fn start(folder: &std::path::Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
        command.arg("lsp").env("HOME", folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let (stdin, stdout) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        Self { child, stdin, stdout: BufReader::new(stdout), id: 0 }
    }

    fn send(&mut self, mut message: Value) {
        message["jsonrpc"] = json!("2.0");
        let body = message.to_string();
        write!(self.stdin, "Content-Length: {}\r\n\r\n{body}", body.len()).and_then(|()| self.stdin.flush()).expect("the server reads");
    }

    fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.stdout.read_line(&mut line).expect("a line");
            match line.trim_end().strip_prefix("Content-Length: ") {
                Some(number) => length = number.parse().expect("a number"),
                None if line.trim_end().is_empty() => break,
                None => {}
            }
        }
        let mut body = vec![0; length];
        self.stdout.read_exact(&mut body).expect("a message");
        serde_json::from_slice(&body).expect("JSON")
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.id += 1;
        let id = self.id;
        self.send(json!({ "id": id, "method": method, "params": params }));
        loop {
            let message = self.receive();
            if message["id"] == json!(id) {
                return message;
            }
        }
    }

    /// Waits for what is said of a version of the text; gives how much it is.
    fn said(&mut self, version: usize) -> usize {
        loop {
            let message = self.receive();
            if message["method"] == "textDocument/publishDiagnostics" && message["params"]["version"] == json!(version) {
                return message["params"]["diagnostics"].as_array().map_or(0, Vec::len);
            }
        }
    }
}

/// One text of the recipes: their imports of each other are not needed then.
fn text() -> String {
    let mut out = String::from(
        "import \"std/losses.epo\"\nimport \"std/advantages.epo\"\nimport \"lib/household.epo\"\nimport \"lib/epo_released.epo\"\n",
    );
    for recipe in RECIPES {
        let text = fs::read_to_string(format!("pipelines/household/{recipe}.epo")).expect("a recipe");
        let body: Vec<&str> = text.lines().filter(|line| !line.starts_with("import ")).collect();
        out += &format!("{}\n", body.join("\n"));
    }
    out
}

fn middle(times: &mut [f64]) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[times.len() - 1])
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().canonicalize().expect("a folder").join("all.epo");
    let text = text();
    fs::write(&path, &text).expect("a file");
    let url = format!("file://{}", path.display());
    let mut server = Server::start(folder.path());
    server.ask("initialize", &json!({ "processId": null, "rootUri": null, "capabilities": {} }));
    server.send(json!({ "method": "initialized", "params": {} }));
    server.send(json!({ "method": "textDocument/didOpen", "params": { "textDocument": { "uri": url, "languageId": "epo", "version": 0, "text": text } } }));
    let mistakes = server.said(0);
    println!("{} lines with 4 imports, {mistakes} messages", text.lines().count());
    let numbers: Vec<usize> = text.lines().enumerate().filter(|(_, line)| line.contains("  title ")).map(|(n, _)| n).collect();
    let mut times = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    for edit in 1..=EDITS {
        let line = numbers[edit * 7 % numbers.len()];
        // a line more, then away with it: what stands behind moves, as while one types
        let (range, new) = match edit % 2 {
            1 => (json!({ "start": { "line": line, "character": 0 }, "end": { "line": line, "character": 0 } }), "  # more\n"),
            _ => {
                let line = numbers[(edit - 1) * 7 % numbers.len()];
                (json!({ "start": { "line": line, "character": 0 }, "end": { "line": line + 1, "character": 0 } }), "")
            }
        };
        let changes = json!([{ "range": range, "text": new }]);
        let begun = Instant::now();
        server.send(json!({ "method": "textDocument/didChange", "params": { "textDocument": { "uri": url, "version": edit }, "contentChanges": changes } }));
        server.said(edit);
        times[0].push(begun.elapsed().as_secs_f64() * 1e3);
        let at = json!({ "textDocument": { "uri": url }, "position": { "line": 9, "character": 14 } });
        for (place, method) in ["hover", "completion", "documentSymbol"].iter().enumerate() {
            let begun = Instant::now();
            server.ask(&format!("textDocument/{method}"), &at);
            times[place + 1].push(begun.elapsed().as_secs_f64() * 1e3);
        }
    }
    for (what, times) in ["edit to messages", "the first hover after it", "completion", "symbols"].iter().zip(&mut times) {
        let (half, most) = middle(times);
        println!("{what:26} {half:7.1} ms (at most {most:.1})");
        if *what == "edit to messages" {
            println!("  {:.2} of the {WANTED} ms that it may take", half / WANTED);
        }
    }
    let _ = server.child.kill();
    let _ = server.child.wait();
}
