//! What is not answered, and what is said then.

use crate::server::{CHAT, Server, TEXT, model};
use serde_json::{Value, json};

#[test]
fn mistakes_are_named() {
    let (_place, server) = Server::with_model(100, &[]);
    let user = json!([{ "role": "user", "content": "go" }]);
    let wrong = |path: &str, body: Value, status: u16| {
        let error = server.post(path, &body).error(status);
        assert_eq!(error["type"], "invalid_request_error");
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        (text("message"), text("param"), text("code"))
    };
    let field = |name: &str, message: &str| (message.to_owned(), name.to_owned(), String::new());
    assert_eq!(wrong(CHAT, json!([]), 400), field("", "the body has to be a JSON object"));
    assert_eq!(wrong(CHAT, json!({}), 400), field("messages", "`messages` is missing"));
    assert_eq!(wrong(TEXT, json!({ "prompt": null }), 400), field("prompt", "`prompt` is missing"));
    assert_eq!(wrong(TEXT, json!({ "prompt": [1, 9999] }), 400), field("prompt", "token 9999 is outside of the vocabulary of 300"));
    assert_eq!(wrong(TEXT, json!({ "prompt": [] }), 400), field("prompt", "an empty prompt has no next token"));
    assert_eq!(wrong(TEXT, json!({ "prompt": [["a"]] }), 400).1, "prompt");
    assert_eq!(wrong(TEXT, json!({ "prompt": "a", "seed": 0.5 }), 400), field("seed", "`seed` takes a whole number of 64 bits"));
    assert_eq!(
        wrong(TEXT, json!({ "prompt": "a", "temperature": -1 }), 400),
        field("temperature", "`temperature` takes a number from 0 to 100")
    );
    assert_eq!(
        wrong(TEXT, json!({ "prompt": "a", "max_tokens": 0 }), 400),
        field("max_tokens", "`max_tokens` takes a whole number from 1")
    );
    assert_eq!(wrong(TEXT, json!({ "prompt": "a", "stop": [3] }), 400).1, "stop");
    assert_eq!(wrong(TEXT, json!({ "prompt": "a", "stream": 1 }), 400), field("stream", "`stream` takes `true` or `false`"));
    assert_eq!(wrong(TEXT, json!({ "prompt": "a", "n": 1000 }), 400).1, "n");
    assert_eq!(wrong(CHAT, json!({ "messages": [{ "role": "user" }] }), 400).1, "messages");
    assert_eq!(wrong(CHAT, json!({ "messages": user, "top_logprobs": 2 }), 400).1, "top_logprobs");
    let (message, param, code) = wrong(CHAT, json!({ "messages": user, "tools": [{ "type": "function" }] }), 400);
    assert_eq!((&*message, &*param, &*code), ("`tools` is not supported by this server", "tools", "unsupported_parameter"));
    for ignored in [json!({ "tools": [] }), json!({ "presence_penalty": 0, "user": "x", "response_format": { "type": "text" } })] {
        let mut body = json!({ "messages": user, "max_tokens": 1 });
        body.as_object_mut().unwrap().extend(ignored.as_object().unwrap().clone());
        server.post(CHAT, &body).ok();
    }
    let (message, param, code) = wrong(TEXT, json!({ "prompt": "mug ".repeat(300) }), 400);
    assert!(message.ends_with("tokens, and a prompt and its response together have up to 100"), "{message}");
    assert_eq!((&*param, &*code), ("prompt", "context_length_exceeded"));
    assert_eq!(wrong(CHAT, json!({ "messages": user, "max_tokens": 99 }), 400).2, "context_length_exceeded");
    let (message, param, code) = wrong(TEXT, json!({ "model": "gpt-9", "prompt": "a" }), 404);
    assert_eq!((&*message, &*param, &*code), ("there is no model `gpt-9` here, only `model`", "model", "model_not_found"));
    let json_type = ("Content-Type", "application/json");
    let no_json = server.post_with(TEXT, &[json_type], b"{\"prompt\": ").error(400);
    assert!(no_json["message"].as_str().unwrap().starts_with("the body is no JSON: EOF while parsing"), "{no_json}");
    server.post_with(TEXT, &[("Content-Type", "text/plain")], b"{\"prompt\": \"a\"}").error(415);
    assert_eq!(server.get("/v2/models").error(404)["code"], "unknown_url");
    server.get(TEXT).error(405);
    // After all that it answers.
    server.post(TEXT, &json!({ "prompt": "a" })).ok();
}

#[test]
fn too_large_a_body_is_not_read() {
    let (_place, server) = Server::with_model(100, &["--max-body", "2000"]);
    let error = server.post(TEXT, &json!({ "prompt": "a".repeat(100_000) })).error(413);
    assert_eq!(error["message"], "the body has more than 2000 bytes, the most that this server reads (`--max-body`)");
    server.post(TEXT, &json!({ "prompt": "a" })).ok();
}

#[test]
fn who_has_no_key_hears_nothing() {
    let (place, _) = model(100);
    std::fs::write(place.path().join("key"), " from-a-file\n").unwrap();
    let key = ("EPO_SERVE_KEY", "s3cret-word");
    for (args, key) in [(&["model"][..], "s3cret-word"), (&["model", "--key-file", "key"], "from-a-file")] {
        let server = Server::start(place.path(), args, &[("EPO_SERVE_KEY", "s3cret-word")]);
        let with =
            |given: &str| server.post_with(TEXT, &[("Content-Type", "application/json"), ("Authorization", given)], b"{\"prompt\": \"a\"}");
        with(&format!("Bearer {key}")).ok();
        with(&format!("bearer {key}")).ok();
        for wrong in ["Bearer s3cret", "Bearer ", &format!("Basic {key}"), key] {
            let error = with(wrong).error(401);
            assert_eq!((&error["code"], error["message"].to_string().contains(key)), (&"invalid_api_key".into(), false));
        }
        assert!(server.get("/v1/models").head.contains("www-authenticate: bearer"));
        server.signal(libc::SIGTERM);
        let (code, said) = server.end();
        assert!(code == Some(0) && !said.contains(key) && !said.contains("is no setting"), "{said}");
    }
    assert_eq!(key.0, "EPO_SERVE_KEY");
}

#[test]
fn a_page_in_a_browser_cannot_reach_it_by_a_name_of_its_own() {
    let (_place, server) = Server::with_model(100, &[]);
    let with = |host: &str| server.post_with(TEXT, &[("Content-Type", "application/json"), ("Host", host)], b"{\"prompt\": \"a\"}");
    for own in ["localhost", "LOCALHOST:1234", "127.0.0.1:80", "[::1]:80"] {
        with(own).ok();
    }
    for other in ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", ""] {
        with(other).error(403);
    }
}
