//! What was said in an episode, as a policy is shown it: the tokens of a conversation, to which each turn is appended.

use super::deal::{RolloutError, Shown, most_tokens};
use crate::model::{ModelError, Prompt};
use crate::play::{Full, Limits, Past};
use crate::policy::{Listener, Talk};

/// The part of a prompt that is free again when the oldest turns were dropped: prompts are then appended to for many turns.
const FREE: usize = 4;

/// What a conversation asks of a policy.
pub(crate) fn talk(limits: &Limits) -> Talk {
    Talk { system: limits.system, anew: limits.past == Past::Template }
}

/// A message of the environment's and what was answered.
#[derive(Clone, Debug, Default)]
struct Exchange {
    message: Prompt,
    /// The tokens of the message, and how many of them end the answer before; none where prompts are made anew.
    ids: Vec<u32>,
    closing: usize,
    /// As it was sampled, with the token that ended it.
    answer: Vec<u32>,
}

/// The conversation of an episode so far.
#[derive(Clone, Debug)]
pub(crate) struct Dialogue {
    limits: Limits,
    system: Option<Prompt>,
    exchanges: Vec<Exchange>,
    forgot: bool,
}

impl Dialogue {
    /// Without a word.
    pub(crate) fn new(limits: Limits) -> Dialogue {
        Dialogue { limits, system: None, exchanges: Vec::new(), forgot: false }
    }

    /// What stands before the first message.
    pub(crate) fn begin(&mut self, system: Option<Prompt>) {
        self.system = system;
    }

    /// Adds a message and gives the prompt for its answer, to which `room` tokens are left; `None` where the conversation is full.
    ///
    /// # Errors
    /// If the first message alone is too long, or the context leaves no room for any prompt.
    pub(crate) fn ask(&mut self, listener: &Listener<'_>, message: &Prompt, room: usize) -> Result<Option<Shown>, RolloutError> {
        let most = most_tokens(listener.policy(), self.limits.max_tokens, room)?;
        let mut exchange = Exchange { message: message.clone(), ..Exchange::default() };
        match (listener.is_anew(), self.exchanges.is_empty()) {
            (true, _) => {}
            (false, true) => exchange.ids = listener.opening(self.system.as_ref(), message)?,
            (false, false) => {
                let said = listener.next(message)?;
                (exchange.ids, exchange.closing) = (said.ids, said.closing);
            }
        }
        self.exchanges.push(exchange);
        let mut ids = self.ids(listener)?;
        if ids.len() > most && self.exchanges.len() == 1 {
            return Err(RolloutError::Unplayable(self.too_long(ids.len(), most, room)));
        }
        if ids.len() > most && self.limits.full == Full::Forget {
            // The first turn stays, and every answer stands behind what it answers.
            while self.exchanges.len() > 2 && ids.len() > most - most / FREE {
                self.exchanges.remove(1);
                self.forgot = true;
                ids = self.ids(listener)?;
            }
        }
        Ok((ids.len() <= most).then_some(Shown { ids, cut: self.forgot }))
    }

    /// The tokens of the answer to the last message.
    pub(crate) fn answer(&mut self, tokens: &[u32]) {
        if let Some(last) = self.exchanges.last_mut() {
            last.answer = tokens.to_vec();
        }
    }

    fn ids(&self, listener: &Listener<'_>) -> Result<Vec<u32>, ModelError> {
        if listener.is_anew() {
            let messages: Vec<&Prompt> = self.exchanges.iter().map(|exchange| &exchange.message).collect();
            let answers: Vec<&[u32]> = self.exchanges.iter().map(|exchange| exchange.answer.as_slice()).collect();
            return listener.whole(self.system.as_ref(), &messages, &answers[..answers.len().saturating_sub(1)]);
        }
        let mut ids: Vec<u32> = Vec::new();
        for Exchange { ids: message, closing, answer, .. } in &self.exchanges {
            // What ends the answer is there already, unless it was cut.
            let ended = *closing > 0 && ids.last() == message.get(closing - 1);
            ids.extend(&message[if ended { *closing } else { 0 }..]);
            ids.extend(answer);
        }
        Ok(ids)
    }

    fn too_long(&self, tokens: usize, most: usize, room: usize) -> String {
        let (limit, change) = match self.limits.max_tokens <= most {
            true => (format!("`max_tokens` of the conversation is {most}"), "raise it"),
            false => (format!("the context leaves {most} beside a response of {room}"), "raise the policy's `context`"),
        };
        format!("the first prompt of a conversation has {tokens} tokens, and {limit}; {change}, or say less in `system` and `first`")
    }
}
