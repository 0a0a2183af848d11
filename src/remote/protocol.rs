//! What is sent and what comes back: the part of OpenAI's chat completions that is used here.

use super::client::shown;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    System,
    User,
    Assistant,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Message {
    pub role: Role,
    pub content: String,
}

/// What all requests of a stage have in common.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Manner {
    pub model: String,
    pub temperature: f64,
    pub top_p: Option<f64>,
    /// This and the next are no part of OpenAI's protocol; several servers know them.
    pub top_k: Option<usize>,
    pub min_p: Option<f64>,
    pub max_tokens: usize,
    pub stop: Vec<String>,
    /// Whether the log-probability of every token is asked for.
    pub logprobs: bool,
}

/// In this order: its hash is what an answer is found by.
#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: &'a [Message],
    max_tokens: usize,
    temperature: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_p: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    logprobs: bool,
    seed: i64,
}

impl Manner {
    /// The body of a request. A seed's 64 bits are sent as a signed number, which is what the protocol has.
    pub(super) fn body(&self, messages: &[Message], seed: u64) -> Result<Vec<u8>, serde_json::Error> {
        let Self { model, temperature, top_p, top_k, min_p, max_tokens, stop, logprobs } = self;
        serde_json::to_vec(&Body {
            model,
            messages,
            max_tokens: *max_tokens,
            temperature: *temperature,
            top_p: *top_p,
            top_k: *top_k,
            min_p: *min_p,
            stop,
            logprobs: *logprobs,
            seed: seed as i64,
        })
    }

    /// What of an answer is the response: servers that do not know `stop` write on behind it.
    pub(crate) fn response<'t>(&self, text: &'t str) -> &'t str {
        let end = self.stop.iter().filter_map(|stop| text.find(stop)).min();
        &text[..end.unwrap_or(text.len())]
    }
}

/// Tokens, as the server counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Usage {
    pub prompt: u64,
    pub completion: u64,
}

impl Usage {
    pub(crate) fn total(self) -> u64 {
        self.prompt.saturating_add(self.completion)
    }
}

/// As it is recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub text: String,
    /// Whether it ended for want of room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// What the server calls the model that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Each token with its log-probability, where these were asked for and given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<Vec<(String, f64)>>,
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
    model: Option<String>,
    usage: Option<Counted>,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
    finish_reason: Option<String>,
    logprobs: Option<Logprobs>,
}

#[derive(Deserialize)]
struct Said {
    content: Option<String>,
}

#[derive(Deserialize)]
struct Logprobs {
    content: Option<Vec<Token>>,
}

#[derive(Deserialize)]
struct Token {
    token: String,
    /// `null` of some servers where it is no number.
    logprob: Option<f64>,
}

