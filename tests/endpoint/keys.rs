//! Keys and addresses are the machine's: what of them is seen, and by whom.

use crate::place::{Place, Said};
use crate::recipe::{contents, place, recipe, stops};
use crate::server::{Reply, Server, answer};
use epo::env::Server as EpoServer;
use serde_json::json;

const KEY: &str = "sk-test-0123456789abcdef";

/// A server that wants the key, and is clumsy enough to repeat what it was given instead.
fn guarded() -> Server {
    Server::start(|asked| {
        let given = asked.key.clone().unwrap_or_default();
        let message = format!("Incorrect API key provided: {given}\u{1b}[2J");
        let refusal = json!({ "error": { "message": message } }).to_string().into_bytes();
        (given != format!("Bearer {KEY}")).then(|| Reply::Other(401, String::new(), refusal))
    })
}

#[track_caller]
fn is_nowhere(key: &str, place: &Place, said: &Said) {
    assert!(!said.out.contains(key) && !said.err.contains(key), "{said:?}");
    let files = contents(&place.path(""));
    assert!(files.keys().any(|path| path.ends_with("machine.json")) || said.code != 0);
    let is_run = |path: &std::path::Path| path.starts_with("runs");
    let holds = |bytes: &[u8]| bytes.windows(key.len()).any(|window| window == key.as_bytes());
    for (path, bytes) in files.iter().filter(|(path, _)| is_run(path)) {
        assert!(!holds(bytes), "{} has the key", path.display());
    }
}

#[test]
fn a_key_is_in_no_file_of_a_run() {
    let server = guarded();
    let place = place(&server, "", "key_variable = \"JUDGE_KEY\"\n");
    let said = place.epo_with(&["far.epo"], "", &[("JUDGE_KEY", KEY)]);
    assert_eq!(said.code, 0, "{said:?}");
    is_nowhere(KEY, &place, &said);
    let settings = place.epo_with(&["settings"], "", &[("JUDGE_KEY", KEY)]);
    assert!(settings.out.contains("JUDGE_KEY") && !settings.out.contains(KEY), "{settings:?}");
    // From a file, for a task that is not there yet.
    place.write("key", &format!("{KEY}\n"));
    place.write("epo.toml", &server.settings("key_file = \"key\"\n"));
    place.write("far.epo", &recipe("system = \"Play.\""));
    let said = place.epo(&["far.epo"]);
    assert_eq!(said.code, 0, "{said:?}");
    is_nowhere(KEY, &place, &said);
}

/// Nor where a server says it, in a refusal or in an answer.
#[test]
fn a_key_that_a_server_repeats_is_neither_shown_nor_kept() {
    let wrong = "sk-wrong-9876543210";
    let asked = place(&guarded(), "", "key_variable = \"JUDGE_KEY\"\n");
    let said = asked.epo_with(&["far.epo"], "", &[("JUDGE_KEY", wrong)]);
    let words = "it answers 401: Incorrect API key provided: Bearer (the key)\u{fffd}[2J";
    assert!(said.code == 2 && said.err.contains("error[E0505]") && said.err.contains(words), "{said:?}");
    is_nowhere(wrong, &asked, &said);
    let telling = Server::start(|asked| {
        let mut said = answer(asked.path.ends_with("completions").then_some(&asked.body)?);
        if asked.number > 3 {
            said["choices"][0]["message"]["content"] = json!(format!("my key is {KEY}"));
        }
        Some(Reply::Json(said))
    });
    let asked = place(&telling, "", "key_variable = \"JUDGE_KEY\"\n");
    let said = asked.epo_with(&["far.epo"], "", &[("JUDGE_KEY", KEY)]);
    assert!(said.code == 2 && said.err.contains("it has written its key into an answer, which is not kept"), "{said:?}");
    is_nowhere(KEY, &asked, &said);
}

#[test]
fn where_a_key_is_has_to_be_said_rightly() {
    let server = guarded();
    let place = place(&server, "", "");
    stops(&place, "Incorrect API key provided:");
    stops(&place, "no key is sent, since no setting says where it is");
    place.write("epo.toml", &server.settings("key_variable = \"JUDGE_KEY\"\n"));
    stops(&place, "the variable `JUDGE_KEY`, which is to hold its key, is not set");
    place.write("epo.toml", &server.settings("key_file = \"nowhere\"\n"));
    stops(&place, "the file `nowhere`, which is to hold its key, cannot be read: No such file");
    // A key in the place of a setting is refused without a word of it.
    for settings in [format!("key_variable = \"{KEY}\"\n"), format!("key = \"{KEY}\"\n")] {
        place.write("epo.toml", &server.settings(&settings));
        let said = place.epo(&["far.epo"]);
        assert!(said.code == 1 && said.err.contains("endpoint.judge") && !said.err.contains(KEY), "{said:?}");
    }
    place.write("epo.toml", "");
    for (variable, value) in [
        ("EPO_ENDPOINT__JUDGE__KEY", KEY.to_owned()),
        ("EPO_ENDPOINT__JUDGE__KEY_VARIABLE", KEY.to_owned()),
        ("EPO_ENDPOINT__JUDGE__URL", format!("https://me:{KEY}@127.0.0.1/v1")),
        ("EPO_ENDPOINT__JUDGE__URL", format!("https://127.0.0.1/v1?key={KEY}")),
    ] {
        let said = place.epo_with(&["far.epo"], "", &[(variable, &value)]);
        assert!(said.code == 1 && said.err.contains("the setting `endpoint.judge.") && !said.err.contains(KEY), "{said:?}");
    }
}

