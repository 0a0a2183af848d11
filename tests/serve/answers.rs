//! Whole answers: their shape, and that they are the engine's own.

use crate::server::{CHAT, Server, TEXT, model};
use candle_core::Device;
use epo::model::{Compute, Finish, Generator, Message, Mode, Pretrained, Prompt, Request, Response, Sampling, score};
use serde_json::{Value, json};
use std::path::Path;

/// What the engine itself answers.
struct Engine {
    model: Pretrained,
}

impl Engine {
    fn new(folder: &Path) -> Engine {
        Engine { model: Pretrained::load(folder, None, &Device::Cpu).expect("a model") }
    }

    fn ids(&self, text: &str) -> Vec<u32> {
        self.model.tokenizer.as_ref().expect("a tokenizer").encode_prompt(&Prompt::own(text), true).expect("tokens").0
    }

    fn chat(&self, messages: &[(&str, &str)]) -> Vec<u32> {
        let messages: Vec<Message> = messages.iter().map(|(role, content)| Message::new(role, content)).collect();
        let text = self.model.chat.as_ref().expect("a template").render(&messages).expect("a text");
        self.model.tokenizer.as_ref().expect("a tokenizer").encode_marked(&text).expect("tokens")
    }

    fn answer(&self, prompt: &[u32], sampling: Sampling, max_tokens: usize, seed: u64) -> Response {
        let stop = self.model.tokenizer.as_ref().expect("a tokenizer").stops().to_vec();
        let request = Request { prompt: prompt.to_vec(), mode: Mode::Sample { sampling, max_tokens, stop }, seed };
        Generator::new(self.model.weights.clone(), 1, 400).expect("a generator").run([request]).expect("a response").remove(0)
    }

