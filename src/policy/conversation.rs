//! A policy in a conversation: the tokens of what is said to it.

use super::live::Policy;
use crate::model::pretrained::{Anew, Appended};
use crate::model::{ChatTemplate, ModelError, Prompt};

/// What a conversation asks of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Talk {
    /// Whether it has a system text of its own.
    pub system: bool,
    /// Whether what is past is written anew by the chat template.
    pub anew: bool,
}

/// How the messages of a conversation become tokens.
#[derive(Debug)]
pub(crate) struct Listener<'a> {
    policy: &'a Policy,
    form: Form<'a>,
    /// The system text that the policy itself has.
    system: Option<Prompt>,
}

#[derive(Debug)]
enum Form<'a> {
    /// Text behind text.
    Plain,
    Appended(Box<Appended>),
    Anew(Anew, &'a ChatTemplate),
}

/// A message behind an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Said {
    /// With what ends the answer before, where a chat template writes that.
    pub ids: Vec<u32>,
    /// How many of them end the answer; an answer that ended so itself needs them no more.
    pub closing: usize,
}

impl Talk {
    /// Whether a conversation can be held through a chat template, or without one; `system`: the model's own.
    ///
    /// # Errors
    /// Why it cannot.
    pub(super) fn suits(self, template: Option<&ChatTemplate>, system: Option<&str>) -> Result<(), ModelError> {
        self.form(template, system).map(|_| ())
    }

    fn form<'a>(self, template: Option<&'a ChatTemplate>, system: Option<&str>) -> Result<Form<'a>, ModelError> {
        if self.system && system.is_some() {
            let message = "the model and its conversation both have a text for the system message; leave out one of the two `system`";
            return Err(ModelError::input(message));
        }
        let system = self.system || system.is_some();
        Ok(match template {
            Some(template) if self.anew => Form::Anew(template.anew(system)?, template),
            Some(template) => Form::Appended(Box::new(template.appended(system)?)),
            None if self.anew => {
                let message = "`past = template` asks a chat template for what is past, and this policy reads plain text; leave `past` out";
                return Err(ModelError::input(message));
            }
            None => Form::Plain,
        })
    }
}

impl Policy {
    /// The policy as it listens to a conversation.
    ///
    /// # Errors
    /// If its chat template cannot hold one.
    pub(crate) fn listener(&self, talk: Talk) -> Result<Listener<'_>, ModelError> {
        let published = self.published.as_ref().filter(|published| published.chat);
        let system = published.and_then(|published| published.system.as_deref());
        let form = talk.form(published.and_then(|published| published.template.as_ref()), system)?;
        Ok(Listener { policy: self, form, system: system.map(Prompt::own) })
    }
}

impl Listener<'_> {
    pub(crate) fn policy(&self) -> &Policy {
        self.policy
    }

    /// Whether every prompt is made anew, by [`Self::whole`].
    pub(crate) fn is_anew(&self) -> bool {
        matches!(self.form, Form::Anew(..))
    }

    /// All before the first answer; not empty.
    ///
    /// # Errors
    /// If it cannot be encoded.
    pub(crate) fn opening(&self, system: Option<&Prompt>, message: &Prompt) -> Result<Vec<u32>, ModelError> {
        let tokenizer = &self.policy.tokenizer;
        let Form::Appended(frame) = &self.form else {
            let mut text = system.cloned().unwrap_or_default();
            text.append(message);
            let ids = tokenizer.encode_prompt(&text, true)?.0;
            return Ok(if ids.is_empty() { vec![tokenizer.end()] } else { ids });
        };
        Ok(tokenizer.encode_prompt(&frame.opening(system.or(self.system.as_ref()), message), false)?.0)
    }

    /// What stands between an answer and the next one.
    ///
    /// # Errors
    /// If it cannot be encoded.
    pub(crate) fn next(&self, message: &Prompt) -> Result<Said, ModelError> {
        let tokenizer = &self.policy.tokenizer;
        let Form::Appended(frame) = &self.form else {
            return Ok(Said { ids: tokenizer.encode_prompt(message, false)?.0, closing: 0 });
        };
        let ids = tokenizer.encode_prompt(&frame.next(message), false)?.0;
        let between = tokenizer.encode_marked(frame.between())?;
        let end = between.iter().position(|id| tokenizer.stops().contains(id)).map_or(0, |at| at + 1);
        let closing = if ids.get(..end) == between.get(..end) { end } else { 0 };
        Ok(Said { ids, closing })
    }

    /// The prompt of all that was said, as the chat template writes it from nothing.
    ///
    /// # Errors
    /// If the template cannot be filled in.
    pub(crate) fn whole(&self, system: Option<&Prompt>, messages: &[&Prompt], answers: &[&[u32]]) -> Result<Vec<u32>, ModelError> {
        let Form::Anew(anew, template) = &self.form else { return Err(ModelError::input("this conversation is appended to")) };
        let tokenizer = &self.policy.tokenizer;
        let answers = answers.iter().map(|ids| tokenizer.decode_prompt(ids)).collect::<Result<Vec<_>, _>>()?;
        let prompt = template.whole(anew, system.or(self.system.as_ref()), messages, &answers)?;
        Ok(tokenizer.encode_prompt(&prompt, false)?.0)
    }
}
