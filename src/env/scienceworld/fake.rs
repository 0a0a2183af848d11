//! A server for tests that answers requests of the protocol as it is told to.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub(super) enum Say {
    /// An answer, without its line end.
    Line(String),
    /// Half an answer, and the rest never.
    Half(String),
    Nothing,
    Close,
}

/// What a client has to know.
pub(super) const TOKEN: &str = "open sesame";

/// The request lines between which `e` stands, as they came.
pub(super) type Heard = Arc<Mutex<Vec<Vec<String>>>>;

/// Listens for one connection after another; ends with the test.
pub(super) fn serve(answer: impl Fn(&[String]) -> Say + Send + 'static) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let heard = Heard::default();
    let record = heard.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = attend(stream.expect("a connection"), &answer, &record);
        }
    });
    (port, heard)
}

fn attend(mut stream: TcpStream, answer: &impl Fn(&[String]) -> Say, heard: &Heard) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while let Some(line) = lines.next() {
        let line = line?;
        if line == "A" {
            let known = lines.next().transpose()?.is_some_and(|token| token == TOKEN);
            stream.write_all(if known { b"!yv\n" } else { b"!xsAuthentication error: bad auth token received.\n" })?;
            continue;
        }
        if line != "e" {
            request.push(line);
            continue;
        }
        heard.lock().expect("not poisoned").push(request.clone());
        match answer(&request) {
            Say::Line(text) => stream.write_all(format!("{text}\n").as_bytes())?,
            Say::Half(text) => stream.write_all(text.as_bytes())?,
            Say::Nothing => {}
            Say::Close => return Ok(()),
        }
        request.clear();
    }
    Ok(())
}
