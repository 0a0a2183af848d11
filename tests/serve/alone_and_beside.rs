//! The same seed gives the same answer, whoever else is answered.

use crate::server::{CHAT, Server, TEXT};
use serde_json::{Value, json};

/// Requests of all kinds.
fn body(number: usize) -> (&'static str, Value) {
    let text = format!("go to shelf {} and take the mug {}", number % 5, "mug ".repeat(number % 40));
    match number % 3 {
        0 => (CHAT, json!({ "messages": [{ "role": "user", "content": text }], "seed": number, "max_tokens": 20 + number % 60 })),
        1 => (TEXT, json!({ "prompt": text, "seed": number, "max_tokens": 40, "temperature": 0.7, "top_p": 0.95, "logprobs": 2 })),
        _ => (TEXT, json!({ "prompt": [text, "take"], "seed": number, "max_tokens": 30, "n": 2, "stop": "mug" })),
    }
}

fn choices(server: &Server, number: usize) -> Value {
    let (path, body) = body(number);
    server.post(path, &body).ok()["choices"].take()
}

#[test]
fn company_changes_no_answer() {
    let (_place, alone) = Server::with_model(400, &["--slots", "1", "--threads", "1"]);
    let expected: Vec<Value> = (0..36).map(|number| choices(&alone, number)).collect();
    assert!(expected.windows(4).all(|next| next[0] != next[3]));
    for args in [&["--slots", "3", "--threads", "1"][..], &["--slots", "16", "--threads", "3"]] {
        let (_place, server) = Server::with_model(400, args);
        std::thread::scope(|scope| {
            let asked: Vec<_> = (0..36)
                .map(|number| {
                    (
                        number,
                        scope.spawn({
                            let server = &server;
                            move || choices(server, number)
                        }),
                    )
                })
                .collect();
            for (number, choices) in asked {
                assert_eq!(choices.join().unwrap(), expected[number], "{number} of {args:?}");
            }
        });
    }
}
