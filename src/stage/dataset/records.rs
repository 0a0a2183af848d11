//! Lines of files as episodes.

use super::messages::{Chat, Form};
use crate::rollout::Episode;
use serde::de::DeserializeOwned;

/// How much is said of what is wrong with a line.
const SAID: usize = 300;

/// An episode of the project's own files.
///
/// # Errors
/// What is wrong with the line.
pub(super) fn own(line: &[u8]) -> Result<Episode, String> {
    let episode: Episode = parsed(line)?;
    if episode.conversation.as_ref().is_some_and(|begun| begun.system.is_some() && begun.system().is_none()) {
        return Err("`system_data` does not fit its `system`".into());
    }
    if let Some(at) = episode.turns.iter().position(|turn| turn.prompt.is_some() && turn.shown().is_none()) {
        return Err(format!("turn {}: `prompt_data` does not fit its `prompt`", at + 1));
    }
    with_turns(episode)
}

/// A chat. `id`: what its task is called.
///
/// # Errors
/// What is wrong with the line.
pub(super) fn chat(line: &[u8], number: u64, id: String, form: Form) -> Result<Episode, String> {
    of_chat(parsed(line)?, number, id, form)
}

/// As [`chat`], of one that was read otherwise.
///
/// # Errors
/// What is wrong with it.
pub(super) fn of_chat(chat: Chat, number: u64, id: String, form: Form) -> Result<Episode, String> {
    chat.episode(number, id, form).map_err(bounded).and_then(with_turns)
}

fn with_turns(episode: Episode) -> Result<Episode, String> {
    match episode.turns.is_empty() {
        true => Err("an episode without turns".into()),
        false => Ok(episode),
    }
}

fn parsed<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    if line.trim_ascii().is_empty() {
        return Err("there is nothing".into());
    }
    serde_json::from_slice(line).map_err(|error| {
        let text = error.to_string();
        // The line is that of the file, and a parser of one line does not know which.
        let place = format!(" at line {} column {}", error.line(), error.column());
        match text.strip_suffix(&place) {
            Some(problem) => bounded(format!("column {}: {problem}", error.column())),
            None => bounded(text),
        }
    })
}

fn bounded(text: String) -> String {
    match text.char_indices().nth(SAID) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::play::Past;
    use crate::rollout::{Conversation, Turn};
    use serde_json::Value;
    use std::collections::BTreeSet;

    /// The blocks of the page with this word behind `json`, each as a line of a file.
    fn examples(page: &str, word: &str) -> Vec<Value> {
        let mark = format!("```json {word}\n");
        let parts = page.split(&mark).skip(1);
        parts.map(|part| serde_json::from_str(part.split("```").next().unwrap()).unwrap()).collect()
    }

    fn names(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                into.insert(name.clone());
                names(value, into);
            }),
            Value::Array(items) => items.iter().for_each(|item| names(item, into)),
            _ => {}
        }
    }

    #[test]
    fn the_page_has_every_field_with_examples_that_are_read() {
        let page = include_str!("../../../docs/episodes.md");
        let (episodes, chats) = (examples(page, "episodes"), examples(page, "messages"));
        assert_eq!((episodes.len(), chats.len()), (2, 1));
        let mut shown = BTreeSet::new();
        for example in &episodes {
            let read = own(example.to_string().as_bytes()).unwrap_or_else(|problem| panic!("{problem}"));
            assert_eq!(serde_json::to_value(&read).unwrap(), *example);
            names(example, &mut shown);
        }
        // A type says which fields it has when it is given another one.
        let fields = |error: serde_json::Error| -> BTreeSet<String> {
            let text = error.to_string();
            let (_, known) = text.split_once("expected ").unwrap();
            known.split('`').skip(1).step_by(2).map(String::from).collect()
        };
        let other = r#"{"?":0}"#;
        let mut all = fields(serde_json::from_str::<Episode>(other).unwrap_err());
        all.extend(fields(serde_json::from_str::<Turn>(other).unwrap_err()));
        all.extend(fields(serde_json::from_str::<Conversation>(other).unwrap_err()));
        assert!(all.len() > 25);
        for name in &all {
            assert!(shown.contains(name), "no example has `{name}`");
        }
        for name in &shown {
            assert!(page.contains(&format!("`{name}`")), "no table has `{name}`");
        }
        let form = Form { max_tokens: 2048, past: Past::Sampled };
        let read = chat(chats[0].to_string().as_bytes(), 0, "a:1".into(), form).unwrap();
        assert_eq!(read.turns.len(), 2);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_column() {
        let own = |line: &str| own(line.as_bytes()).map(|_| ());
        let chat = |line: &str| chat(line.as_bytes(), 0, "a:1".into(), Form { max_tokens: 9, past: Past::Sampled }).map(|_| ());
        let wrong = |text: &str| Err(text.to_string());
        assert_eq!(own(" \t"), wrong("there is nothing"));
        assert_eq!(own("{\"task\":"), wrong("column 8: EOF while parsing a value"));
        assert_eq!(own("{}"), wrong("column 2: missing field `task`"));
        assert_eq!(own("{\"taks\":1}").unwrap_err().split_once(", expected").unwrap().0, "column 7: unknown field `taks`");
        assert_eq!(chat("{\"messages\":[]}"), wrong("an episode without turns"));
        assert_eq!(chat("{\"messages\":[{\"role\":\"user\"}]}"), wrong("column 28: missing field `content`"));
        let extra = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\",\"weight\":0}]}";
        assert_eq!(chat(extra), wrong("column 50: unknown field `weight`, expected `role` or `content`"));
        assert_eq!(
            chat("{\"messages\":[{\"role\":\"user\",\"content\":7}]}"),
            wrong("column 39: invalid type: integer `7`, expected a string")
        );
        let long = format!("{{\"messages\":[{{\"role\":\"{}\",\"content\":\"a\"}}]}}", "x".repeat(5000));
        assert_eq!(chat(&long).unwrap_err().chars().count(), SAID + 1);
    }
}
