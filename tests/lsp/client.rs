//! An editor: it starts the server, holds texts, asks, and hears of diagnostics.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Longer than any answer takes, without optimisation and beside other tests.
const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) struct Editor {
    child: Child,
    stdin: Option<ChildStdin>,
    messages: Receiver<Value>,
    id: i64,
    pub texts: BTreeMap<String, (i64, String)>,
    /// What was said last of each address, with the version of the text that it is about.
    pub said: BTreeMap<String, (Option<i64>, Vec<Value>)>,
    pub greeting: Value,
    pub place: tempfile::TempDir,
}

fn receive(from: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("Content-Length", number)) => length = number.parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

impl Editor {
    /// With copies of these files of the repository, named from its folder; their folders are kept.
    pub(crate) fn with(files: &[&str]) -> Editor {
        let place = tempfile::tempdir().expect("a folder");
        for file in files {
            let to = place.path().join(file);
            std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
            std::fs::copy(file, to).expect("a copy");
        }
        Editor::start(place, &["utf-16"])
    }

    pub(crate) fn start(place: tempfile::TempDir, encodings: &[&str]) -> Editor {
        let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
        command.args(["lsp", "--stdio"]).current_dir(place.path()).env_clear().env("HOME", place.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the command starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            while let Some(message) = receive(&mut stdout) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let stdin = child.stdin.take();
        let (texts, said) = (BTreeMap::new(), BTreeMap::new());
        let mut editor = Editor { child, stdin, messages, id: 0, texts, said, greeting: Value::Null, place };
        let root = editor.url("");
        let capabilities = json!({ "general": { "positionEncodings": encodings } });
        let greeting = json!({ "processId": null, "rootUri": root, "capabilities": capabilities });
        editor.greeting = editor.ask("initialize", greeting);
        editor.tell("initialized", json!({}));
        editor
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.place.path().canonicalize().expect("a folder").join(file)
    }

    pub(crate) fn url(&self, file: &str) -> String {
        format!("file://{}", self.path(file).display())
    }

    pub(crate) fn send(&mut self, message: &Value) {
        let body = message.to_string();
        let stdin = self.stdin.as_mut().expect("a pipe");
        write!(stdin, "Content-Length: {}\r\n\r\n{body}", body.len()).and_then(|()| stdin.flush()).expect("the server reads");
    }

    pub(crate) fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// The whole answer: with `result` or `error`.
    pub(crate) fn response(&mut self, method: &str, params: Value) -> Value {
        self.id += 1;
        let id = self.id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let message = self.hear();
            if message["id"] == json!(id) {
                return message;
            }
        }
    }

    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        let answer = self.response(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The next message; diagnostics are remembered.
    fn hear(&mut self) -> Value {
        let message = self.messages.recv_timeout(PATIENCE).expect("the server answers");
        if message["method"] == "textDocument/publishDiagnostics" {
            let params = &message["params"];
            let url = params["uri"].as_str().unwrap_or_default().to_owned();
            self.said.insert(url, (params["version"].as_i64(), params["diagnostics"].as_array().cloned().unwrap_or_default()));
        }
        message
    }

    /// Opens a file as the disk has it.
    pub(crate) fn open(&mut self, file: &str) {
        let text = std::fs::read_to_string(self.path(file)).expect("a file");
        self.open_text(&self.url(file), &text);
    }

    pub(crate) fn open_text(&mut self, url: &str, text: &str) {
        self.texts.insert(url.to_owned(), (1, text.to_owned()));
        self.tell("textDocument/didOpen", json!({ "textDocument": { "uri": url, "languageId": "epo", "version": 1, "text": text } }));
    }

    pub(crate) fn text(&self, file: &str) -> String {
        self.texts[&self.url(file)].1.clone()
    }

    /// The whole text is another one.
    pub(crate) fn write(&mut self, file: &str, text: &str) {
        let url = self.url(file);
        self.change(&url, text, json!({ "text": text }));
    }

    /// One change, and what the text is after it.
    pub(crate) fn change(&mut self, url: &str, text: &str, change: Value) {
        let (version, own) = self.texts.get_mut(url).expect("an open text");
        *version += 1;
        text.clone_into(own);
        let version = *version;
        self.tell("textDocument/didChange", json!({ "textDocument": { "uri": url, "version": version }, "contentChanges": [change] }));
    }

    /// What is said of a file as it is now.
    pub(crate) fn diagnostics(&mut self, file: &str) -> Vec<Value> {
        let url = self.url(file);
        let version = self.texts[&url].0;
        while self.said.get(&url).is_none_or(|(of, _)| *of != Some(version)) {
            self.hear();
        }
        self.said[&url].1.clone()
    }

    pub(crate) fn codes(&mut self, file: &str) -> Vec<String> {
        self.diagnostics(file).iter().map(|d| d["code"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// A place of an open file: at the beginning of `marked` behind its `|`, which stands there once in the text.
    pub(crate) fn at(&self, file: &str, marked: &str) -> Value {
        let text = self.text(file);
        let bare = marked.replacen('|', "", 1);
        let start = text.find(&bare).unwrap_or_else(|| panic!("{file} has no `{bare}`"));
        let offset = start + marked.find('|').expect("a mark");
        json!({ "textDocument": { "uri": self.url(file) }, "position": position(&text, offset) })
    }

    /// A request about such a place.
    pub(crate) fn ask_at(&mut self, method: &str, file: &str, marked: &str) -> Value {
        let params = self.at(file, marked);
        self.ask(method, params)
    }

    /// Says goodbye; gives the exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        drop(self.stdin.take());
        self.child.wait().expect("an end").code()
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Line and column in UTF-16 units.
pub(crate) fn position(text: &str, offset: usize) -> Value {
    let before = &text[..offset];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    json!({ "line": before.matches('\n').count(), "character": before[start..].encode_utf16().count() })
}

fn offset(text: &str, position: &Value) -> usize {
    let line = position["line"].as_u64().expect("a line") as usize;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let mut units = position["character"].as_u64().expect("a column") as usize;
    let rest = &text[start..];
    let mut at = 0;
    for c in rest.chars() {
        if units == 0 || c == '\n' {
            break;
        }
        units = units.saturating_sub(c.len_utf16());
        at += c.len_utf8();
    }
    start + at
}

/// The part of a text that a range covers.
pub(crate) fn slice<'t>(text: &'t str, range: &Value) -> &'t str {
    &text[offset(text, &range["start"])..offset(text, &range["end"])]
}

/// A text after some edits of it.
pub(crate) fn edited(text: &str, edits: &[Value]) -> String {
    let mut places: Vec<(usize, usize, &str)> = edits
        .iter()
        .map(|edit| {
            let range = &edit["range"];
            (offset(text, &range["start"]), offset(text, &range["end"]), edit["newText"].as_str().expect("a text"))
        })
        .collect();
    places.sort_by_key(|(start, ..)| std::cmp::Reverse(*start));
    let mut out = text.to_owned();
    for (start, end, new) in places {
        out.replace_range(start..end, new);
    }
    out
}

pub(crate) fn path_of(url: &str) -> &Path {
    Path::new(url.strip_prefix("file://").expect("a file"))
}