    fn text(&self, tokens: &[u32]) -> String {
        self.model.tokenizer.as_ref().expect("a tokenizer").decode(tokens).expect("a text")
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn a_chat_is_answered_as_the_engine_does() {
    let (place, folder) = model(400);
    let engine = Engine::new(folder.root());
    let server = Server::start(place.path(), &["model"], &[]);
    assert!(server.first.starts_with("serving `model` at http://127.0.0.1:"), "{}", server.first);
    let said = [("system", "Be <|user|> brief."), ("user", "go to <end> shelf 1"), ("assistant", "take"), ("user", " the mug ")];
    let messages: Vec<Value> = said.iter().map(|(role, content)| json!({ "role": role, "content": content })).collect();
    let body = json!({ "model": "model", "messages": messages, "seed": u64::MAX, "max_tokens": 60, "logprobs": true, "top_logprobs": 3 });
    let reply = server.post(CHAT, &body).ok();
    assert_eq!(keys(&reply), ["id", "object", "created", "model", "choices", "usage"]);
    assert_eq!((&reply["object"], &reply["model"]), (&"chat.completion".into(), &"model".into()));
    let choice = &reply["choices"][0];
    assert_eq!(keys(choice), ["index", "message", "logprobs", "finish_reason"]);
    assert_eq!((&choice["message"]["role"], &choice["index"]), (&"assistant".into(), &0.into()));

    // Of what was said nothing becomes a control token; the template's own are.
    let marker = engine.model.tokenizer.as_ref().unwrap().id("<|user|>").unwrap();
    let plain = engine.chat(&[("system", "Be 1 brief."), ("user", "go to 2 shelf 1"), ("assistant", "take"), ("user", "the mug")]);
    assert_eq!(plain.iter().filter(|id| **id == marker).count(), 4);
    let own = engine.model.tokenizer.as_ref().unwrap();
    let mut prompt = Vec::new();
    for (_, content) in said {
        prompt.push(marker);
        prompt.extend(own.encode(content.trim()).unwrap());
        prompt.push(own.end());
        prompt.extend(own.encode("\n").unwrap());
    }
    assert_eq!(reply["usage"]["prompt_tokens"], prompt.len());
    let expected = engine.answer(&prompt, Sampling::default(), 60, u64::MAX);
    assert_eq!(choice["message"]["content"], engine.text(&expected.tokens));
    assert_eq!(choice["finish_reason"], if expected.finish == Finish::Stop { "stop" } else { "length" });
    assert_eq!(reply["usage"]["completion_tokens"], expected.tokens.len());
    assert_eq!(reply["usage"]["total_tokens"], expected.tokens.len() + prompt.len());
    let content = choice["logprobs"]["content"].as_array().unwrap();
    assert_eq!(content.len(), expected.tokens.len());
    for ((entry, id), logp) in content.iter().zip(&expected.tokens).zip(&expected.logp) {
        assert_eq!(keys(entry), ["token", "logprob", "bytes", "top_logprobs"]);
        assert_eq!(entry["logprob"].as_f64().unwrap() as f32, *logp);
        let text = engine.text(&[*id]);
        let names = [(own.end(), "<end>".to_owned()), (own.pad(), "<pad>".to_owned()), (marker, "<|user|>".to_owned())];
        let name = names.into_iter().find(|(named, _)| named == id).map(|(_, name)| name);
        let unwritten = name.unwrap_or_else(|| format!("token_id:{id}"));
        assert_eq!(entry["token"], if text.is_empty() { unwritten } else { text.clone() });
        assert_eq!(entry["bytes"], if text.contains('\u{FFFD}') { Value::Null } else { json!(text.as_bytes()) });
        let top: Vec<f64> = entry["top_logprobs"].as_array().unwrap().iter().map(|top| top["logprob"].as_f64().unwrap()).collect();
        assert!(top.len() == 3 && top[0] >= top[1] && top[1] >= top[2] && top[0] as f32 >= *logp);
    }
}

#[test]
fn a_text_is_gone_on_with_and_scored_without_its_temperature() {
    let (place, folder) = model(400);
    let engine = Engine::new(folder.root());
    let server = Server::start(place.path(), &["model"], &[]);
    let prompt = engine.ids("<|user|>go to shelf 7");
    let sampling = Sampling { temperature: 0.6, top_p: Some(0.9), top_k: Some(40), min_p: None };
    let body = json!({ "prompt": "<|user|>go to shelf 7", "temperature": 0.6, "top_p": 0.9, "top_k": 40, "seed": -3, "max_tokens": 40, "logprobs": 2 });
    let reply = server.post(TEXT, &body).ok();
    assert_eq!(reply["object"], "text_completion");
    let choice = &reply["choices"][0];
    assert_eq!(keys(choice), ["index", "text", "logprobs", "finish_reason"]);
    let expected = engine.answer(&prompt, sampling, 40, (-3_i64).cast_unsigned());
    assert_eq!(choice["text"], engine.text(&expected.tokens));
    let scores = score(&engine.model.weights, &[expected.row(&prompt)], 1.0, &Compute::default()).unwrap();
    let told: Vec<f32> = choice["logprobs"]["token_logprobs"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap() as f32).collect();
    assert_eq!(told, scores.logp);
    assert_ne!(told, expected.logp);
    let texts: Vec<String> = expected.tokens.iter().map(|id| engine.text(&[*id])).collect();
    assert_eq!(choice["logprobs"]["tokens"].as_array().unwrap().len(), texts.len());
    let offsets: Vec<u64> = choice["logprobs"]["text_offset"].as_array().unwrap().iter().map(|at| at.as_u64().unwrap()).collect();
    assert!(offsets[0] == 0 && offsets.is_sorted() && offsets[offsets.len() - 1] > 0, "{offsets:?}");
    for top in choice["logprobs"]["top_logprobs"].as_array().unwrap() {
        assert!((2..=3).contains(&top.as_object().unwrap().len()) || top.to_string().contains('\u{FFFD}'), "{top}");
    }

    // The same prompt as tokens; and one response more leaves the first as it is.
    let ids = json!({ "prompt": prompt, "temperature": 0.6, "top_p": 0.9, "top_k": 40, "seed": -3, "max_tokens": 40, "n": 2 });
    let twice = server.post(TEXT, &ids).ok();
    assert_eq!(twice["choices"][0]["text"], choice["text"]);
    assert_ne!(twice["choices"][1]["text"], choice["text"]);
    assert_eq!((&twice["choices"][1]["index"], &twice["usage"]["prompt_tokens"]), (&1.into(), &prompt.len().into()));
    let both = server.post(TEXT, &json!({ "prompt": ["go to", "take"], "seed": 1 })).ok();
    let alone = server.post(TEXT, &json!({ "prompt": "take", "seed": 1 })).ok();
    assert_eq!(both["choices"][1]["text"], alone["choices"][0]["text"]);
    let told = |max_tokens: Value| server.post(TEXT, &json!({ "prompt": "take", "temperature": 0, "max_tokens": max_tokens })).ok();
    assert_eq!(told(Value::Null)["usage"]["completion_tokens"], 16, "what the protocol says");
}

#[test]
fn without_a_seed_answers_differ() {
    let (_place, server) = Server::with_model(400, &[]);
    let ask = || server.post(CHAT, &json!({ "messages": [{ "role": "user", "content": "go" }], "max_completion_tokens": 30 })).ok();
    let (one, other) = (ask(), ask());
    assert_ne!(one["choices"][0]["message"]["content"], other["choices"][0]["message"]["content"]);
    assert_ne!(one["id"], other["id"]);
}

#[test]
fn a_stop_text_ends_an_answer_and_is_no_part_of_it() {
    let (_place, server) = Server::with_model(400, &[]);
    let ask = |stop: Value| {
        let body = json!({ "prompt": "go to shelf", "seed": 5, "max_tokens": 120, "stop": stop, "logprobs": 0 });
        server.post(TEXT, &body).ok()["choices"][0].take()
    };
    let free = ask(Value::Null);
    let text = free["text"].as_str().unwrap();
    let letters: Vec<char> = text.chars().collect();
    let at = (letters.len() / 2..letters.len() - 1).find(|at| letters[*at..at + 2].iter().all(char::is_ascii)).unwrap();
    let stop: String = letters[at..at + 2].iter().collect();
    let stopped = ask(json!(["never to be written", stop]));
    assert_eq!(stopped["finish_reason"], "stop");
    assert_eq!(stopped["text"], text[..text.find(&stop).unwrap()]);
    let count = |choice: &Value| choice["logprobs"]["tokens"].as_array().unwrap().len();
    assert!(count(&stopped) < count(&free));
    assert_eq!(ask(json!([])), free);
}

#[test]
fn the_model_is_listed() {
    let (_place, server) = Server::with_model(400, &["--name", "owner/tiny:1"]);
    let list = server.get("/v1/models").ok();
    assert_eq!((&list["object"], list["data"].as_array().unwrap().len()), (&"list".into(), 1));
    let described = &list["data"][0];
    assert_eq!(
        (&described["id"], &described["object"], &described["max_model_len"]),
        (&"owner/tiny:1".into(), &"model".into(), &400.into())
    );
    assert_eq!(server.get("/v1/models/owner/tiny:1").ok(), *described);
    assert_eq!(server.get("/v1/models/owner").error(404)["code"], "model_not_found");
    assert_eq!(server.get("/health").ok(), json!({ "status": "ok", "answering": 0, "waiting": 0 }));
}
