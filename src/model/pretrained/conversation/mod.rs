//! Conversations through a chat template. While Jinja is at work, a mark stands for each message, so that no text out of an environment can turn
//! the template, and every message is found where the template put it.

mod anew;
mod appended;
#[cfg(test)]
mod tests;

pub(crate) use anew::Anew;
pub(crate) use appended::Appended;

use super::Message;
use super::frame::Frame;
use crate::model::{ModelError, Prompt};

/// What fills a template in.
pub(super) type Render<'r> = &'r dyn Fn(&[Message]) -> Result<String, ModelError>;

/// The characters that stand for messages: a private area of Unicode that no template looks into.
const FIRST_MARK: u32 = 0x10_0000;
const MOST_MARKS: u32 = 0xFFF0;

/// A system message if there is one, then a user and an assistant in turns; the user speaks first and last.
pub(super) struct Rehearsal<'r> {
    pub render: Render<'r>,
    pub system: bool,
}

/// Whether blanks at the start and at the end of a message are taken off.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Trims {
    system: (bool, bool),
    first: (bool, bool),
    later: (bool, bool),
}

impl Trims {
    fn system(self, message: Option<&Prompt>) -> Prompt {
        message.map(|message| message.trimmed(self.system.0, self.system.1)).unwrap_or_default()
    }

    /// Of a turn, from 0.
    fn said(self, turn: usize, message: &Prompt) -> Prompt {
        let (start, end) = if turn == 0 { self.first } else { self.later };
        message.trimmed(start, end)
    }
}

fn mark(message: usize) -> Result<char, ModelError> {
    let number = u32::try_from(message).ok().filter(|number| *number < MOST_MARKS);
    let mark = number.and_then(|number| char::from_u32(FIRST_MARK + number));
    mark.ok_or_else(|| {
        ModelError::Template(format!("a conversation of {message} messages is longer than a chat template is filled in with"))
    })
}

fn is_mark(c: char) -> bool {
    (FIRST_MARK..FIRST_MARK + MOST_MARKS).contains(&u32::from(c))
}

impl Rehearsal<'_> {
    /// The number of the user's message in a turn, from 0; the answer is the next one.
    fn asked(&self, turn: usize) -> usize {
        usize::from(self.system) + 2 * turn
    }

    fn role(&self, message: usize) -> &'static str {
        match message.checked_sub(usize::from(self.system)) {
            None => "system",
            Some(number) if number % 2 == 0 => "user",
            Some(_) => "assistant",
        }
    }

    fn what(&self, message: usize) -> &'static str {
        match self.role(message) {
            "system" => "the system message",
            "user" => "what the user says",
            _ => "what the assistant said",
        }
    }

    /// What the template writes of so many turns; `said` may put a text in the place of a message's mark.
    fn text(&self, turns: usize, said: &dyn Fn(usize) -> Option<String>) -> Result<String, ModelError> {
        let message = |number| {
            let content = said(number).map_or_else(|| mark(number).map(String::from), Ok)?;
            Ok(Message::new(self.role(number), &content))
        };
        (self.render)(&(0..self.asked(turns) - 1).map(message).collect::<Result<Vec<_>, ModelError>>()?)
    }

    /// What the template writes before, between and behind these messages, each of which has to stand there once.
    fn split(&self, text: &str, messages: impl Iterator<Item = usize>) -> Result<Vec<String>, ModelError> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        for message in messages {
            let mark = mark(message)?;
            let Some((before, behind)) = rest.split_once(mark).filter(|_| text.matches(mark).count() == 1) else {
                let how = match (text.matches(mark).count(), self.what(message)) {
                    (0, what) => format!("leaves out {what}"),
                    (1, what) => format!("writes {what} before what was said earlier"),
                    (times, what) => format!("writes {what} {times} times"),
                };
                return Err(ModelError::Template(format!("the chat template {how}; a prompt has to hold every message once, in order")));
            };
            pieces.push(before.to_string());
            rest = behind;
        }
        pieces.push(rest.to_string());
        Ok(pieces)
    }

    /// [`Self::split`] with a mark for every message.
    fn pieces(&self, turns: usize) -> Result<Vec<String>, ModelError> {
        self.split(&self.text(turns, &|_| None)?, 0..self.asked(turns) - 1)
    }

    /// What becomes of the blanks around messages.
    ///
    /// # Errors
    /// If the template leaves one out or changes it.
    fn trims(&self) -> Result<Trims, ModelError> {
        let of = |message: usize| {
            let said = |text: &str| self.text(2, &|number| (number == message).then(|| text.to_string()));
            Ok::<_, ModelError>(Frame::around(self.what(message), said)?.trims())
        };
        let system = if self.system { of(0)? } else { (false, false) };
        Ok(Trims { system, first: of(self.asked(0))?, later: of(self.asked(1))? })
    }
}
