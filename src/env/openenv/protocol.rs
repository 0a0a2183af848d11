//! The messages of OpenEnv's sessions: `docs/openenv.md` has a conversation.

use crate::env::shown::shown;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// Of one message, in either direction.
pub const MOST_BYTES: usize = 1 << 20;

/// What is asked of a server.
#[derive(Debug, Serialize)]
#[serde(tag = "type", content = "data", rename_all = "lowercase")]
pub(super) enum Request {
    Reset(Map<String, Value>),
    Step(Map<String, Value>),
    State,
    Close,
}

impl Request {
    /// # Errors
    /// If it is too long.
    pub(super) fn text(&self) -> Result<String, String> {
        let text = serde_json::to_string(self).map_err(|error| error.to_string())?;
        match text.len() {
            0..=MOST_BYTES => Ok(text),
            length => Err(format!("a message of {length} bytes is too long; it has at most {MOST_BYTES}")),
        }
    }
}

/// What a server answers.
#[derive(Debug)]
pub(super) enum Answer {
    Observation(Seen),
    State,
    Complaint(Complaint),
}

/// The answer to `reset` and to `step`.
#[derive(Debug, Deserialize)]
pub(super) struct Seen {
    pub observation: Map<String, Value>,
    #[serde(default, deserialize_with = "reward")]
    pub reward: f64,
    #[serde(default)]
    pub done: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Complaint {
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub code: String,
    /// Sessions that the server allows, where that is the complaint.
    pub max_sessions: Option<u64>,
    #[serde(default)]
    errors: Vec<Mistake>,
}

/// What is wrong with a field of what was asked.
#[derive(Debug, Deserialize)]
struct Mistake {
    #[serde(default)]
    loc: Vec<Value>,
    #[serde(default)]
    msg: String,
}

impl Complaint {
    pub(super) fn is_of_capacity(&self) -> bool {
        self.code == "CAPACITY_REACHED"
    }

    /// Whether it is that what was asked has the wrong form.
    pub(super) fn is_of_form(&self) -> bool {
        self.code == "VALIDATION_ERROR"
    }

    /// What is wrong with the form.
    pub(super) fn mistakes(&self) -> String {
        let place =
            |mistake: &Mistake| mistake.loc.iter().map(|at| at.as_str().map_or_else(|| at.to_string(), str::to_owned)).collect::<Vec<_>>();
        let lines: Vec<String> = self.errors.iter().map(|mistake| format!("{}: {}", place(mistake).join("."), mistake.msg)).collect();
        if lines.is_empty() { self.message.clone() } else { lines.join("; ") }
    }
}

impl std::fmt::Display for Complaint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the server says: {} ({})", shown(self.message.as_bytes()), shown(self.code.as_bytes()))
    }
}

/// A number, or whether there is one, or nothing.
fn reward<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(0.0),
        Value::Bool(is) => Ok(f64::from(is)),
        other => other.as_f64().ok_or_else(|| serde::de::Error::custom("`reward` is no number")),
    }
}

/// A message as what it is.
///
/// # Errors
/// In what it is no answer.
pub(super) fn read(message: &[u8]) -> Result<Answer, String> {
    #[derive(Deserialize)]
    struct Message {
        r#type: String,
        #[serde(default)]
        data: Value,
    }
    let wrong = |why: &str| format!("the server answered `{}`, which is no answer: {why}", shown(message));
    let Message { r#type, data } = serde_json::from_slice(message).map_err(|error| wrong(&error.to_string()))?;
    match r#type.as_str() {
        "observation" => serde_json::from_value(data).map(Answer::Observation).map_err(|error| wrong(&error.to_string())),
        "error" => serde_json::from_value(data).map(Answer::Complaint).map_err(|error| wrong(&error.to_string())),
        "state" => Ok(Answer::State),
        other => Err(wrong(&format!("its type is `{}`", shown(other.as_bytes())))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn messages_are_those_of_the_protocol() {
        let Value::Object(data) = json!({ "seed": 3 }) else { panic!("an object") };
        assert_eq!(Request::Reset(data.clone()).text().unwrap(), r#"{"type":"reset","data":{"seed":3}}"#);
        assert_eq!(Request::Step(data).text().unwrap(), r#"{"type":"step","data":{"seed":3}}"#);
        assert_eq!(Request::State.text().unwrap(), r#"{"type":"state"}"#);
        assert_eq!(Request::Close.text().unwrap(), r#"{"type":"close"}"#);
        let long = Map::from_iter([("a".to_owned(), Value::from("x".repeat(MOST_BYTES)))]);
        assert!(Request::Step(long).text().unwrap_err().contains("is too long; it has at most 1048576"));
    }

    #[test]
    fn rewards_are_numbers_or_as_good_as() {
        let reward = |reward: Value| {
            let message = json!({ "type": "observation", "data": { "observation": {}, "reward": reward, "done": true } });
            match read(message.to_string().as_bytes()) {
                Ok(Answer::Observation(seen)) => Ok(seen.reward),
                other => Err(format!("{other:?}")),
            }
        };
        assert_eq!((reward(json!(null)), reward(json!(true)), reward(json!(-2.5))), (Ok(0.0), Ok(1.0), Ok(-2.5)));
        assert!(reward(json!("much")).unwrap_err().contains("`reward` is no number"));
    }

    #[test]
    fn what_is_no_answer_is_shown() {
        let said = |message: &str| read(message.as_bytes()).unwrap_err();
        assert!(said("\u{1b}[31mGateway").starts_with("the server answered `\\u{1b}[31mGateway`, which is no answer: "));
        assert!(said(r#"{"type":"news"}"#).ends_with("its type is `news`"));
        assert!(said(r#"{"type":"observation","data":{"observation":"x"}}"#).contains("invalid type: string \"x\", expected a map"));
    }

    #[test]
    fn complaints() {
        let message = r#"{"type":"error","data":{"message":"Invalid message","code":"VALIDATION_ERROR","errors":[{"type":"t","loc":["a",0],"msg":"too short","input":""}]}}"#;
        let Ok(Answer::Complaint(complaint)) = read(message.as_bytes()) else { panic!("a complaint") };
        assert!(complaint.is_of_form() && !complaint.is_of_capacity());
        assert_eq!(complaint.mistakes(), "a.0: too short");
        assert_eq!(complaint.to_string(), "the server says: Invalid message (VALIDATION_ERROR)");
    }
}
