//! Responses in the words of the protocol: whole, and piece by piece.

use super::body::Form;
use super::error::ApiError;
use super::job::{Heard, News, Piece, Token};
use crate::model::{Finish, Tokenizer};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// What all parts of an answer have in common.
pub(super) struct Answer {
    form: Form,
    id: String,
    created: u64,
    model: String,
    tokenizer: Arc<Tokenizer>,
    likely: bool,
    prompt_tokens: usize,
    /// Of all responses so far.
    tokens: usize,
    choices: Vec<Choice>,
}

#[derive(Default)]
struct Choice {
    text: String,
    tokens: Vec<Token>,
    finish: Option<Finish>,
}

/// The least that a log-probability is told as: JSON has no infinity.
const LEAST: f32 = -9999.0;

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

impl Answer {
    pub(super) fn new(form: Form, model: &str, tokenizer: &Arc<Tokenizer>, likely: bool, prompt_tokens: usize, responses: usize) -> Answer {
        let prefix = if form == Form::Chat { "chatcmpl" } else { "cmpl" };
        // Only a name: without randomness all are the same.
        let id = format!("{prefix}-{:016x}", getrandom::u64().unwrap_or(0));
        let choices = (0..responses).map(|_| Choice::default()).collect();
        let (model, tokenizer) = (model.to_owned(), tokenizer.clone());
        Answer { form, id, created: now(), model, tokenizer, likely, prompt_tokens, tokens: 0, choices }
    }

    /// Takes what was heard into the whole.
    ///
    /// # Errors
    /// If there will be no answer.
    pub(super) fn hear(&mut self, heard: Heard) -> Result<(), ApiError> {
        let Some(choice) = self.choices.get_mut(heard.index) else { return Ok(()) };
        match heard.news {
            News::Piece(piece) => {
                choice.text.push_str(&piece.text);
                choice.tokens.extend(piece.tokens);
            }
            News::End { finish, tokens } => {
                choice.finish = Some(finish);
                self.tokens += tokens;
            }
            News::Failed(message) => return Err(ApiError::broken(message)),
            News::Stopping => return Err(ApiError::stopping()),
        }
        Ok(())
    }

    /// Whether all responses are there.
    pub(super) fn is_whole(&self) -> bool {
        self.choices.iter().all(|choice| choice.finish.is_some())
    }

    fn object(&self, kind: &str, choices: Vec<Value>) -> Map<String, Value> {
        let Value::Object(mut object) = json!({ "id": self.id, "object": kind, "created": self.created, "model": self.model }) else {
            return Map::new();
        };
        object.insert("choices".into(), choices.into());
        object
    }

    fn usage(&self) -> Value {
        let (prompt, tokens) = (self.prompt_tokens, self.tokens);
        json!({ "prompt_tokens": prompt, "completion_tokens": tokens, "total_tokens": prompt + tokens })
    }

    pub(super) fn whole(&self) -> Value {
        let choice = |(index, choice): (usize, &Choice)| match self.form {
            Form::Chat => json!({
                "index": index,
                "message": { "role": "assistant", "content": choice.text, "refusal": null },
                "logprobs": self.logprobs(&choice.tokens),
                "finish_reason": reason(choice.finish),
            }),
            Form::Completion => json!({
                "index": index,
                "text": choice.text,
                "logprobs": self.logprobs(&choice.tokens),
                "finish_reason": reason(choice.finish),
            }),
        };
        let kind = if self.form == Form::Chat { "chat.completion" } else { "text_completion" };
        let mut object = self.object(kind, self.choices.iter().enumerate().map(choice).collect());
        object.insert("usage".into(), self.usage());
        object.into()
    }

    fn chunk(&self, choices: Vec<Value>) -> Map<String, Value> {
        self.object(if self.form == Form::Chat { "chat.completion.chunk" } else { "text_completion" }, choices)
    }