#[test]
fn a_recipe_reaches_no_address_that_settings_do_not_name() {
    let server = Server::well_behaved();
    let place = Place::new(&[("far.epo", &recipe(""))]);
    let words = "error[E0505]: the endpoint `judge` with the model `tiny` cannot be used: no setting says which server `judge` is";
    let said = stops(&place, words);
    assert!(said.err.contains("[endpoint.judge]") && said.err.contains("url = \"http://127.0.0.1:8000/v1\""), "{said:?}");
    assert!(!place.path("runs").join("far").exists());
    // Nor one of another name, nor one that a recipe names itself.
    place.write("epo.toml", &server.settings("").replace("judge", "other"));
    stops(&place, words);
    let host = server.url.clone();
    place.write("far.epo", &recipe("").replace("name = \"judge\"", &format!("name = \"{host}\"")));
    let said = place.epo(&["far.epo"]);
    assert!(said.code == 1 && said.err.contains("cannot be the name of a server"), "{said:?}");
    place.write("far.epo", &recipe(&format!("url = \"{host}\"")));
    let said = place.epo(&["far.epo"]);
    assert!(said.code == 1 && said.err.contains("url"), "{said:?}");
    assert_eq!(server.requests(), 0);
}

/// A server that leads elsewhere is not followed.
#[test]
fn redirects_are_not_followed() {
    let other = Server::well_behaved();
    let goal = other.url.clone();
    for status in [301, 302, 307, 308] {
        let (goal, late) = (goal.clone(), status > 302);
        let server = Server::start(move |asked| {
            let leads = late == asked.path.ends_with("completions");
            leads.then(|| Reply::Other(status, format!("Location: {goal}{}\r\n", asked.path.trim_start_matches("/v1")), Vec::new()))
        });
        let place = place(&server, "", "key_variable = \"JUDGE_KEY\"\n");
        let said = place.epo_with(&["far.epo"], "", &[("JUDGE_KEY", KEY)]);
        let words = format!("it answers {status}; it leads elsewhere, and only the address of the settings is asked");
        assert!(said.code == 2 && said.err.contains(&words), "{said:?}");
    }
    assert_eq!(other.requests(), 0);
}

#[test]
fn the_numbers_of_the_page_are_the_programs() {
    let page = std::fs::read_to_string("docs/endpoint.md").expect("the page");
    let seconds = EpoServer::TIME_OUT.as_secs() as usize;
    for (setting, number) in [("at_once", EpoServer::AT_ONCE), ("retries", EpoServer::RETRIES), ("time_out", seconds)] {
        assert!(page.contains(&format!("| `endpoint.NAME.{setting}` | {number} |")), "{setting}");
    }
    assert!(page.contains(&format!("The most requests at a time, 1 to {} |", EpoServer::MOST_AT_ONCE)));
}

#[test]
fn settings_of_servers() {
    let server = Server::well_behaved();
    let place = place(&server, "", "key_file = \"key\"\ntime_out = 7\n");
    let said = place.epo_with(&["settings"], "", &[("EPO_ENDPOINT__JUDGE__AT_ONCE", "3"), ("EPO_ENDPOINT__JUDGE__KEY_VARIABLE", "K")]);
    let line = |name: &str| {
        let line = said.out.lines().find(|line| line.starts_with(&format!("endpoint.judge.{name} "))).unwrap_or_default();
        line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert!(line("url").starts_with(&server.url), "{said:?}");
    assert_eq!(line("at_once"), "3 EPO_ENDPOINT__JUDGE__AT_ONCE");
    assert_eq!(line("key_variable"), "K EPO_ENDPOINT__JUDGE__KEY_VARIABLE");
    assert_eq!((line("key_file"), line("retries")), (String::new(), "8 default".into()));
    assert!(line("time_out").starts_with("7.0 /"), "{said:?}");
    for (variable, value, why) in [("AT_ONCE", "0", "it takes a whole number from 1 to 256"), ("RETRIES", "x", "it takes a whole number")] {
        let name = format!("EPO_ENDPOINT__JUDGE__{variable}");
        let what = variable.to_lowercase();
        let expected = format!("error: the setting `endpoint.judge.{what}` (from {name}) is wrong: {why}\n");
        place.epo_with(&["settings"], "", &[(&name, value)]).refuses(&expected);
    }
    let plan = place.epo_with(&["plan", "far.epo"], "", &[("EPO_ENDPOINT__JUDGE__KEY_VARIABLE", "HOME")]);
    assert!(plan.out.contains("the endpoint `judge` with the model `tiny`: answers\n"), "{plan:?}");
}
