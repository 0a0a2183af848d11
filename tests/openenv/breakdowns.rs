//! Servers that end, hang and talk nonsense.

use crate::server::{Server, Way};
use crate::support::{LONG, config, here, on_threads, open, played_here, task};
use epo::env::World;
use epo::env::openenv::OpenEnv;
use std::io::Write;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(500);

#[test]
fn ended_and_started_again_twenty_times_the_episodes_are_the_same() {
    let mut server = Server::start(Way::Slow, 64);
    let world = open(&server, 64, LONG);
    let expected = here(160);
    let enough = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..20 {
                std::thread::sleep(Duration::from_millis(150));
                server.down();
                std::thread::sleep(Duration::from_millis(50));
                server.up();
            }
            enough.store(true, Ordering::Relaxed);
        });
        let (mut rounds, world) = (0, &world);
        while !enough.load(Ordering::Relaxed) {
            assert_eq!(on_threads(world, 8, 20), expected, "round {rounds}");
            rounds += 1;
        }
        assert!(world.opened() > rounds * 160 + 20, "{} {rounds}", world.opened());
    });
}

/// In the third turn of every fifth task; the others are not disturbed.
fn one_in_five_fails(way: Way, time_out: Duration, reason: &str) {
    let server = Server::start(way, 64);
    let world = open(&server, 64, time_out);
    let mut failed = 0;
    for (number, found) in on_threads(&world, 20, 1).into_iter().enumerate() {
        let expected = played_here(number as u64);
        // A play of three turns or more comes that far.
        if number % 5 == 2 && expected.lines().count() >= 7 {
            let said = found.unwrap_err();
            assert!(said.contains(reason), "{said}");
            failed += 1;
        } else {
            assert_eq!(found.unwrap(), expected, "{number}");
        }
    }
    assert!(failed >= 2, "{failed}");
    let patience = Instant::now() + LONG;
    while server.inner.now.load(Ordering::SeqCst) > 0 && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(server.inner.now.load(Ordering::SeqCst), 0, "no session is left");
}

#[test]
fn an_episode_whose_server_hangs_is_given_up() {
    let begin = Instant::now();
    one_in_five_fails(Way::Hang, SHORT, "it breaks down in a session of its own, too: the server did not answer within 0.5 s");
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
}

#[test]
fn an_episode_whose_session_always_ends_is_given_up() {
    one_in_five_fails(Way::Close, LONG, "it breaks down in a session of its own, too: the server closed the session");
}

#[test]
fn a_servers_nonsense_is_shown_without_what_a_terminal_obeys() {
    one_in_five_fails(Way::Nonsense, LONG, "the server answered `\\u{1b}[31mSegmentation fault`, which is no answer: ");
}

#[test]
fn a_message_without_measure_is_not_read_to_its_end() {
    one_in_five_fails(Way::Long, LONG, "the server answered with 3000000 bytes; a message has at most 1048576");
}

#[test]
fn errors_of_the_environments_code_are_messages() {
    one_in_five_fails(Way::Error, LONG, "the server says: no third step here (EXECUTION_ERROR)");
}

#[test]
fn a_server_that_is_gone_is_waited_for_once() {
    let server = Server::start(Way::Well, 4);
    let world = open(&server, 4, SHORT);
    let mut game = world.instance().unwrap();
    game.reset(&task(3), 0).unwrap();
    server.down();
    let begin = Instant::now();
    let said = game.step("right").unwrap_err().to_string();
    let start = format!("nothing answers at ws://{}/ws: ", server.address);
    assert!(said.starts_with(&start), "{said}");
    assert!((SHORT..Duration::from_secs(10)).contains(&begin.elapsed()), "{:?}", begin.elapsed());
    // It has been waited for.
    let begin = Instant::now();
    assert!(game.reset(&task(3), 0).unwrap_err().to_string().starts_with(&start));
    assert!(begin.elapsed() < SHORT, "{:?}", begin.elapsed());
}

