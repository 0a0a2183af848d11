//! Chat templates: Jinja, as models are published with.

use super::conversation::{Anew, Appended, Rehearsal};
use super::date::formatted;
use super::frame::Frame;
use crate::model::fence::on_stack;
use crate::model::{ModelError, Prompt};
use minijinja::{Environment, Error, ErrorKind, Value};
use regex::{Captures, Regex};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::sync::LazyLock;

/// The longest template that is read; published ones have up to 30 KiB.
const LONGEST: usize = 32 << 10;
/// The longest text that one may write beyond what its messages hold.
const OUTPUT: usize = 16 << 20;
/// Steps that a template may take, and more for each message.
const STEPS: u64 = 100_000;
const STEPS_OF_A_MESSAGE: u64 = 10_000;
/// A template of [`LONGEST`] bytes nests no deeper than fits on this stack, and one of so many steps builds nothing deeper.
const STACK: usize = 256 << 20;

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user`, `assistant`.
    pub role: String,
    /// Text.
    pub content: String,
}

impl Message {
    /// Of a role and a content.
    pub fn new(role: &str, content: &str) -> Message {
        Message { role: role.into(), content: content.into() }
    }
}

/// A template with the tokens it may name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChatTemplate {
    /// In Jinja.
    pub source: String,
    /// Begins a text; empty where the model names none.
    pub bos_token: String,
    /// Ends a message; empty where the model names none.
    pub eos_token: String,
    /// What else a pipeline tells it: `enable_thinking = false`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, serde_json::Value>,
    /// The day that it is told, `2026-11-28`; without one it is told none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
}

impl ChatTemplate {
    /// Of a text and of the tokens that begin a text and end a message, where there are such.
    pub fn new(source: String, bos_token: Option<String>, eos_token: Option<String>) -> ChatTemplate {
        let [bos_token, eos_token] = [bos_token, eos_token].map(Option::unwrap_or_default);
        ChatTemplate { source, bos_token, eos_token, ..ChatTemplate::default() }
    }

    /// The text that asks for the next message.
    ///
    /// # Errors
    /// What is wrong with the template, with its line; or that it asks for more than a prompt can need.
    pub fn render(&self, messages: &[Message]) -> Result<String, ModelError> {
        if self.source.len() > LONGEST {
            let message = format!("the chat template has {} bytes; up to {LONGEST} are read", self.source.len());
            return Err(ModelError::Template(message));
        }
        let rendered = on_stack(STACK, || self.try_render(messages).map_err(|error| self.explained(&error)));
        rendered.map_err(|panic| ModelError::Template(format!("the chat template cannot be filled in: {panic}")))?
    }

    /// The prompt of one message of the user's, behind a system message if there is one, with a gap for what the user says.
    ///
    /// # Errors
    /// As [`ChatTemplate::render`]; or if the template leaves a message out, or changes it.
    pub(crate) fn frame(&self, system: Option<&str>) -> Result<Frame, ModelError> {
        Frame::of(system, |messages| self.render(messages))
    }

    /// What it puts around the messages of a conversation that is only appended to, with a system message in front or without.
    ///
    /// # Errors
    /// As [`ChatTemplate::frame`]; or if it writes what is past in another way than before.
    pub(crate) fn appended(&self, system: bool) -> Result<Appended, ModelError> {
        Appended::of(&Rehearsal { render: &|messages| self.render(messages), system })
    }

    /// For conversations whose every prompt is made anew.
    ///
    /// # Errors
    /// As [`ChatTemplate::frame`].
    pub(crate) fn anew(&self, system: bool) -> Result<Anew, ModelError> {
        Anew::of(&Rehearsal { render: &|messages| self.render(messages), system })
    }

    /// The prompt of a conversation in which the user spoke last, made anew.
    ///
    /// # Errors
    /// As [`ChatTemplate::frame`].
    pub(crate) fn whole(
        &self,
        anew: &Anew,
        system: Option<&Prompt>,
        messages: &[&Prompt],
        answers: &[Prompt],
    ) -> Result<Prompt, ModelError> {
        anew.fill(&|messages| self.render(messages), system, messages, answers)
    }

    fn try_render(&self, messages: &[Message]) -> Result<String, Error> {
        let mut environment = Environment::new();
        // As transformers sets Jinja up.
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |message: String| -> Result<String, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        // A prompt must not depend on the day. Templates ask whether the function is there.
        if let Some(date) = self.date.clone() {
            environment.add_function("strftime_now", move |format: String| formatted(&date, &format));
        }
        environment.set_fuel(Some(STEPS + STEPS_OF_A_MESSAGE * messages.len() as u64));
        let source = without_generation(&self.source);
        environment.add_template("chat", &source)?;
        if let Some(name) = self.unknown_token(&environment.get_template("chat")?.undeclared_variables(false)) {
            let message = format!("it writes `{name}`, and no file of the model says which token that is");
            environment.set_formatter(move |out, state, value| match value.is_undefined() {
                true => Err(Error::new(ErrorKind::UndefinedError, message.clone())),
                false => minijinja::escape_formatter(out, state, value),
            });
        }
        let mut context: BTreeMap<&str, Value> =
            self.arguments.iter().map(|(name, value)| (name.as_str(), Value::from_serialize(value))).collect();
        context.insert("messages", Value::from_serialize(messages));
        context.insert("add_generation_prompt", true.into());
        context.extend(self.tokens().filter(|(_, token)| !token.is_empty()).map(|(name, token)| (name, token.into())));
        let given: usize = messages.iter().map(|message| message.content.len()).sum();
        let mut out = Bounded { text: Vec::new(), most: OUTPUT + 4 * given };
        environment.get_template("chat")?.render_captured_to(context, &mut out)?;
        String::from_utf8(out.text).map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
    }

    fn tokens(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [("bos_token", self.bos_token.as_str()), ("eos_token", self.eos_token.as_str())].into_iter()
    }

    /// One that the template names and the model does not have.
    fn unknown_token(&self, named: &HashSet<String>) -> Option<&'static str> {
        self.tokens().find(|(name, token)| token.is_empty() && named.contains(*name)).map(|(name, _)| name)
    }

    fn explained(&self, error: &Error) -> ModelError {
        let line = error.line().map_or(String::new(), |line| format!(" in line {line}"));
        let what = match error.kind() {
            ErrorKind::OutOfFuel => "it takes more steps than a prompt can need".into(),
            ErrorKind::UnknownFunction if self.source.contains("strftime_now") && self.date.is_none() => {
                "it asks for the day (`strftime_now`), on which results must not depend; fix one, `date = \"2026-11-28\"`".into()
            }
            ErrorKind::WriteFailure => std::error::Error::source(error).map_or_else(|| error.kind().to_string(), ToString::to_string),
            kind => error.detail().map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}")),
        };
        ModelError::Template(format!("the chat template has a mistake{line}: {what}"))
    }
}

/// `{% generation %}` and its end mark what a trainer learns from, and print nothing.
fn without_generation(source: &str) -> String {
    static TAGS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(\{%[-+]?\s*)(end)?generation(\s*[-+]?%\})").ok());
    match &*TAGS {
        Some(tags) => tags.replace_all(source, |tag: &Captures<'_>| match tag.get(2) {
            Some(_) => format!("{}endif{}", &tag[1], &tag[3]),
            None => format!("{}if true{}", &tag[1], &tag[3]),
        }),
        None => source.into(),
    }
    .into_owned()
}

/// Ends a text that grows without bound.
struct Bounded {
    text: Vec<u8>,
    most: usize,
}

impl Write for Bounded {
    fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
        if self.text.len() + part.len() > self.most {
            return Err(std::io::Error::other(format!("it writes more than {} MiB", self.most >> 20)));
        }
        self.text.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
