//! One connection to the py4j server: one request, one answer, in turn.

use super::error::Failure;
use super::patience::Patience;
use super::wire::{Answer, Arg, Dropped, Handle, Reply, parse};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// An answer beyond this is not one: the longest seen has a few hundred kilobytes.
const LONGEST_ANSWER: u64 = 1 << 28;

/// Whose method is called.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target<'a> {
    Object(&'a Handle),
    /// A static method of the class.
    Class(&'a str),
}

#[derive(Debug)]
pub(super) struct Client {
    stream: BufReader<Timed>,
    time_out: Duration,
    dropped: Dropped,
    /// Why the connection can't be used any more: an answer that is still to come would be taken for that of the next call.
    lost: Option<String>,
}

impl Client {
    /// Of `process`, where it is known: see [`Patience`]. The server gives `token` to who started it, and answers nobody without.
    ///
    /// # Errors
    /// [`Failure::Closed`] when nobody listens there, [`Failure::Hung`] when the connection is not taken, [`Failure::Refused`] with another token.
    pub(super) fn connect(port: u16, token: &str, process: Option<u32>, time_out: Duration) -> Result<Self, Failure> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let connected = TcpStream::connect_timeout(&address, time_out).and_then(|stream| {
            stream.set_nodelay(true)?;
            stream.set_write_timeout(Some(time_out))?;
            Ok(stream)
        });
        match connected {
            Ok(stream) => {
                let stream = BufReader::new(Timed { stream, patience: Patience::new(process) });
                let mut client = Self { stream, time_out, dropped: Dropped::default(), lost: None };
                client.present(token)?;
                Ok(client)
            }
            Err(error) if is_time_out(&error) => Err(Failure::Hung { call: "connect".into(), after: time_out }),
            Err(error) => Err(Failure::Closed { call: "connect".into(), reason: error.to_string() }),
        }
    }

    fn present(&mut self, token: &str) -> Result<(), Failure> {
        match self.round_trip("connect", &format!("A\n{token}\n"))? {
            Reply::Done(Answer::Void) => Ok(()),
            Reply::Refused(text) => Err(Failure::Refused { call: "connect".into(), text }),
            other => Err(Failure::Answer { call: "connect".into(), answer: format!("{other:?}").chars().take(80).collect() }),
        }
    }

    /// From the next call on.
    pub(super) fn set_time_out(&mut self, time_out: Duration) {
        self.time_out = time_out;
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.is_some()
    }

    pub(super) fn construct(&mut self, class: &str, args: &[Arg]) -> Result<Handle, Failure> {
        let mut request = format!("i\n{class}\n");
        for arg in args {
            arg.write(&mut request);
        }
        match self.ask(class, request)? {
            Answer::Object(handle) => Ok(handle),
            other => Err(unexpected(class, &other)),
        }
    }

    pub(super) fn call(&mut self, target: Target, method: &str, args: &[Arg]) -> Result<Answer, Failure> {
        let mut request = match target {
            Target::Object(handle) => format!("c\n{}\n{method}\n", handle.id()),
            Target::Class(class) => format!("c\nz:{class}\n{method}\n"),
        };
        for arg in args {
            arg.write(&mut request);
        }
        self.ask(method, request)
    }

    pub(super) fn text(&mut self, target: Target, method: &str, args: &[Arg]) -> Result<String, Failure> {
        match self.call(target, method, args)? {
            Answer::Text(text) => Ok(text),
            other => Err(unexpected(method, &other)),
        }
    }

    pub(super) fn number(&mut self, target: Target, method: &str) -> Result<f64, Failure> {
        match self.call(target, method, &[])? {
            Answer::Double(number) => Ok(number),
            Answer::Int(number) => Ok(number as f64),
            other => Err(unexpected(method, &other)),
        }
    }

    pub(super) fn flag(&mut self, target: Target, method: &str) -> Result<bool, Failure> {
        match self.call(target, method, &[])? {
            Answer::Bool(flag) => Ok(flag),
            other => Err(unexpected(method, &other)),
        }
    }

    pub(super) fn object(&mut self, target: Target, method: &str, args: &[Arg]) -> Result<Handle, Failure> {
        match self.call(target, method, args)? {
            Answer::Object(handle) => Ok(handle),
            other => Err(unexpected(method, &other)),
        }
    }

    /// A list of strings none of which contains a line feed, in two round trips: walking a list by the protocol's own means takes two
    /// for each element.
    pub(super) fn strings(&mut self, target: Target, method: &str) -> Result<Vec<String>, Failure> {
        let list = self.object(target, method, &[])?;
        let joined = self.text(Target::Class("java.lang.String"), "join", &[Arg::Text("\n"), Arg::Object(&list)])?;
        if joined.is_empty() {
            return Ok(Vec::new());
        }
        Ok(joined.split('\n').map(str::to_owned).collect())
    }

    pub(super) fn new_array(&mut self, class: &str, elements: &[&Handle]) -> Result<Handle, Failure> {
        let array = match self.ask("new array", format!("a\nc\ns{class}\ni{}\n", elements.len()))? {
            Answer::Object(handle) => handle,
            other => return Err(unexpected("new array", &other)),
        };
        for (index, element) in elements.iter().enumerate() {
            self.ask("set array element", format!("a\ns\n{}\ni{index}\nr{}\n", array.id(), element.id()))?;
        }
        Ok(array)
    }

    /// Tells the server to forget what is no longer held here.
    pub(super) fn release(&mut self) -> Result<(), Failure> {
        for id in self.dropped.take() {
            self.exchange("release", format!("m\nd\n{id}\n"))?;
        }
        Ok(())
    }

    fn ask(&mut self, call: &str, request: String) -> Result<Answer, Failure> {
        self.release()?;
        match self.exchange(call, request)? {
            Reply::Done(answer) => Ok(answer),
            Reply::Refused(text) => Err(Failure::Refused { call: call.into(), text }),
            Reply::Threw(exception) => {
                let text = match self.exchange("exception text", format!("p\nr{}\n", exception.id()))? {
                    Reply::Done(Answer::Text(text)) => text,
                    _ => "no text".into(),
                };
                Err(Failure::Java { call: call.into(), text })
            }
        }
    }

    fn exchange(&mut self, call: &str, mut request: String) -> Result<Reply, Failure> {
        if let Some(reason) = &self.lost {
            return Err(Failure::Closed { call: call.into(), reason: reason.clone() });
        }
        request.push_str("e\n");
        let result = self.round_trip(call, &request);
        if let Err(failure) = &result {
            self.lost = Some(failure.to_string());
        }
        result
    }

    fn round_trip(&mut self, call: &str, request: &str) -> Result<Reply, Failure> {
        let failure = |error: std::io::Error| match is_time_out(&error) {
            true => Failure::Hung { call: call.into(), after: self.time_out },
            false => Failure::Closed { call: call.into(), reason: error.to_string() },
        };
        self.stream.get_mut().patience.start(self.time_out);
        self.stream.get_mut().stream.write_all(request.as_bytes()).map_err(failure)?;
        let mut line = Vec::new();
        (&mut self.stream).take(LONGEST_ANSWER).read_until(b'\n', &mut line).map_err(failure)?;
        if line.pop() != Some(b'\n') {
            return Err(Failure::Closed { call: call.into(), reason: "the other side closed it".into() });
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches('\r');
        parse(line, &self.dropped).ok_or_else(|| {
            let reason = format!("`{}` is no answer of the protocol", line.chars().take(80).collect::<String>());
            Failure::Closed { call: call.into(), reason }
        })
    }
}

fn unexpected(call: &str, answer: &Answer) -> Failure {
    Failure::Answer { call: call.into(), answer: format!("{answer:?}").chars().take(80).collect() }
}

fn is_time_out(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// A stream whose reads end with the patience for the whole answer, however many there are.
#[derive(Debug)]
struct Timed {
    stream: TcpStream,
    patience: Patience,
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let Some(left) = self.patience.left() else {
                if self.patience.goes_on() {
                    continue;
                }
                return Err(ErrorKind::TimedOut.into());
            };
            self.stream.set_read_timeout(Some(left))?;
            // The server writes long answers in two pieces and waits for our acknowledgement of the first; the kernel would delay it by
            // 40 ms. The kernel falls back by itself, so this has to be said before every read.
            #[cfg(target_os = "linux")]
            std::os::linux::net::TcpStreamExt::set_quickack(&self.stream, true)?;
            match self.stream.read(buffer) {
                Err(error) if is_time_out(&error) => {}
                result => return result,
            }
        }
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
