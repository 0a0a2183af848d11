//! An answer as it comes: server-sent events.

use super::answer::Answer;
use super::error::ApiError;
use super::job::{Heard, News};
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hyper::body::{Bytes, Frame};
use serde_json::Value;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, Sleep, sleep_until};

/// What is yet to be sent, and where more comes from. Dropped with its connection, which its jobs then hear of.
struct Events {
    answer: Answer,
    heard: UnboundedReceiver<Heard>,
    late: Pin<Box<Sleep>>,
    seconds: f64,
    usage: bool,
    lines: VecDeque<Bytes>,
    over: bool,
}

/// The response whose body is the answer; given up at a moment, `seconds` behind its beginning.
pub(super) fn response(
    answer: Answer,
    heard: UnboundedReceiver<Heard>,
    usage: bool,
    responses: usize,
    (until, seconds): (Instant, f64),
) -> Response {
    let late = Box::pin(sleep_until(until));
    let mut events = Events { answer, heard, late, seconds, usage, lines: VecDeque::new(), over: false };
    (0..responses).filter_map(|index| events.answer.first_chunk(index)).collect::<Vec<_>>().iter().for_each(|chunk| events.say(chunk));
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    (headers, Body::new(events)).into_response()
}

impl Events {
    fn say(&mut self, value: &Value) {
        self.lines.push_back(format!("data: {value}\n\n").into());
    }

    fn hear(&mut self, heard: Heard) {
        let chunk = match &heard.news {
            News::Piece(piece) => self.answer.chunk_of(heard.index, piece),
            News::End { finish, .. } => Some(self.answer.last_chunk(heard.index, *finish)),
            News::Failed(_) | News::Stopping => None,
        };
        if let Some(chunk) = chunk {
            self.say(&chunk);
        }
        // The whole is not kept, only what ended and what was used.
        let kept = match heard.news {
            News::Piece(_) => return,
            news => Heard { news, ..heard },
        };
        if let Err(error) = self.answer.hear(kept) {
            return self.fail(&error);
        }
        if self.answer.is_whole() {
            if self.usage {
                self.say(&self.answer.usage_chunk());
            }
            self.lines.push_back("data: [DONE]\n\n".into());
            self.over = true;
        }
    }

    fn fail(&mut self, error: &ApiError) {
        self.say(&error.json());
        self.over = true;
    }
}

impl hyper::body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(line))));
            }
            if self.over {
                return Poll::Ready(None);
            }
            if self.late.as_mut().poll(context).is_ready() {
                let error = ApiError::out_of_time(self.seconds);
                self.fail(&error);
                continue;
            }
            match ready!(self.heard.poll_recv(context)) {
                Some(heard) => self.hear(heard),
                None => self.fail(&ApiError::broken("the answer was given up")),
            }
        }
    }
}
