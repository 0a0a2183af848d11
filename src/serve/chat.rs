//! The messages of a chat as a policy is shown them.

use super::error::ApiError;
use crate::model::pretrained::Anew;
use crate::model::{ChatTemplate, ModelError, Prompt};
use crate::policy::Policy;
use serde_json::Value;

/// How messages become tokens.
pub(super) enum Chat {
    /// Through the model's chat template: without a system message, and with one.
    Template { without: Result<Anew, String>, with: Result<Anew, String> },
    /// Text behind text, as in the conversations of a pipeline.
    Plain,
}

/// A system text, then a user and an assistant in turns; the user speaks first and last.
#[derive(Debug, Default, PartialEq)]
struct Said {
    system: Option<String>,
    asked: Vec<String>,
    answered: Vec<String>,
}

impl Chat {
    pub(super) fn of(policy: &Policy) -> Chat {
        match template(policy) {
            Some(template) => {
                let anew = |system| template.anew(system).map_err(|error: ModelError| error.to_string());
                Chat::Template { without: anew(false), with: anew(true) }
            }
            None => Chat::Plain,
        }
    }

    /// Why there can be no chat with this model.
    pub(super) fn problem(&self) -> Option<&str> {
        match self {
            Chat::Template { without: Err(problem), .. } => Some(problem),
            _ => None,
        }
    }

    /// The tokens of the prompt for the next answer.
    ///
    /// # Errors
    /// If the messages do not take turns, or are none that the template has a place for.
    pub(super) fn prompt(&self, policy: &Policy, messages: &Value) -> Result<Vec<u32>, ApiError> {
        let mut said = read(messages)?;
        let Some((template, Chat::Template { without, with })) = template(policy).map(|template| (template, self)) else {
            return Ok(plain(policy, &said)?);
        };
        let own = policy.published.as_ref().and_then(|published| published.system.clone());
        said.system = said.system.or(own);
        let anew = if said.system.is_some() { with } else { without };
        let anew = anew.as_ref().map_err(|problem| ApiError::field("messages", problem))?;
        let data = |texts: &[String]| texts.iter().map(Prompt::data).collect::<Vec<_>>();
        let (asked, answered) = (data(&said.asked), data(&said.answered));
        let system = said.system.map(Prompt::data);
        let prompt = template.whole(anew, system.as_ref(), &asked.iter().collect::<Vec<_>>(), &answered)?;
        Ok(policy.tokenizer.encode_prompt(&prompt, false)?.0)
    }
}

/// What prompts go through, if they do.
fn template(policy: &Policy) -> Option<&ChatTemplate> {
    policy.published.as_ref().filter(|published| published.chat)?.template.as_ref()
}

/// What the user says stands there as it is, with the system text before the first of it; an answer ends with its end.
fn plain(policy: &Policy, said: &Said) -> Result<Vec<u32>, ModelError> {
    let tokenizer = &policy.tokenizer;
    let mut ids = Vec::new();
    for (turn, asked) in said.asked.iter().enumerate() {
        if let Some(answer) = turn.checked_sub(1).and_then(|before| said.answered.get(before)) {
            ids.extend(tokenizer.encode(answer)?);
            ids.push(tokenizer.end());
        }
        let system = said.system.as_deref().filter(|_| turn == 0).unwrap_or_default();
        ids.extend(tokenizer.encode_prompt(&Prompt::data([system, asked].concat()), turn == 0)?.0);
    }
    Ok(if ids.is_empty() { vec![tokenizer.end()] } else { ids })
}

fn read(messages: &Value) -> Result<Said, ApiError> {
    let wrong = |message: String| ApiError::field("messages", message);
    let Some(list) = messages.as_array().filter(|list| !list.is_empty()) else {
        return Err(wrong("`messages` takes a list of messages, `{\"role\": \"user\", \"content\": \"…\"}`".into()));
    };
    let mut said = Said::default();
    for (number, message) in list.iter().enumerate() {
        let content = content(message).ok_or_else(|| {
            wrong(format!("the `content` of message {number} takes a string, or a list of `{{\"type\": \"text\", \"text\": \"…\"}}`"))
        })?;
        let users_turn = said.asked.len() == said.answered.len();
        match message.get("role").and_then(Value::as_str) {
            Some("system" | "developer") if number == 0 => said.system = Some(content),
            Some("user") if users_turn => said.asked.push(content),
            Some("assistant") if !users_turn => said.answered.push(content),
            Some(role @ ("system" | "developer" | "user" | "assistant")) => {
                let message = "after a system message, if there is one, user and assistant take turns";
                return Err(wrong(format!("message {number} is of `{role}`, where there can be none: {message}")));
            }
            Some(role) => return Err(wrong(format!("message {number} is of `{role}`; there are `system`, `user` and `assistant`"))),
            None => return Err(wrong(format!("message {number} has no `role`"))),
        }
    }
    match said.asked.len() == said.answered.len() {
        true => Err(wrong("the last message has to be the user's".into())),
        false => Ok(said),
    }
}

/// A text, or parts that are texts.
fn content(message: &Value) -> Option<String> {
    let part = |part: &Value| part.get("text").filter(|_| part.get("type").is_some_and(|kind| kind == "text"))?.as_str().map(str::to_owned);
    match message.get("content")? {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => parts.iter().map(part).collect::<Option<Vec<_>>>().map(|parts| parts.concat()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(roles: &[&str]) -> Result<Said, String> {
        let list: Vec<Value> = roles.iter().map(|role| json!({ "role": role, "content": format!("<{role}>") })).collect();
        read(&list.into()).map_err(|error| error.message)
    }

    #[test]
    fn messages_take_turns() {
        let all = said(&["developer", "user", "assistant", "user"]).unwrap();
        assert_eq!(all.system.as_deref(), Some("<developer>"));
        assert_eq!((all.asked, all.answered), (vec!["<user>".to_string(); 2], vec!["<assistant>".to_string()]));
        for wrong in [&["assistant"][..], &["user", "user"], &["user", "system"], &["system", "assistant"]] {
            assert!(said(wrong).unwrap_err().contains("where there can be none"), "{wrong:?}");
        }
        assert_eq!(said(&["user", "assistant"]).unwrap_err(), "the last message has to be the user's");
        assert_eq!(said(&["system"]).unwrap_err(), "the last message has to be the user's");
        assert_eq!(said(&["tool"]).unwrap_err(), "message 0 is of `tool`; there are `system`, `user` and `assistant`");
        assert!(said(&[]).unwrap_err().contains("a list of messages"));
    }

    #[test]
    fn a_content_is_a_text_or_parts() {
        let parts = json!({ "content": [{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }] });
        assert_eq!(content(&parts).as_deref(), Some("ab"));
        for wrong in [json!({}), json!({ "content": null }), json!({ "content": [{ "type": "image_url" }] }), json!({ "content": 3 })] {
            assert_eq!(content(&wrong), None);
        }
    }
}