    /// What a stream of this response begins with.
    pub(super) fn first_chunk(&self, index: usize) -> Option<Value> {
        let delta = json!({ "role": "assistant", "content": "", "refusal": null });
        let choice = json!({ "index": index, "delta": delta, "logprobs": null, "finish_reason": null });
        (self.form == Form::Chat).then(|| self.chunk(vec![choice]).into())
    }

    pub(super) fn chunk_of(&self, index: usize, piece: &Piece) -> Option<Value> {
        if piece.text.is_empty() && piece.tokens.is_empty() {
            return None;
        }
        let logprobs = self.logprobs(&piece.tokens);
        let choice = match self.form {
            Form::Chat => json!({ "index": index, "delta": { "content": piece.text }, "logprobs": logprobs, "finish_reason": null }),
            Form::Completion => json!({ "index": index, "text": piece.text, "logprobs": logprobs, "finish_reason": null }),
        };
        Some(self.chunk(vec![choice]).into())
    }

    pub(super) fn last_chunk(&self, index: usize, finish: Finish) -> Value {
        let finish = reason(Some(finish));
        let choice = match self.form {
            Form::Chat => json!({ "index": index, "delta": {}, "logprobs": null, "finish_reason": finish }),
            Form::Completion => json!({ "index": index, "text": "", "logprobs": null, "finish_reason": finish }),
        };
        self.chunk(vec![choice]).into()
    }

    /// What a stream ends with, where it is asked for.
    pub(super) fn usage_chunk(&self) -> Value {
        let mut chunk = self.chunk(Vec::new());
        chunk.insert("usage".into(), self.usage());
        chunk.into()
    }

    fn logprobs(&self, tokens: &[Token]) -> Value {
        match self.form {
            _ if !self.likely => Value::Null,
            Form::Chat => {
                let entry = |id: u32, logp: f32| json!({ "token": self.token(id), "logprob": logp.max(LEAST), "bytes": self.bytes(id) });
                let content = tokens.iter().map(|token| {
                    let mut content = entry(token.id, token.likely.logp);
                    content["top_logprobs"] = token.likely.most.iter().map(|(id, logp)| entry(*id, *logp)).collect();
                    content
                });
                json!({ "content": content.collect::<Vec<_>>(), "refusal": null })
            }
            Form::Completion => {
                // The token itself is among the likeliest, whether or not it is one of them.
                let most = |token: &Token| {
                    let all = token.likely.most.iter().copied().chain([(token.id, token.likely.logp)]);
                    Value::Object(all.map(|(id, logp)| (self.token(id), json!(logp.max(LEAST)))).collect())
                };
                json!({
                    "tokens": tokens.iter().map(|token| self.token(token.id)).collect::<Vec<_>>(),
                    "token_logprobs": tokens.iter().map(|token| token.likely.logp.max(LEAST)).collect::<Vec<_>>(),
                    "top_logprobs": tokens.iter().map(most).collect::<Vec<_>>(),
                    "text_offset": tokens.iter().map(|token| token.offset).collect::<Vec<_>>(),
                })
            }
        }
    }

    /// Its text; of a token that is not written, its name; of one that has none, its number.
    fn token(&self, id: u32) -> String {
        let texts = [self.text(id), self.tokenizer.decode_marked(&[id]).unwrap_or_default()];
        texts.into_iter().find(|text| !text.is_empty()).unwrap_or_else(|| format!("token_id:{id}"))
    }

    /// Of its text; none where it is a part of a letter.
    fn bytes(&self, id: u32) -> Option<Vec<u8>> {
        Some(self.text(id)).filter(|text| !text.contains('\u{FFFD}')).map(String::into_bytes)
    }

    fn text(&self, id: u32) -> String {
        self.tokenizer.decode(&[id]).unwrap_or_default()
    }
}

fn reason(finish: Option<Finish>) -> Option<&'static str> {
    finish.map(|finish| match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
    })
}
