//! One session of a server: a connection in which one episode is played.

use super::address::Address;
use super::protocol::{Answer, MOST_BYTES, Request, read};
use super::wire::{Wire, is_late};
use crate::env::remembered::Trouble;
use crate::env::shown::shown;
use std::time::{Duration, Instant};
use tungstenite::client::{IntoClientRequest, client_with_config};
use tungstenite::error::CapacityError;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, HandshakeError, Message, WebSocket};

/// How long the end of a session may take.
const LEAVE: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Session {
    socket: WebSocket<Wire>,
    /// Why nothing more can be asked.
    ended: Option<String>,
}

/// Why there is no session.
#[derive(Clone, Debug)]
pub(super) enum Refusal {
    /// So many are all that the server allows, where it says how many.
    Full(Option<u64>),
    Other(String),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full(Some(1)) => write!(f, "the server allows 1 session at once, and it is taken"),
            Self::Full(Some(most)) => write!(f, "the server allows {most} sessions at once, and all are taken"),
            Self::Full(None) => write!(f, "the server allows no further session"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl Session {
    /// Connects, and hears whether there is an environment for it.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn open(address: &Address, time_out: Duration) -> Result<Self, Refusal> {
        let other = |why: String| Refusal::Other(why);
        let until = Instant::now() + time_out;
        let at = address.sessions();
        let wire = Wire::connect(address, until).map_err(other)?;
        let request = at.as_str().into_client_request().map_err(|error| other(error.to_string()))?;
        // Larger buffers would be filled by nobody, and each session has its own.
        let config = WebSocketConfig::default()
            .read_buffer_size(1 << 14)
            .write_buffer_size(0)
            .max_message_size(Some(MOST_BYTES))
            .max_frame_size(Some(MOST_BYTES));
        let (socket, _) = client_with_config(request, wire, Some(config)).map_err(|error| {
            other(match error {
                HandshakeError::Interrupted(_) => late(time_out),
                HandshakeError::Failure(Error::Io(error)) if is_late(&error) => late(time_out),
                HandshakeError::Failure(Error::Http(answer)) => format!("{at} is no place of sessions: it answers {}", answer.status()),
                HandshakeError::Failure(error) => format!("{at} is no place of sessions: {}", shown(error.to_string().as_bytes())),
            })
        })?;
        let mut session = Self { socket, ended: None };
        let answer = session.ask(&Request::State, time_out).map_err(|trouble| match trouble {
            Trouble::Breakdown { cause, .. } | Trouble::Hopeless(cause) => other(cause),
        })?;
        match read(&answer).map_err(other)? {
            Answer::State | Answer::Observation(_) => Ok(session),
            Answer::Complaint(complaint) if complaint.is_of_capacity() => Err(Refusal::Full(complaint.max_sessions)),
            // It has an environment, which has no state before its first episode.
            Answer::Complaint(complaint) if complaint.code == "EXECUTION_ERROR" => Ok(session),
            Answer::Complaint(complaint) => Err(other(complaint.to_string())),
        }
    }

    /// The message that answers a question.
    pub(super) fn ask(&mut self, request: &Request, time_out: Duration) -> Result<Vec<u8>, Trouble> {
        let text = request.text().map_err(Trouble::Hopeless)?;
        if let Some(cause) = &self.ended {
            return Err(Trouble::Breakdown { cause: cause.clone(), hung: false });
        }
        let answer = self.exchange(text, time_out);
        // What comes after it is no answer to what is asked next.
        if let Err(Trouble::Breakdown { cause, .. } | Trouble::Hopeless(cause)) = &answer {
            self.ended = Some(cause.clone());
        }
        answer
    }

    fn exchange(&mut self, text: String, time_out: Duration) -> Result<Vec<u8>, Trouble> {
        self.socket.get_mut().end_at(Instant::now() + time_out);
        self.socket.send(Message::text(text)).map_err(|error| trouble(error, time_out))?;
        loop {
            match self.socket.read().map_err(|error| trouble(error, time_out))? {
                Message::Text(text) => return Ok(text.as_bytes().to_vec()),
                Message::Binary(_) => return Err(Trouble::Hopeless("the server answered with bytes that are no text".into())),
                Message::Close(said) => return Err(Trouble::Breakdown { cause: closed(said), hung: false }),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Answers the server's pings, by which it sees that somebody is there, while nothing is asked.
    pub(super) fn keep(&mut self) {
        const GLANCE: Duration = Duration::from_millis(1);
        while self.ended.is_none() {
            self.socket.get_mut().end_at(Instant::now() + GLANCE);
            match self.socket.read() {
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Close(said)) => self.ended = Some(closed(said)),
                Ok(Message::Text(text)) => self.ended = Some(format!("the server said `{}` unasked", shown(text.as_bytes()))),
                Ok(Message::Binary(_)) => self.ended = Some("the server sent bytes unasked".into()),
                Err(Error::Io(error)) if is_late(&error) => {
                    self.socket.get_mut().end_at(Instant::now() + LEAVE);
                    let _ = self.socket.flush();
                    return;
                }
                Err(error) => {
                    let (Trouble::Breakdown { cause, .. } | Trouble::Hopeless(cause)) = trouble(error, GLANCE);
                    self.ended = Some(cause);
                }
            }
        }
    }
}

impl Drop for Session {
    /// Waits for the server's word that it has closed the session, since until then it counts.
    fn drop(&mut self) {
        if self.ended.is_some() {
            return;
        }
        self.socket.get_mut().end_at(Instant::now() + LEAVE);
        let text = Request::Close.text().unwrap_or_default();
        if self.socket.send(Message::text(text)).is_ok() {
            while !matches!(self.socket.read(), Err(_) | Ok(Message::Close(_))) {}
        }
    }
}

fn late(time_out: Duration) -> String {
    format!("the server did not answer within {} s", time_out.as_secs_f64())
}

fn closed(said: Option<tungstenite::protocol::CloseFrame>) -> String {
    match said {
        Some(frame) if frame.reason.is_empty() => format!("the server closed the session ({})", u16::from(frame.code)),
        Some(frame) => format!("the server closed the session ({}: {})", u16::from(frame.code), shown(frame.reason.as_bytes())),
        None => "the server closed the session".into(),
    }
}

fn trouble(error: Error, time_out: Duration) -> Trouble {
    match error {
        Error::Io(error) if is_late(&error) => Trouble::Breakdown { cause: late(time_out), hung: true },
        Error::Io(error) => Trouble::Breakdown { cause: format!("the connection to the server broke: {error}"), hung: false },
        Error::Capacity(CapacityError::MessageTooLong { size, .. }) => {
            Trouble::Hopeless(format!("the server answered with {size} bytes; a message has at most {MOST_BYTES}"))
        }
        Error::Utf8(_) => Trouble::Hopeless("the server's answer is no UTF-8".into()),
        error => Trouble::Breakdown {
            cause: format!("the connection to the server broke: {}", shown(error.to_string().as_bytes())),
            hung: false,
        },
    }
}
