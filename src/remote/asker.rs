//! Questions to a server, each answered once: what was answered is recorded before it is used.

use super::client::{Client, Trouble};
use super::protocol::{Answer, Manner, Message, read};
use crate::env::Server;
use crate::lang::on_one_line;
use crate::store::Answers;
use serde::{Deserialize, Serialize};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The first pause before a request is sent again; each is twice the one before.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often nonsense is asked for again.
const NONSENSE_AGAIN: usize = 2;

/// What may be asked for in one task, over all attempts; `None`: as much as it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Budget {
    pub requests: Option<u64>,
    /// Of prompts and answers together, as the server counts.
    pub tokens: Option<u64>,
}

/// Why nothing more is asked; what was answered is recorded.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Stopped(String);

/// A line of the record.
#[derive(Serialize, Deserialize)]
struct Line {
    /// The hash of the whole request, but for where it is sent and with which key.
    request: String,
    #[serde(flatten)]
    heard: Heard,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Heard {
    Answer(Answer),
    /// What the server answered that is no answer.
    Refused(String),
}

/// May be used from many threads.
#[derive(Debug)]
pub(crate) struct Asker {
    name: String,
    client: Client,
    manner: Manner,
    budget: Budget,
    at_once: usize,
    retries: usize,
    answers: Answers,
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Recorded, of this attempt and of earlier ones.
    requests: u64,
    answered: u64,
    tokens: u64,
    /// Of this attempt.
    asked: u64,
    taken: u64,
    without_logprobs: u64,
    /// Counted, and not yet recorded. One that fails ends the asking.
    under_way: u64,
    stop: Option<Stopped>,
}

impl Asker {
    /// `name`: of the server, in settings. `open` gives the record, and tells the lines that it has.
    ///
    /// # Errors
    /// In words: if the key is not where settings say, or the record cannot be opened.
    pub(crate) fn new<E: std::fmt::Display>(
        (name, server): (&str, &Server),
        manner: Manner,
        budget: Budget,
        open: impl FnOnce(&mut dyn FnMut(&[u8])) -> Result<Answers, E>,
    ) -> Result<Self, String> {
        let client = Client::new(server, server.time_out).map_err(|why| format!("the endpoint `{name}`: {why}"))?;
        let mut state = State::default();
        let answers = open(&mut |line| state.count(line)).map_err(|error| error.to_string())?;
        Ok(Self {
            name: name.to_owned(),
            client,
            manner,
            budget,
            at_once: server.at_once,
            retries: server.retries,
            answers,
            state: Mutex::new(state),
            stopped: Condvar::new(),
        })
    }

    pub(crate) fn manner(&self) -> &Manner {
        &self.manner
    }

    /// The most questions at a time.
    pub(crate) fn at_once(&self) -> usize {
        self.at_once
    }

    /// The answer; an inner error: what the server said that is none, which is the question's own fault.
    ///
    /// # Errors
    /// If nothing more is to be asked.
    pub(crate) fn ask(&self, messages: &[Message], seed: u64) -> Result<Result<Answer, String>, Stopped> {
        let body = self.manner.body(messages, seed).map_err(|error| Stopped(error.to_string()))?;
        let request = blake3::Hasher::new_derive_key("epo endpoint request 1").update(&body).finalize().to_hex().to_string();
        if let Some(line) = self.answers.get(&request).map_err(|error| self.stop(error.to_string()))?
            && let Ok(Line { heard, .. }) = serde_json::from_slice(&line)
        {
            self.state().taken += 1;
            return Ok(heard.into_answer());
        }
        self.enter()?;
        let heard = self.heard(&body)?;
        self.record(Line { request, heard })
    }

