//! What lanes are given to do, and what they say of it.

use crate::model::{Finish, Likely, Sampling};
use tokio::sync::mpsc::UnboundedSender;

/// A prompt to be answered once.
#[derive(Debug)]
pub(super) struct Job {
    pub prompt: Vec<u32>,
    pub sampling: Sampling,
    pub max_tokens: usize,
    /// Texts that end the response; they are no part of it.
    pub stop: Vec<String>,
    pub seed: u64,
    /// How many of the likeliest tokens are told in the place of each; `None`: not even the log-probability of the token itself.
    pub likely: Option<usize>,
    /// Whether each token is told as it comes, or all at the end.
    pub streams: bool,
    /// Which of the request's responses it is.
    pub index: usize,
    /// Closed when nobody listens any more.
    pub to: UnboundedSender<Heard>,
}

/// What is heard of the response with this number.
#[derive(Debug)]
pub(super) struct Heard {
    pub index: usize,
    pub news: News,
}

#[derive(Debug)]
pub(super) enum News {
    Piece(Piece),
    End {
        finish: Finish,
        /// Of the response, the one that ended it included.
        tokens: usize,
    },
    Failed(String),
    /// The server is being stopped.
    Stopping,
}

/// A part of a response.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub text: String,
    /// Where log-probabilities were asked for.
    pub tokens: Vec<Token>,
}

#[derive(Debug)]
pub(super) struct Token {
    pub id: u32,
    pub likely: Likely,
    /// Characters of the response before it.
    pub offset: usize,
}

impl Job {
    /// Whether nobody listens any more.
    pub(super) fn is_left(&self) -> bool {
        self.to.is_closed()
    }

    pub(super) fn tell(&self, news: News) {
        // Who went away need not hear it.
        let _ = self.to.send(Heard { index: self.index, news });
    }
}
