//! Answers as they come.

use crate::server::{CHAT, Server, TEXT};
use serde_json::{Value, json};

#[test]
fn the_pieces_of_a_chat_are_its_answer() {
    let (_place, server) = Server::with_model(400, &[]);
    let body = |stream: bool| {
        json!({ "messages": [{ "role": "user", "content": "go to shelf 3" }], "seed": 11, "max_tokens": 90, "n": 2, "stream": stream,
            "logprobs": true, "top_logprobs": 1, "stream_options": if stream { json!({ "include_usage": true }) } else { Value::Null } })
    };
    let whole = server.post(CHAT, &body(false)).ok();
    let mut events = server.post(CHAT, &body(true)).events();
    let usage = events.pop().unwrap();
    assert_eq!((&usage["usage"], &usage["choices"]), (&whole["usage"], &json!([])));
    let id = &usage["id"];
    assert!(
        events.iter().all(|event| event["object"] == "chat.completion.chunk"
            && event["id"] == *id
            && event["choices"].as_array().unwrap().len() == 1)
    );
    for index in 0..2 {
        let own: Vec<&Value> = events.iter().map(|event| &event["choices"][0]).filter(|choice| choice["index"] == index).collect();
        assert_eq!(own[0]["delta"], json!({ "role": "assistant", "content": "", "refusal": null }));
        let (last, middle) = own[1..].split_last().unwrap();
        assert!(middle.len() > 20 && middle.iter().all(|choice| choice["finish_reason"].is_null()));
        let text: String = middle.iter().map(|choice| choice["delta"]["content"].as_str().unwrap()).collect();
        let expected = &whole["choices"][index];
        assert_eq!(expected["message"]["content"], text);
        assert_eq!((&last["finish_reason"], &last["delta"]), (&expected["finish_reason"], &json!({})));
        let tokens: Vec<Value> = middle.iter().flat_map(|choice| choice["logprobs"]["content"].as_array().unwrap().clone()).collect();
        assert_eq!(expected["logprobs"]["content"], Value::from(tokens));
    }
}

#[test]
fn the_pieces_of_a_text_give_nothing_of_what_ends_it() {
    let (_place, server) = Server::with_model(400, &[]);
    let body = |stop: &[String], stream: bool| json!({ "prompt": "take", "seed": 3, "max_tokens": 100, "stop": stop, "stream": stream });
    let free = server.post(TEXT, &body(&[], false)).ok()["choices"][0]["text"].as_str().unwrap().to_owned();
    let letters: Vec<char> = free.chars().collect();
    for at in [3, 11, 20, 34] {
        let stop: Vec<String> = vec![letters[at..at + 3].iter().collect()];
        let whole = server.post(TEXT, &body(&stop, false)).ok()["choices"][0].take();
        let events = server.post(TEXT, &body(&stop, true)).events();
        let text: String = events.iter().map(|event| event["choices"][0]["text"].as_str().unwrap()).collect();
        assert_eq!((whole["text"].as_str(), whole["finish_reason"].as_str()), (Some(&*text), Some("stop")));
        assert_eq!(text, free[..free.find(&stop[0]).unwrap()]);
        assert!(events.iter().all(|event| event["object"] == "text_completion" && event["usage"].is_null()));
    }
}