    /// What is to be said of all that was asked.
    pub(crate) fn summary(&self) -> Vec<String> {
        let State { asked, taken, tokens, without_logprobs, .. } = &*self.state();
        let counted = if *tokens > 0 { format!("; {tokens} tokens in all") } else { String::new() };
        let mut said = vec![format!("the endpoint `{}`: {asked} requests sent, {taken} answered from the record{counted}", self.name)];
        if *without_logprobs > 0 {
            said.push(format!("the endpoint `{}` gave no log-probabilities with {without_logprobs} answers", self.name));
        }
        said
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request before it is sent.
    fn enter(&self) -> Result<(), Stopped> {
        let mut state = self.state();
        if let Some(stop) = &state.stop {
            return Err(stop.clone());
        }
        let Budget { requests, tokens } = self.budget;
        let used = |what: &str, most: u64| {
            let begun = state.requests + state.under_way;
            format!(
                "the budget of the endpoint `{}` is used up: {begun} requests, {} tokens; `{what}` is {most}; what was answered is kept: with a higher `{what}` the same command goes on from there",
                self.name, state.tokens
            )
        };
        let over = match (requests, tokens) {
            (Some(most), _) if state.requests + state.under_way >= most => Some(used("requests", most)),
            (_, Some(most)) if state.tokens >= most => Some(used("tokens", most)),
            _ => None,
        };
        if let Some(why) = over {
            drop(state);
            return Err(self.stop_as(why));
        }
        state.under_way += 1;
        state.asked += 1;
        Ok(())
    }

    /// Asks until there is something to be recorded.
    fn heard(&self, body: &[u8]) -> Result<Heard, Stopped> {
        let (mut tries, mut nonsense) = (0, 0);
        loop {
            let heard = self.client.post("/chat/completions", body).map(|bytes| read(&bytes));
            let (why, wish) = match heard {
                Ok(Ok(answer)) => return Ok(Heard::Answer(answer)),
                Ok(Err(why)) if nonsense >= NONSENSE_AGAIN.min(self.retries) => return self.refused(why),
                Err(Trouble::Refused(why)) => return self.refused(why),
                Err(Trouble::Hopeless(why)) => return Err(self.stop(why)),
                Ok(Err(why)) => {
                    nonsense += 1;
                    (why, None)
                }
                Err(Trouble::Passing(why, wish)) => (why, wish),
            };
            if tries >= self.retries {
                return Err(self.stop(match tries {
                    0 => why,
                    tries => format!("{why} (asked {} times)", tries + 1),
                }));
            }
            self.pause((PAUSE * 2_u32.saturating_pow(tries.min(16) as u32)).min(LONGEST_PAUSE).max(wish.unwrap_or_default()))?;
            tries += 1;
        }
    }

    /// A question's own fault, if the server answers others. Otherwise nobody would want results that are all failures.
    fn refused(&self, why: String) -> Result<Heard, Stopped> {
        let answers_others = self.state().answered > 0;
        let why = on_one_line(&self.hidden(&why)).into_owned();
        if answers_others { Ok(Heard::Refused(format!("the endpoint `{}`: {why}", self.name))) } else { Err(self.stop(why)) }
    }

    fn record(&self, line: Line) -> Result<Result<Answer, String>, Stopped> {
        let bytes = serde_json::to_vec(&line).map_err(|error| self.stop(error.to_string()))?;
        if self.client.key().is_some_and(|key| key.is_in(&String::from_utf8_lossy(&bytes))) {
            return Err(self.stop("it has written its key into an answer, which is not kept".into()));
        }
        if let (Heard::Answer(Answer { usage: None, .. }), Some(_)) = (&line.heard, self.budget.tokens) {
            return Err(self.stop("it does not say how many tokens an answer took, so there can be no budget of `tokens`".into()));
        }
        self.answers.put(&line.request, &bytes).map_err(|error| self.stop_as(error.to_string()))?;
        let mut state = self.state();
        state.count(&bytes);
        state.under_way -= 1;
        if let (Heard::Answer(Answer { logprobs: None, .. }), true) = (&line.heard, self.manner.logprobs) {
            state.without_logprobs += 1;
        }
        Ok(line.heard.into_answer())
    }

    /// Waits, if nobody stops.
    fn pause(&self, time: Duration) -> Result<(), Stopped> {
        let end = Instant::now() + time;
        let mut state = self.state();
        loop {
            if let Some(stop) = &state.stop {
                return Err(stop.clone());
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            state = self.stopped.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn stop(&self, why: String) -> Stopped {
        let kept = "what was answered is kept: the same command goes on from there";
        self.stop_as(format!("the endpoint `{}`: {}; {kept}", self.name, self.hidden(&why)))
    }

    /// Nobody asks any more. The first reason counts.
    fn stop_as(&self, why: String) -> Stopped {
        let stop = self.state().stop.get_or_insert(Stopped(why)).clone();
        self.stopped.notify_all();
        stop
    }

    fn hidden(&self, why: &str) -> String {
        self.client.key().map_or_else(|| why.to_owned(), |key| key.hidden_in(why))
    }
}

impl Heard {
    fn into_answer(self) -> Result<Answer, String> {
        match self {
            Self::Answer(answer) => Ok(answer),
            Self::Refused(why) => Err(why),
        }
    }
}

impl State {
    /// A recorded line.
    fn count(&mut self, line: &[u8]) {
        let Ok(Line { heard, .. }) = serde_json::from_slice(line) else { return };
        self.requests += 1;
        if let Heard::Answer(answer) = heard {
            self.answered += 1;
            self.tokens += answer.usage.map_or(0, |usage| usage.total());
        }
    }
}
