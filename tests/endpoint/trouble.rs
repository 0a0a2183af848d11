//! Servers that are busy, hang, end and talk nonsense.

use crate::recipe::{lines, place, results, runs, same, stops, task};
use crate::server::{Asked, Reply, Server, answer, number};
use serde_json::json;
use std::time::{Duration, Instant};

fn is_chat(asked: &Asked) -> bool {
    asked.path.ends_with("completions")
}

#[test]
fn a_server_that_is_busy_is_asked_again() {
    let calm = place(&Server::well_behaved(), "", "");
    runs(&calm);
    let server = Server::start(|asked| {
        let first = is_chat(asked) && asked.before == 0;
        first.then(|| match number(&asked.body) % 4 {
            0 => Reply::Other(500, String::new(), b"oh".to_vec()),
            1 => Reply::Other(429, "Retry-After: 1\r\n".into(), b"{\"error\":\"slower\"}".to_vec()),
            2 => Reply::Close,
            _ => Reply::Other(200, String::new(), b"{\"choices\":[]}".to_vec()),
        })
    });
    let shaken = place(&server, "", "at_once = 32\n");
    let said = runs(&shaken);
    assert!(!said.err.contains("broke down"), "{}", said.err);
    same(&calm, &shaken);
    assert_eq!(server.bodies().len(), 2 * lines(&task(&shaken).join("answers.jsonl")).len());
}

#[test]
fn a_server_that_stays_busy_ends_the_run_and_not_the_episodes() {
    let server = Server::start(|asked| {
        (asked.number > 20).then(|| Reply::Other(503, String::new(), b"{\"error\":{\"message\":\"no\x07 room\"}}".to_vec()))
    });
    let place = place(&server, "", "retries = 1\nat_once = 2\n");
    let said = stops(&place, "the endpoint `judge`: it answers 503: ");
    assert!(said.err.contains("(asked 2 times); what was answered is kept: the same command goes on from there"), "{}", said.err);
    assert!(!said.err.contains('\u{7}'), "{}", said.err);
}

#[test]
fn a_server_that_hangs_is_given_up_after_its_time_and_the_same_command_goes_on() {
    let calm = place(&Server::well_behaved(), "", "");
    runs(&calm);
    let server = Server::start(|asked| (is_chat(asked) && (9..15).contains(&asked.number)).then_some(Reply::Hang));
    let place = place(&server, "", "retries = 1\ntime_out = 0.4\nat_once = 3\n");
    let begin = Instant::now();
    stops(&place, "the endpoint `judge`: it did not answer within 0.4 s (asked 2 times)");
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    let kept = server.bodies().len() - 6;
    let said = runs(&place);
    assert!(said.err.contains(&format!("{kept} answered from the record")), "{kept}: {}", said.err);
    same(&calm, &place);
}

/// An episode whose question gets no answer fails; the run goes on, and says how many.
#[test]
fn nonsense_and_refusals_end_episodes_and_are_shown_without_what_a_terminal_obeys() {
    for (reply, reason) in [
        (Reply::Other(200, String::new(), b"<html>\x1b[2J".to_vec()), "`<html>\u{fffd}[2J` is no answer: expected value"),
        (
            Reply::Other(400, String::new(), json!({ "error": { "message": "too long" } }).to_string().into_bytes()),
            "it answers 400: too long",
        ),
        (Reply::Other(200, String::new(), vec![b' '; 17 << 20]), "its answer has more than 16777216 bytes"),
    ] {
        let Reply::Other(status, _, body) = reply else { unreachable!("all of them are bodies") };
        let server = Server::start(move |asked| {
            let bad = is_chat(asked) && asked.number > 3 && number(&asked.body) % 16 == 5;
            bad.then(|| Reply::Other(status, String::new(), body.clone()))
        });
        let place = place(&server, "", "at_once = 1\n");
        let said = runs(&place);
        let failed = results(&place)["failed"].as_u64().unwrap();
        let line = said.err.lines().find(|line| line.contains("episodes broke down")).unwrap_or_else(|| panic!("{}", said.err));
        assert!(failed > 0 && failed < 10 && line.contains(&format!("{failed} of 10 episodes broke down; the first, `")), "{line}");
        assert!(line.contains(&format!("the endpoint `judge`: {reason}")), "{line}");
        let refused = lines(&task(&place).join("answers.jsonl")).iter().filter(|line| line["refused"].is_string()).count();
        assert_eq!(refused as u64, failed);
    }
}

/// Results that are all failures are none: the first refusal of a server that has answered nothing ends the run.
#[test]
fn a_server_that_takes_nothing_ends_the_run() {
    for (status, body, words) in [
        (400, "{\"error\":{\"message\":\"unknown field seed\"}}", "the endpoint `judge`: it answers 400: unknown field seed"),
        (404, "no such page", "the endpoint `judge`: it answers 404: no such page; addresses mostly end in `/v1`"),
        (200, "pong", "the endpoint `judge`: `pong` is no answer: expected value"),
    ] {
        let server = Server::start(move |asked| is_chat(asked).then(|| Reply::Other(status, String::new(), body.into())));
        let place = place(&server, "", "at_once = 4\nretries = 2\n");
        stops(&place, words);
    }
}

#[test]
fn what_is_no_server_is_found_before_anything_runs() {
    let server = Server::start(|_| Some(Reply::Other(200, String::new(), b"[1]".to_vec())));
    let place = place(&server, "", "");
    let said = stops(&place, "error[E0505]: the endpoint `judge` with the model `tiny` cannot be used: ");
    assert!(said.err.contains("`[1]` is no list of models") && said.err.contains("needed by `far.end`; nothing was run"), "{}", said.err);
    place.write("epo.toml", "[endpoint.judge]\nurl = \"http://127.0.0.1:9/v1\"\n");
    stops(&place, "http://127.0.0.1:9/v1: it cannot be reached: ");
    let plan = place.epo(&["plan", "far.epo"]);
    assert!(plan.out.contains("MISSING: http://127.0.0.1:9/v1: it cannot be reached"), "{plan:?}");
    let fine = Server::start(|asked| is_chat(asked).then(|| Reply::Json(answer(&asked.body))));
    place.write("epo.toml", &fine.settings(""));
    runs(&place);
}
