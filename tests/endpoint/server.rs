//! A server that speaks as much of OpenAI's protocol as is asked for, and misbehaves as a test wants it to.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) struct Asked {
    pub path: String,
    pub key: Option<String>,
    pub body: Value,
    /// How often this very request came before.
    pub before: usize,
    /// How many requests for chats came before.
    pub number: usize,
}

pub(crate) enum Reply {
    Json(Value),
    /// With a status, further headers (each with its end), and a body.
    Other(u16, String, Vec<u8>),
    /// No answer, ever.
    Hang,
    /// The connection is closed.
    Close,
}

#[derive(Default)]
struct Heard {
    /// By path and body.
    all: BTreeMap<(String, String), usize>,
    chats: usize,
    requests: usize,
    bodies: Vec<Value>,
}

pub(crate) struct Server {
    pub url: String,
    heard: Arc<Mutex<Heard>>,
}

impl Server {
    /// `behave` may answer in the place of the server.
    pub(crate) fn start(behave: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let heard: Arc<Mutex<Heard>> = Arc::default();
        let (behave, counts) = (Arc::new(behave), heard.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (behave, counts) = (behave.clone(), counts.clone());
                std::thread::spawn(move || drop(serve(stream, &*behave, &counts)));
            }
        });
        Server { url, heard }
    }

    pub(crate) fn well_behaved() -> Server {
        Server::start(|_| None)
    }

    /// Requests of any kind.
    pub(crate) fn requests(&self) -> usize {
        self.heard.lock().expect("not poisoned").requests
    }

    /// Requests for chats, in the order of their arrival.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.heard.lock().expect("not poisoned").bodies.clone()
    }

    /// As `epo.toml` has it.
    pub(crate) fn settings(&self, more: &str) -> String {
        format!("[endpoint.judge]\nurl = \"{}\"\n{more}", self.url)
    }
}

fn serve(stream: TcpStream, behave: &(dyn Fn(&Asked) -> Option<Reply> + Sync), counts: &Mutex<Heard>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut line, mut length, mut key) = (String::new(), 0, None);
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { break };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or_default(),
            "authorization" => key = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let asked = {
        let mut heard = counts.lock().expect("not poisoned");
        let before = heard.all.entry((path.clone(), text)).or_default();
        *before += 1;
        let before = *before - 1;
        let number = heard.chats;
        heard.requests += 1;
        if path.ends_with("/chat/completions") {
            heard.chats += 1;
            heard.bodies.push(body.clone());
        }
        Asked { path, key, body, before, number }
    };
    let reply = behave(&asked).unwrap_or_else(|| Reply::Json(usual(&asked)));
    let (status, headers, body) = match reply {
        Reply::Json(value) => (200, "Content-Type: application/json\r\n".to_owned(), value.to_string().into_bytes()),
        Reply::Other(status, headers, body) => (status, headers, body),
        Reply::Close => return Ok(()),
        Reply::Hang => {
            std::thread::sleep(Duration::from_mins(1));
            return Ok(());
        }
    };
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {status} So\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    stream.write_all(&body)
}

fn usual(asked: &Asked) -> Value {
    if asked.path.ends_with("/models") {
        return json!({ "object": "list", "data": [{ "id": "other" }, { "id": "tiny" }] });
    }
    answer(&asked.body)
}

/// A number that depends on all of a request.
pub(crate) fn number(body: &Value) -> usize {
    blake3::hash(body.to_string().as_bytes()).as_bytes()[..4].iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// One of the actions that the last message lists; which one depends on the whole request.
pub(crate) fn answer(body: &Value) -> Value {
    let messages = body["messages"].as_array().expect("messages");
    let last = messages.last().expect("a message")["content"].as_str().expect("a text");
    let actions: Vec<&str> = last.rsplit("You can: ").next().unwrap_or_default().trim().split(", ").collect();
    let text = format!("Let me see. <action>{}</action>\n", actions[number(body) % actions.len()]);
    let mut choice = json!({ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": "stop", "logprobs": null });
    if body["logprobs"] == true {
        choice["logprobs"] =
            json!({ "content": [{ "token": "Let", "logprob": -0.25, "bytes": null }, { "token": " me", "logprob": -1.5 }] });
    }
    let words = |text: &str| text.split_whitespace().count();
    let prompt: usize = messages.iter().map(|message| words(message["content"].as_str().unwrap_or_default())).sum();
    let usage = json!({ "prompt_tokens": prompt, "completion_tokens": words(&text), "total_tokens": prompt + words(&text) });
    json!({ "id": "x", "object": "chat.completion", "model": "tiny-1", "choices": [choice], "usage": usage })
}
