//! Full queues, clients that vanish, answers that take too long, and the end.

use crate::client::receive;
use crate::server::{CHAT, Server, TEXT};
use serde_json::{Value, json};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// An answer of some seconds: the likeliest tokens go round in circles.
fn long(tokens: usize) -> Value {
    json!({ "prompt": "go to", "temperature": 0, "max_tokens": tokens })
}

const LONG: usize = 190_000;

fn busy(args: &[&str]) -> (tempfile::TempDir, Server) {
    Server::with_model(200_000, &[&["--context", "200000", "--threads", "1", "--slots", "1"], args].concat())
}

/// Waits until so many requests are being answered, and so many wait. A slot is free a moment after its answer was sent.
fn wait_until(server: &Server, answering: usize, waiting: usize) {
    let begun = Instant::now();
    loop {
        let health = server.get("/health").ok();
        if (&health["answering"], &health["waiting"]) == (&answering.into(), &waiting.into()) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{health}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn is_answered_soon(server: &Server) {
    let begun = Instant::now();
    while server.post(TEXT, &long(1)).status == 429 {
        assert!(begun.elapsed() < Duration::from_secs(20), "no place gets free");
        std::thread::sleep(Duration::from_millis(20));
    }
    wait_until(server, 0, 0);
}

#[test]
fn a_full_queue_says_so_and_clients_that_vanish_leave_their_places() {
    let (_place, server) = busy(&["--queue", "1"]);
    for stream in [false, true] {
        let mut body = long(LONG);
        body["stream"] = stream.into();
        wait_until(&server, 0, 0);
        let clients: Vec<TcpStream> = (0..2).map(|_| server.ask(TEXT, &body)).collect();
        wait_until(&server, 1, 1);
        let reply = server.post(TEXT, &long(1));
        let error = reply.error(429);
        assert_eq!((&error["type"], &error["code"]), (&"rate_limit_error".into(), &"queue_full".into()));
        assert!(reply.head.contains("retry-after: 1"), "{}", reply.head);
        let begun = Instant::now();
        drop(clients);
        is_answered_soon(&server);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    let error = server.post(TEXT, &json!({ "prompt": "a", "n": 3 })).error(400);
    assert_eq!(error["message"], "3 responses at a time are more than this server has places for, 2");
}

#[test]
fn an_answer_that_takes_too_long_is_given_up() {
    let (_place, server) = busy(&["--queue", "0", "--time-limit", "0.3"]);
    let reply = server.post(TEXT, &long(LONG));
    let error = reply.error(504);
    assert_eq!((&error["type"], &error["code"]), (&"timeout_error".into(), &"timeout".into()));
    assert!(reply.head.contains("x-should-retry: false"));
    is_answered_soon(&server);
    let mut body = long(LONG);
    body["stream"] = true.into();
    let reply = server.post(TEXT, &body);
    let last = reply.body.trim_end().rsplit("data: ").next().unwrap();
    assert!(reply.status == 200 && last.contains("\"timeout_error\""), "{last}");
    is_answered_soon(&server);
}

#[test]
fn what_is_being_answered_when_it_stops_is_answered_and_what_waits_is_not() {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let (_place, server) = busy(&["--queue", "1"]);
        // Two seconds' worth at the pace of a short text; a long one is slower.
        let begun = Instant::now();
        server.post(TEXT, &long(100)).ok();
        let tokens = (200_000 / begun.elapsed().as_millis().max(1)).clamp(50, 2000) as usize;
        wait_until(&server, 0, 0);
        let first = server.ask(TEXT, &long(tokens));
        wait_until(&server, 1, 0);
        let waits = server.ask(CHAT, &json!({ "messages": [{ "role": "user", "content": "go" }] }));
        wait_until(&server, 1, 1);
        let idle = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        server.signal(signal);
        assert_eq!(receive(waits).error(503)["code"], "stopping");
        assert_eq!(receive(first).ok()["usage"]["completion_tokens"], tokens);
        drop(idle);
        let port = server.port;
        let (code, said) = server.end();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("stopping when what is being answered is done"), "{said}");
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    }
}

#[test]
fn what_would_take_longer_is_given_up_and_told() {
    let (_place, server) = busy(&[]);
    let first = server.ask(TEXT, &long(LONG));
    wait_until(&server, 1, 0);
    server.signal(libc::SIGTERM);
    assert_eq!(receive(first).error(503)["code"], "stopping");
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let (_place, server) = busy(&[]);
    let _client = server.ask(TEXT, &long(LONG));
    wait_until(&server, 1, 0);
    server.signal(libc::SIGINT);
    std::thread::sleep(Duration::from_millis(100));
    server.signal(libc::SIGINT);
    assert_eq!(server.end().0, Some(130));
}
