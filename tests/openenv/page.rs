//! The conversation of `docs/openenv.md` is what is said.

use crate::support::{LONG, config};
use epo::env::openenv::{MOST_BYTES, OpenEnv, Split};
use epo::env::{Program, World};
use std::io::{Read, Write};
use std::net::TcpListener;
use tungstenite::Message;

fn page() -> String {
    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openenv.md")).expect("the page")
}

fn exchange(page: &str) -> Vec<(char, String)> {
    let block = page.split("```exchange\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a conversation");
    block.lines().map(|line| (line.chars().next().expect("a side"), line[2..].to_owned())).collect()
}

#[test]
fn the_conversation_of_the_page_is_what_is_said() {
    let lines = exchange(&page());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        let body = r#"{"version":"1"}"#;
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).unwrap();
        // One session to see whether there is one, then the episode.
        let mut first = tungstenite::accept(listener.accept().unwrap().0).unwrap();
        first.read().unwrap();
        first.send(Message::text(r#"{"type":"state","data":{}}"#)).unwrap();
        while first.read().is_ok() {
            let _ = first.close(None);
        }
        let mut socket = tungstenite::accept(listener.accept().unwrap().0).unwrap();
        for (side, text) in lines {
            match side {
                '>' => assert_eq!(socket.read().unwrap().to_text().unwrap(), text),
                '<' => socket.send(Message::text(text)).unwrap(),
                other => panic!("{other}"),
            }
        }
        let _ = socket.close(None);
        while socket.read().is_ok() {}
    });
    let mut config = config(1);
    config.version = "1".into();
    config.splits = vec![Split { name: "train".into(), first: 0, count: 10 }];
    config.shape.goal = None;
    config.shape.admissible = Some("possible".into());
    let world = OpenEnv::open(config, &url, LONG).unwrap();
    let mut game = world.instance().unwrap();
    let begin = game.reset(&world.panel("train", None).unwrap().tasks[7], 0).unwrap();
    assert_eq!(begin.text, "It is 1 to 3.");
    assert_eq!(game.admissible().unwrap(), ["guess 1", "guess 2", "guess 3"]);
    let step = game.step("guess 2").unwrap();
    assert_eq!((step.observation.as_str(), step.reward, step.terminated, step.success), ("It is 3 to 3.", 0.0, false, false));
    let step = game.step("guess 33333333333333333333333333333333").unwrap();
    assert_eq!(
        (step.valid, step.observation.as_str()),
        (false, "This action has the wrong form: words: String should have at most 20 characters")
    );
    let step = game.step("guess 3").unwrap();
    assert_eq!((step.observation.as_str(), step.reward, step.terminated, step.success), ("That is it!", 1.0, true, true));
    server.join().expect("the conversation of the page");
}

#[test]
fn the_numbers_of_the_page_are_the_programs() {
    let bytes = MOST_BYTES.to_string();
    let (millions, rest) = bytes.split_at(1);
    assert!(page().contains(&format!("at most {millions},{},{} bytes long", &rest[..3], &rest[3..])));
    assert!(page().contains(&format!("| `env.NAME.time_out` | {} |", Program::TIME_OUT.as_secs())));
}