/// What is random is not played again as if it were the same.
#[test]
fn what_does_not_repeat_itself_is_not_played_again() {
    let mut server = Server::start(Way::Chance, 4);
    let broken = |server: &mut Server, deterministic: bool| {
        let mut config = config(4);
        config.deterministic = deterministic;
        let world = OpenEnv::open(config, &server.url(), LONG).unwrap();
        assert_eq!(world.repeats(), deterministic);
        let mut game = world.instance().unwrap();
        game.reset(&task(3), 0).unwrap();
        game.step("stay").unwrap();
        server.down();
        server.up();
        game.step("stay").unwrap_err().to_string()
    };
    let said = broken(&mut server, false);
    assert!(said.ends_with("; what was played cannot be played again: the recipe says that it is not deterministic"), "{said}");
    let said = broken(&mut server, true);
    assert_eq!(said, "played again, turn 1 came out otherwise, though the recipe says that it is deterministic");
}

fn refused(url: &str, time_out: Duration) -> String {
    OpenEnv::open(config(4), url, time_out).map(drop).unwrap_err().to_string()
}

/// Answers every request in one way, and says how many there were.
fn answering(answer: &'static str) -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = count.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
            if answer.is_empty() {
                std::thread::sleep(Duration::from_secs(2));
            }
        }
    });
    (url, count)
}

#[test]
fn what_is_no_server_of_the_environment_is_refused_at_once() {
    let server = Server::start(Way::Well, 2);
    let url = server.url();
    let mut other = config(4);
    other.version = "4".into();
    let said = OpenEnv::open(other, &url, LONG).map(drop).unwrap_err().to_string();
    assert_eq!(said, "`walk`: it is version `3` of the environment, and the recipe is for version `4`");
    let said = open(&server, 4, LONG).room().unwrap_err().to_string();
    assert!(said.starts_with("`walk`: the server allows 2 sessions at once, and the recipe has 4 at once\n"), "{said}");
    drop(server);
    assert!(refused(&url, LONG).starts_with(&format!("`walk`: nothing answers at {url}/metadata: ")));
    let (url, _) = answering("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    assert_eq!(refused(&url, LONG), format!("`walk`: {url}/metadata says nothing of an environment: it answers 404 Not Found"));
    let (url, _) = answering("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n<html");
    assert!(refused(&url, LONG).contains("/metadata answered `<html`, which says nothing of an environment: "));
    let (url, _) = answering("HTTP/1.1 200 OK\r\ncontent-length: 15\r\nconnection: close\r\n\r\n{\"version\":\"3\"}");
    assert!(refused(&url, LONG).contains("/ws is no place of sessions: "));
    let (url, _) = answering("");
    assert!(refused(&url, SHORT).contains("nothing answers at"), "{}", refused(&url, SHORT));
    assert!(refused("me:secret@host", LONG).contains("the address in the setting "));
}

/// Where a server sends one to is not where settings send one to.
#[test]
fn no_server_sends_a_run_to_another_address() {
    let (elsewhere, asked) = answering("HTTP/1.1 200 OK\r\ncontent-length: 15\r\nconnection: close\r\n\r\n{\"version\":\"3\"}");
    let answer =
        format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {elsewhere}/metadata\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let (url, _) = answering(answer.leak());
    assert_eq!(refused(&url, LONG), format!("`walk`: {url}/metadata says nothing of an environment: it answers 307 Temporary Redirect"));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

/// The end of an episode frees its session, also where the engine ends it.
#[test]
fn a_session_that_is_left_is_free() {
    let server = Server::start(Way::Well, 1);
    let world = open(&server, 1, Duration::from_secs(5));
    let mut game = world.instance().unwrap();
    for number in 0..20 {
        game.reset(&task(number), 0).unwrap();
    }
    drop(game);
    let mut game = world.instance().unwrap();
    game.reset(&task(1), 0).unwrap();
    let said = world.instance().unwrap().reset(&task(2), 0).unwrap_err().to_string();
    assert!(said.contains("all 1 sessions were taken for 5 s"), "{said}");
}
