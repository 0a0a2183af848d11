//! `conversation { … }`: a prompt that grows.

use super::prompt::{Form, Moment, PromptKind};
use super::template::Template;
use crate::kind::{Count, Reader};
use crate::lang::value::{Component, Value};
use crate::model::Prompt;
use crate::{kind, words};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The placeholders that a message may have in every environment.
const PLACEHOLDERS: [&str; 5] = ["task", "observation", "admissible", "count", "turn"];

words! {
    /// What is done when a conversation is full.
    pub(crate) enum Full {
        /// The episode ends.
        Truncate = "truncate",
        /// The oldest turns behind the first are dropped.
        Forget = "forget",
    }
}

words! {
    /// What stands in a prompt of the turns before.
    pub(crate) enum Past {
        /// The tokens that were.
        Sampled = "sampled",
        /// What the chat template makes of them now.
        Template = "template",
    }
}

/// How long a conversation may be, and what then; kept with episodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// Of a prompt.
    pub max_tokens: usize,
    pub full: Full,
    pub past: Past,
    /// Whether a system text stands before the first message.
    pub system: bool,
}

kind! {
    /// The whole conversation: every prompt is the one before, the response as it was sampled, and a message about what came of it. What stands
    /// there never changes, so each turn is computed and learned from with the very tokens that were played.
    ///
    /// Placeholders: `{task}`, `{observation}`, `{admissible}` (comma-separated), `{count}` (turns so far), `{turn}` (from 1).
    ///
    /// A chat model gets its messages through its chat template; elsewhere text stands behind text. A template that writes what is past in another way
    /// than before, by leaving out thoughts or blanks, is refused: `past = template` goes along with it.
    ///
    /// ```epo
    /// prompt begin = """
    /// Your task: {task}
    /// {observation}
    /// """
    /// house = household {
    ///   prompt = conversation { system = "You play in a text world.", first = begin, then = "{observation}", max_tokens = 1500, full = forget }
    ///   train  = games { split = "train" }
    /// }
    /// ```
    pub(crate) struct Conversation as "conversation" {
        /// The first message.
        first: Template [required],
        /// The message of every later turn.
        then: Template [default Template::of("observation")],
        /// What stands before the first message: a chat model's system message. Filled in once, in the first turn.
        system: Option<Template> [default None],
        /// The most tokens of a prompt.
        max_tokens: Count<16_777_216> [default Count(2048)],
        /// What is done when the next prompt would have more. `truncate`: the episode ends there, as at `max_turns`. `forget`: of the turns behind the
        /// first, the oldest are dropped, until a quarter of the prompt is free.
        full: Full [default Full::Truncate],
        /// What stands there of earlier turns. `sampled`: the tokens as they were. `template`: what the chat template makes of the conversation in every
        /// turn anew, for templates that write what is past in another way.
        past: Past [default Past::Sampled],
    }
}

pub(super) fn read(_: &Arc<Value>, component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<dyn PromptKind>> {
    reader.refuse_unknown(component, &[&Conversation::INFO], |_| false);
    let read = Conversation::read_fields(component, reader)?;
    let refused = read.templates().into_iter().filter(|template| {
        let message = "has no place in a conversation, whose prompts hold all that was said";
        template.refuse_holes(
            &["response", "history", "earlier"],
            message,
            "leave it out; `windowed` makes every prompt anew and has it",
            reader,
        )
    });
    (refused.count() == 0).then(|| Arc::new(read) as Arc<dyn PromptKind>)
}

impl PromptKind for Conversation {
    fn render(&self, moment: &Moment<'_>) -> Prompt {
        let template = if moment.history.is_empty() { &self.first } else { &self.then };
        template.render(|hole| moment.fill(hole))
    }

    fn form(&self) -> Form {
        let Self { max_tokens, full, past, system, .. } = self;
        Form::Conversation(Limits { max_tokens: max_tokens.0, full: *full, past: *past, system: system.is_some() })
    }

    fn templates(&self) -> Vec<&Template> {
        self.system.iter().chain([&self.first, &self.then]).collect()
    }

    fn placeholders(&self) -> &'static [&'static str] {
        &PLACEHOLDERS
    }

    fn system(&self, first: &Moment<'_>) -> Option<Prompt> {
        Some(self.system.as_ref()?.render(|hole| first.fill(hole)))
    }
}