#[derive(Deserialize)]
struct Counted {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

/// # Errors
/// In what it is no answer, in words.
pub(super) fn read(bytes: &[u8]) -> Result<Answer, String> {
    let completion: Completion = serde_json::from_slice(bytes).map_err(|error| format!("`{}` is no answer: {error}", shown(bytes)))?;
    let choice = completion.choices.into_iter().next().ok_or("its answer has no `choices`")?;
    let text = choice.message.content.ok_or_else(|| format!("`{}` is an answer without a text", shown(bytes)))?;
    let logprobs = choice.logprobs.and_then(|given| given.content);
    Ok(Answer {
        text,
        cut: choice.finish_reason.as_deref() == Some("length"),
        model: completion.model,
        usage: completion.usage.map(|counted| Usage { prompt: counted.prompt_tokens, completion: counted.completion_tokens }),
        logprobs: logprobs.and_then(|tokens| tokens.into_iter().map(|Token { token, logprob }| Some((token, logprob?))).collect()),
    })
}

/// The models that a server has.
#[derive(Deserialize)]
struct Models {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
}

/// # Errors
/// In what it is no list of models, in words.
pub(super) fn models(bytes: &[u8]) -> Result<Vec<String>, String> {
    let models: Models = serde_json::from_slice(bytes).map_err(|_| format!("`{}` is no list of models", shown(bytes)))?;
    Ok(models.data.into_iter().map(|model| model.id).collect())
}

/// What a server says in a refusal: its `error.message`, `error` or `message`; else the beginning of it.
pub(super) fn complaint(body: &[u8]) -> String {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let said = [&json["error"]["message"], &json["error"], &json["message"], &json["detail"]].into_iter().find_map(|value| value.as_str());
    shown(said.map_or(body, str::as_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manner() -> Manner {
        let stop = vec!["\n".to_owned(), "END".to_owned()];
        Manner { model: "m".into(), temperature: 0.4, top_p: None, top_k: None, min_p: None, max_tokens: 8, stop, logprobs: false }
    }

    #[test]
    fn a_request_has_what_was_declared_and_nothing_else() {
        let messages = [Message { role: Role::System, content: "s".into() }, Message { role: Role::User, content: "\u{fc}".into() }];
        let body = |manner: &Manner, seed| String::from_utf8(manner.body(&messages, seed).unwrap()).unwrap();
        let said = r#"[{"role":"system","content":"s"},{"role":"user","content":"ü"}]"#;
        assert_eq!(
            body(&manner(), u64::MAX),
            format!(r#"{{"model":"m","messages":{said},"max_tokens":8,"temperature":0.4,"stop":["\n","END"],"seed":-1}}"#)
        );
        let all = Manner { stop: Vec::new(), logprobs: true, top_p: Some(0.9), top_k: Some(3), min_p: Some(0.1), ..manner() };
        assert!(body(&all, 7).ends_with(r#","temperature":0.4,"top_p":0.9,"top_k":3,"min_p":0.1,"logprobs":true,"seed":7}"#));
    }

    #[test]
    fn a_response_ends_before_the_first_stop() {
        assert_eq!(manner().response("go END\nx"), "go ");
        assert_eq!(manner().response("go"), "go");
    }

    #[test]
    fn answers_and_what_is_none() {
        let answer = read(br#"{"choices":[{"message":{"content":"a"},"finish_reason":"length","logprobs":{"content":[{"token":"a","logprob":-0.5,"top":1}]}}],
            "usage":{"prompt_tokens":3,"completion_tokens":1},"model":"m-1"}"#);
        let usage = Some(Usage { prompt: 3, completion: 1 });
        let logprobs = Some(vec![("a".to_owned(), -0.5)]);
        assert_eq!(answer, Ok(Answer { text: "a".into(), cut: true, model: Some("m-1".into()), usage, logprobs }));
        let plain = read(br#"{"choices":[{"message":{"content":""},"finish_reason":"stop","logprobs":null}]}"#).unwrap();
        assert_eq!(plain, Answer { text: String::new(), cut: false, model: None, usage: None, logprobs: None });
        assert!(read(b"<html>\x1b[2J").unwrap_err().starts_with("`<html>\u{fffd}[2J` is no answer: "));
        assert_eq!(read(br#"{"choices":[]}"#).unwrap_err(), "its answer has no `choices`");
        assert!(read(br#"{"choices":[{"message":{"content":null}}]}"#).unwrap_err().ends_with(" is an answer without a text"));
    }

    #[test]
    fn complaints() {
        assert_eq!(complaint(br#"{"error":{"message":"too long","code":400}}"#), "too long");
        assert_eq!(complaint(br#"{"error":"busy"}"#), "busy");
        assert_eq!(complaint(b"no\x07 way"), "no\u{fffd} way");
        assert_eq!(models(br#"{"object":"list","data":[{"id":"a"},{"id":"b"}]}"#).unwrap(), ["a", "b"]);
        assert_eq!(models(b"[]").unwrap_err(), "`[]` is no list of models");
    }
}
