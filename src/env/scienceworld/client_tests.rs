use super::super::fake::{Say, TOKEN, serve};
use super::*;
use std::time::Instant;

fn client(answer: impl Fn(&[String]) -> Say + Send + 'static) -> (Client, super::super::fake::Heard) {
    let (port, heard) = serve(answer);
    (Client::connect(port, TOKEN, None, Duration::from_millis(300)).expect("connected"), heard)
}

fn line(text: &str) -> Say {
    Say::Line(text.into())
}

#[test]
fn requests_as_the_server_reads_them() {
    let (mut client, heard) = client(|request| match request[0].as_str() {
        "i" => line("!yro3"),
        "a" if request[1] == "c" => line("!yto4"),
        _ => line("!yv"),
    });
    let object = client.construct("java.net.URL", &[Arg::Text("file:/a\\b\nc")]).expect("made");
    client
        .call(Target::Object(&object), "load", &[Arg::Text("boil"), Arg::Int(-3), Arg::Text(""), Arg::Bool(false), Arg::Object(&object)])
        .expect("called");
    client.call(Target::Class("java.lang.System"), "gc", &[]).expect("called");
    client.new_array("java.net.URL", &[&object]).expect("made");
    let heard: Vec<String> = heard.lock().expect("not poisoned").iter().map(|request| request.join(" | ")).collect();
    assert_eq!(
        heard,
        [
            "i | java.net.URL | sfile:/a\\\\b\\nc",
            "c | o3 | load | sboil | i-3 | s | bfalse | ro3",
            "c | z:java.lang.System | gc",
            "a | c | sjava.net.URL | i1",
            "a | s | o4 | i0 | ro3",
        ]
    );
}

#[test]
fn a_list_takes_two_round_trips_and_is_released() {
    let (mut client, heard) = client(|request| match request {
        [_, _, method, ..] if method == "getPossibleObjects" => line("!ylo7"),
        [_, _, method, ..] if method == "join" => line("!ysagent\\na \"book\" by caf\u{e9}\\\\n"),
        _ => line("!yv"),
    });
    let words = client.strings(Target::Class("x"), "getPossibleObjects").expect("a list");
    assert_eq!(words, ["agent", "a \"book\" by caf\u{e9}\\n"]);
    assert_eq!(heard.lock().expect("not poisoned").last().expect("a request").join(" | "), "c | z:java.lang.String | join | s\\n | ro7");
    client.call(Target::Class("x"), "next", &[]).expect("called");
    let heard = heard.lock().expect("not poisoned");
    assert_eq!(heard[2].join(" | "), "m | d | o7", "before the next call");
    assert_eq!(heard.len(), 4);
}

#[test]
fn an_empty_list() {
    let (mut client, _) = client(|request| line(if request[2] == "join" { "!ys" } else { "!ylo1" }));
    assert!(client.strings(Target::Class("x"), "getPossibleObjects").expect("a list").is_empty());
}

#[test]
fn every_object_that_was_returned_is_released() {
    let (mut client, heard) = client(|request| match request {
        [_, _, method, ..] if method == "list" => line("!ylo1"),
        [_, _, method, ..] if method == "throw" => line("!xro2"),
        [_, _, method, ..] if method == "wrong" => line("!yho3"),
        [command, ..] if command == "p" => line("!ysjava.lang.Error: no\\n\\tat here"),
        [_, _, method, ..] if method == "join" => line("!xro4"),
        _ => line("!yv"),
    });
    assert!(client.strings(Target::Class("x"), "list").is_err(), "joining throws");
    assert!(client.call(Target::Class("x"), "throw", &[]).is_err());
    assert!(client.text(Target::Class("x"), "wrong", &[]).is_err(), "a set where a text is wanted");
    client.release().expect("released");
    let heard = heard.lock().expect("not poisoned");
    let mut released: Vec<&str> = heard.iter().filter(|request| request[0] == "m").map(|request| request[2].as_str()).collect();
    released.sort_unstable();
    assert_eq!(released, ["o1", "o2", "o3", "o4"]);
}

#[test]
fn complaints_and_exceptions_leave_the_connection_in_order() {
    let (mut client, _) = client(|request| match request {
        [_, _, method, ..] if method == "nothing" => line("!xsMethod nothing([]) does not exist"),
        [_, _, method, ..] if method == "throw" => line("!xro5"),
        [command, ..] if command == "p" => line("!ysjava.lang.NullPointerException\\n\\tat here"),
        _ => line("!yi4"),
    });
    let refused = client.call(Target::Class("x"), "nothing", &[]).expect_err("refused");
    assert_eq!(refused.to_string(), "the server refused `nothing`: Method nothing([]) does not exist");
    let threw = client.call(Target::Class("x"), "throw", &[]).expect_err("thrown");
    assert_eq!(threw.to_string(), "java exception in `throw`: java.lang.NullPointerException");
    assert!(!refused.is_breakdown() && !threw.is_breakdown() && !client.is_lost());
    assert_eq!(client.number(Target::Class("x"), "four").expect("a number"), 4.0);
    let other = client.flag(Target::Class("x"), "four").expect_err("not a flag");
    assert_eq!(other.to_string(), "`four` answered `Int(4)`, which is not what was expected");
}

#[test]
fn no_answer_within_the_time() {
    for say in [|| Say::Nothing, || Say::Half("!ysbeginning".into())] {
        let (mut client, _) = client(move |_| say());
        let start = Instant::now();
        let failure = client.call(Target::Class("x"), "step", &[]).expect_err("no answer");
        assert_eq!(failure.to_string(), "the simulator did not answer `step` within 0.3 s");
        assert!(failure.is_breakdown() && client.is_lost());
        assert!(start.elapsed() >= Duration::from_millis(300) && start.elapsed() < Duration::from_secs(5));
        // The answer may still come and would be taken for that of the next call.
        let next = client.call(Target::Class("x"), "score", &[]).expect_err("lost");
        assert!(matches!(next, Failure::Closed { .. }), "{next}");
    }
}

#[test]
fn an_answer_in_drops_does_not_extend_the_time() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        while stream.write_all(b"!").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let failure = Client::connect(port, TOKEN, None, Duration::from_millis(200)).expect_err("no end");
    assert!(matches!(failure, Failure::Hung { .. }), "{failure}");
}

#[test]
fn a_closed_connection_and_nonsense() {
    let (mut closed, _) = client(|_| Say::Close);
    let failure = closed.call(Target::Class("x"), "step", &[]).expect_err("closed");
    assert_eq!(failure.to_string(), "the connection to the simulator was lost in `step`: the other side closed it");
    let (mut nonsense, _) = client(|_| line("HTTP/1.1 400 Bad Request"));
    let failure = nonsense.call(Target::Class("x"), "step", &[]).expect_err("nonsense");
    assert!(failure.to_string().ends_with("`HTTP/1.1 400 Bad Request` is no answer of the protocol"), "{failure}");
    assert!(nonsense.is_lost());
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    assert!(Client::connect(nobody, TOKEN, None, Duration::from_secs(1)).expect_err("nobody there").is_breakdown());
}

#[test]
fn another_token_is_refused() {
    let (port, heard) = serve(|_| line("!yv"));
    let failure = Client::connect(port, "guessed", None, Duration::from_secs(1)).expect_err("refused");
    assert_eq!(failure.to_string(), "the server refused `connect`: Authentication error: bad auth token received.");
    assert!(heard.lock().expect("not poisoned").is_empty());
}
