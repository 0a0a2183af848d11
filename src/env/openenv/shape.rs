//! What of a server's objects is text for a player, and how a player's text becomes an action.

use serde_json::{Map, Value};

/// Where in objects of any form the things are that players have. A key may lead into an object: `state.board`; into a list by number: `moves.0`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shape {
    /// The observation's key for the text; none: the whole observation, as JSON.
    pub text: Option<String>,
    /// The observation's key for the goal in words; none: there are no words for it.
    pub goal: Option<String>,
    /// The observation's key for the list of actions that are possible; none: they are not listed.
    pub admissible: Option<String>,
    /// The observation's keys for texts that prompts may have.
    pub placeholders: Vec<String>,
    /// The action's key for a player's text; none: the text is the whole action, as JSON.
    pub action: Option<String>,
    /// Whether a player's text under that key is read as JSON, where it is JSON.
    pub action_is_json: bool,
    /// What every action has too.
    pub action_with: Map<String, Value>,
    /// What every reset has too.
    pub reset_with: Map<String, Value>,
    /// The reset's key for the task's number.
    pub task: String,
}

/// Said where a text is empty.
const NOTHING: &str = "(nothing)";

impl Shape {
    /// What a player reads of an observation.
    ///
    /// # Errors
    /// If the key is not there.
    pub(super) fn text(&self, observation: &Map<String, Value>) -> Result<String, String> {
        let text = match &self.text {
            Some(key) => plain(found(observation, key)?),
            None => serde_json::to_string(observation).map_err(|error| error.to_string())?,
        };
        Ok(if text.is_empty() { NOTHING.into() } else { text })
    }

    /// # Errors
    /// If the key is not there.
    pub(super) fn goal(&self, observation: &Map<String, Value>) -> Result<String, String> {
        self.goal.as_ref().map_or(Ok(String::new()), |key| found(observation, key).map(plain))
    }

    /// Sorted, each once.
    ///
    /// # Errors
    /// If the key is not there, or leads to no list.
    pub(super) fn admissible(&self, observation: &Map<String, Value>) -> Result<Vec<String>, String> {
        let Some(key) = &self.admissible else { return Ok(Vec::new()) };
        let Value::Array(items) = found(observation, key)? else { return Err(format!("the observation's `{key}` is no list")) };
        let mut actions: Vec<String> = items.iter().map(plain).collect();
        actions.sort_unstable();
        actions.dedup();
        Ok(actions)
    }

    /// # Errors
    /// If the key is not there.
    pub(super) fn placeholder(&self, observation: &Map<String, Value>, name: &str) -> Result<String, String> {
        found(observation, name).map(plain)
    }

    /// The action of a player's text; none: the text is no such action.
    pub(super) fn action(&self, text: &str) -> Option<Map<String, Value>> {
        let mut action = self.action_with.clone();
        match &self.action {
            Some(key) => {
                let json = if self.action_is_json { serde_json::from_str(text).ok() } else { None };
                action.insert(key.clone(), json.unwrap_or_else(|| text.into()));
            }
            None => action.extend(serde_json::from_str::<Map<String, Value>>(text).ok()?),
        }
        Some(action)
    }

    /// What a reset has: the task's number under its key, and the seed of the episode where that is another one.
    pub(super) fn reset(&self, number: u64, seed: u64) -> Map<String, Value> {
        let mut reset = self.reset_with.clone();
        reset.insert("seed".into(), seed.into());
        reset.insert(self.task.clone(), number.into());
        reset
    }
}

fn found<'a>(object: &'a Map<String, Value>, key: &str) -> Result<&'a Value, String> {
    // As it stands, before it is taken apart.
    if let Some(value) = object.get(key) {
        return Ok(value);
    }
    let mut parts = key.split('.');
    let first = parts.next().and_then(|part| object.get(part));
    let value = parts.fold(first, |value, part| match value? {
        Value::Object(object) => object.get(part),
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    });
    value.ok_or_else(|| {
        let keys: Vec<String> = object.keys().take(20).map(|key| crate::env::shown::shown(key.as_bytes())).collect();
        format!("the observation has no `{key}`; it has `{}`", keys.join("`, `"))
    })
}

/// A text as it is; all else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(object) => object,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn observations_of_any_form_become_text() {
        let observation = object(
            json!({ "said": "Hm.", "board": { "rows": [[1, 2], []] }, "a.b": 7, "empty": "", "none": null, "moves": ["b", "a", 3, "a"] }),
        );
        let text = |key: Option<&str>| Shape { text: key.map(str::to_owned), ..Shape::default() }.text(&observation);
        assert_eq!(text(Some("said")), Ok("Hm.".into()));
        assert_eq!(text(Some("board.rows.0")), Ok("[1,2]".into()));
        assert_eq!(text(Some("a.b")), Ok("7".into()));
        assert_eq!((text(Some("empty")), text(Some("none"))), (Ok(NOTHING.into()), Ok(NOTHING.into())));
        assert_eq!(
            text(Some("board.cells")),
            Err("the observation has no `board.cells`; it has `said`, `board`, `a.b`, `empty`, `none`, `moves`".into())
        );
        assert!(text(None).unwrap().starts_with(r#"{"said":"Hm.","board":{"rows":[[1,2],[]]}"#));
        let listed = |key: &str| Shape { admissible: Some(key.into()), ..Shape::default() }.admissible(&observation);
        assert_eq!(listed("moves"), Ok(vec!["3".into(), "a".into(), "b".into()]));
        assert_eq!(listed("said"), Err("the observation's `said` is no list".into()));
    }

    #[test]
    fn texts_become_actions() {
        let with = object(json!({ "tool": "say" }));
        let shape = |key: Option<&str>, json: bool| Shape {
            action: key.map(str::to_owned),
            action_is_json: json,
            action_with: with.clone(),
            ..Shape::default()
        };
        let action = |key, json, text| shape(key, json).action(text).map(|action| Value::Object(action).to_string());
        assert_eq!(action(Some("words"), false, "3").unwrap(), r#"{"tool":"say","words":"3"}"#);
        assert_eq!(action(Some("words"), true, "[3]").unwrap(), r#"{"tool":"say","words":[3]}"#);
        assert_eq!(action(Some("words"), true, "up [").unwrap(), r#"{"tool":"say","words":"up ["}"#);
        assert_eq!(action(None, false, r#"{"x":1}"#).unwrap(), r#"{"tool":"say","x":1}"#);
        assert_eq!(action(None, false, "[1]"), None);
    }

    #[test]
    fn a_task_is_a_seed_or_has_a_key_of_its_own() {
        let shape = |task: &str| Shape { task: task.into(), reset_with: object(json!({ "hard": true })), ..Shape::default() };
        assert_eq!(Value::Object(shape("seed").reset(7, 99)).to_string(), r#"{"hard":true,"seed":7}"#);
        assert_eq!(Value::Object(shape("level").reset(7, 99)).to_string(), r#"{"hard":true,"seed":99,"level":7}"#);
    }
}
