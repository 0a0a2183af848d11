//! Chat templates: Jinja, as models are published with.

use crate::model::ModelError;
use minijinja::{Environment, Error, ErrorKind};
use serde::{Deserialize, Serialize};

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user`, `assistant`.
    pub role: String,
    /// Text; special tokens in it mean nothing.
    pub content: String,
}

impl Message {
    /// Of a role and a content.
    pub fn new(role: &str, content: &str) -> Message {
        Message { role: role.into(), content: content.into() }
    }
}

/// A template with the tokens it may name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatTemplate {
    /// In Jinja.
    pub source: String,
    /// Begins a text; may be empty.
    pub bos_token: String,
    /// Ends a message; may be empty.
    pub eos_token: String,
}

impl ChatTemplate {
    /// The text that asks for the next message.
    ///
    /// # Errors
    /// What is wrong with the template, with its line.
    pub fn render(&self, messages: &[Message]) -> Result<String, ModelError> {
        self.try_render(messages).map_err(|error| {
            let line = error.line().map_or(String::new(), |line| format!(" in line {line}"));
            let what = error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
            ModelError::Template(format!("the chat template has a mistake{line}: {what}"))
        })
    }

    fn try_render(&self, messages: &[Message]) -> Result<String, Error> {
        let mut environment = Environment::new();
        // As transformers sets Jinja up.
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        // No `strftime_now`: a prompt must not depend on the day. Templates ask whether it is there.
        environment.add_function("raise_exception", |message: String| -> Result<String, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        environment.add_template("chat", &self.source)?;
        environment.get_template("chat")?.render(minijinja::context! {
            messages => messages,
            add_generation_prompt => true,
            bos_token => self.bos_token,
            eos_token => self.eos_token,
        })
    }
}
