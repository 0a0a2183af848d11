//! A small server of OpenEnv's protocol, which can be ended and started again, and can misbehave.

use crate::walk::Walk;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tungstenite::{Message, WebSocket};

/// How it misbehaves: in the third step of every fifth task, if nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Way {
    Well,
    Slow,
    Nonsense,
    Hang,
    Long,
    Error,
    /// Ends the session.
    Close,
    /// All sessions at every seventieth step of all.
    Deaths,
    /// In every step another wind.
    Chance,
    /// A ping before every answer to a step, and one after the second answer that has to be answered while nothing is asked.
    Pings,
}

#[derive(Debug)]
pub(crate) struct Inner {
    way: Way,
    most: usize,
    pub up: AtomicBool,
    streams: Mutex<Vec<TcpStream>>,
    /// Sessions now, at most, and in all.
    pub now: AtomicUsize,
    pub peak: AtomicUsize,
    pub sessions: AtomicUsize,
    pub steps: AtomicUsize,
    pub deaths: AtomicUsize,
    pub heard: Mutex<Vec<String>>,
}

pub(crate) struct Server {
    pub address: SocketAddr,
    pub inner: Arc<Inner>,
}

impl Server {
    /// Allows `most` sessions at once.
    pub(crate) fn start(way: Way, most: usize) -> Self {
        let number = || AtomicUsize::new(0);
        let inner = Inner {
            way,
            most,
            up: AtomicBool::new(false),
            streams: Mutex::default(),
            now: number(),
            peak: number(),
            sessions: number(),
            steps: number(),
            deaths: number(),
            heard: Mutex::default(),
        };
        let mut server = Self { address: ([127, 0, 0, 1], 0).into(), inner: Arc::new(inner) };
        server.up();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn up(&mut self) {
        let listener = TcpListener::bind(self.address).expect("the port");
        self.address = listener.local_addr().expect("an address");
        listener.set_nonblocking(true).expect("a listener");
        self.inner.up.store(true, Ordering::SeqCst);
        let inner = self.inner.clone();
        std::thread::spawn(move || {
            while inner.up.load(Ordering::SeqCst) {
                let Ok((stream, _)) = listener.accept() else {
                    std::thread::sleep(Duration::from_millis(1));
                    continue;
                };
                stream.set_nonblocking(false).expect("a stream");
                inner.streams.lock().unwrap().push(stream.try_clone().expect("a stream"));
                let inner = inner.clone();
                std::thread::spawn(move || inner.serve(stream));
            }
        });
    }

    /// As if it was killed: nobody is told.
    pub(crate) fn down(&self) {
        self.inner.up.store(false, Ordering::SeqCst);
        // Until its port is free.
        let patience = Instant::now() + Duration::from_secs(5);
        while TcpListener::bind(self.address).is_err() && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.inner.cut();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.down();
    }
}

impl Inner {
    fn cut(&self) {
        for stream in self.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut begin = [0; 16];
        let patience = Instant::now() + Duration::from_secs(5);
        while stream.peek(&mut begin).unwrap_or(0) < begin.len() && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(1));
        }
        if begin.starts_with(b"GET /metadata") {
            let body = r#"{"name":"Walk","description":"","version":"3"}"#;
            let _ = stream.read(&mut [0; 4096]);
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            return;
        }
        let Ok(mut socket) = tungstenite::accept(stream) else { return };
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        if now > self.most {
            let data = json!({ "message": "full", "code": "CAPACITY_REACHED", "active_sessions": self.most, "max_sessions": self.most });
            let _ = socket.read();
            let _ = socket.send(Message::text(json!({ "type": "error", "data": data }).to_string()));
        } else {
            self.peak.fetch_max(now, Ordering::SeqCst);
            self.sessions.fetch_add(1, Ordering::SeqCst);
            self.session(&mut socket);
        }
        self.now.fetch_sub(1, Ordering::SeqCst);
        let _ = socket.close(None);
        while socket.read().is_ok() {}
    }

    fn session(&self, socket: &mut WebSocket<TcpStream>) {
        let mut walk: Option<Walk> = None;
        loop {
            let text = match socket.read() {
                Ok(Message::Text(text)) => text,
                Ok(Message::Ping(_) | Message::Pong(_)) => continue,
                _ => return,
            };
            self.heard.lock().unwrap().push(text.to_string());
            let asked: Value = serde_json::from_str(&text).expect("JSON");
            let answer = match asked["type"].as_str() {
                Some("state") => json!({ "type": "state", "data": {} }),
                Some("reset") => {
                    let walk = walk.insert(Walk::new(asked["data"]["seed"].as_u64().expect("a seed")));
                    json!({ "type": "observation", "data": walk.begin() })
                }
                Some("step") => match (walk.as_mut(), asked["data"]["words"].as_str()) {
                    (Some(walk), Some(words)) if words.len() < 20 => {
                        let mut data = walk.step(words);
                        if self.misbehaves(socket, walk, &mut data) {
                            return;
                        }
                        json!({ "type": "observation", "data": data })
                    }
                    _ => {
                        let errors = json!([{ "type": "string_too_long", "loc": ["words"], "msg": "String should have fewer letters" }]);
                        json!({ "type": "error", "data": { "message": "Invalid message", "code": "VALIDATION_ERROR", "errors": errors } })
                    }
                },
                _ => return,
            };
            if socket.send(Message::text(answer.to_string())).is_err() {
                return;
            }
            if self.way == Way::Pings && walk.as_ref().is_some_and(|walk| walk.steps == 2) {
                let _ = socket.send(Message::Ping("still there?".into()));
                loop {
                    match socket.read() {
                        Ok(Message::Pong(said)) if said.as_ref() == b"still there?" => break,
                        Ok(Message::Pong(_)) => {}
                        _ => return,
                    }
                }
            }
        }
    }

    /// True where that is the end of the session.
    fn misbehaves(&self, socket: &mut WebSocket<TcpStream>, walk: &Walk, data: &mut Value) -> bool {
        let all = self.steps.fetch_add(1, Ordering::SeqCst) + 1;
        match self.way {
            Way::Slow => std::thread::sleep(Duration::from_millis(2)),
            Way::Chance => data["observation"]["said"] = json!(format!("Wind: {all}")),
            Way::Deaths if all.is_multiple_of(70) => {
                self.deaths.fetch_add(1, Ordering::SeqCst);
                self.cut();
                return true;
            }
            Way::Pings => drop(socket.send(Message::Ping("there?".into()))),
            _ => {}
        }
        if walk.steps != 3 || walk.number % 5 != 2 {
            return false;
        }
        let mut say = |text: String| {
            let _ = socket.send(Message::text(text));
            true
        };
        match self.way {
            Way::Nonsense => say("\u{1b}[31mSegmentation fault".into()),
            Way::Long => say("x".repeat(3_000_000)),
            Way::Error => {
                say(json!({ "type": "error", "data": { "message": "no third step here", "code": "EXECUTION_ERROR" } }).to_string())
            }
            Way::Hang => {
                let _ = socket.read();
                true
            }
            Way::Close => true,
            _ => false,
        }
    }
}
