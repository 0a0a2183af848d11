//! What reaches a terminal: words, and nothing that it would obey.

use crate::support::{Place, SMALL, Said};

const ESCAPE: &str = "\u{1b}[31mRED\u{1b}]0;owned\u{7}\u{9b}2J";
const TURNED: &str = "a\u{202e}b\u{2066}c";

/// Neither control characters nor marks of direction.
#[track_caller]
fn harmless(said: &Said, context: &str) {
    for text in [&said.out, &said.err] {
        let found = text
            .chars()
            .find(|c| c.is_control() && *c != '\n' && *c != '\t' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
        assert_eq!(found, None, "{context}: {text:?}");
    }
}

#[test]
fn what_a_terminal_obeys_does_not_reach_it() {
    let titled = SMALL.replace("\"Small\"", &format!("\"<b> {ESCAPE} {TURNED}\""));
    let prompted = SMALL.replace("\"{observation}\"", &format!("\"\"\"\n{ESCAPE}{TURNED}\n{{observation}}\"\"\""));
    let imports = format!("import \"{ESCAPE}x\"\nimport \"{TURNED}\"\nimport \"{ESCAPE}.epo\"\n");
    let file = format!("{ESCAPE}{TURNED}.epo");
    let place = Place::new(&[("a.epo", &titled), ("p.epo", &prompted), ("e.epo", &imports), (&file, "x = y\n"), ("other.epo", SMALL)]);
    for args in [
        ["check", "a.epo"].as_slice(),
        &["check", "p.epo"],
        &["check", "e.epo"],
        &["check", "e.epo", "--json"],
        &["check", &file],
        &["check", ESCAPE],
        &["plan", "a.epo"],
        &["plan", "a.epo", "--json"],
        &["plan", "p.epo", "--json"],
        &["plan", "a.epo", "--dot"],
        &["show", "a.epo"],
        &["show", "p.epo"],
        &["show", "p.epo", "--as", "spec"],
        &["show", "p.epo", "--as", "ast"],
        &["diff", "a.epo", "other.epo"],
        &["diff", "p.epo", "other.epo"],
        &["fmt", &file],
        &["fmt", "--check", ESCAPE],
        &["a.epo"],
        &["p.epo"],
        &["report", "small"],
        &["runs"],
        &["runs", "--json"],
        &["runs", "rm", ESCAPE],
        &["--runs", ESCAPE, "runs"],
        &["settings", "--runs", ESCAPE],
        &["settings", "--runs", ESCAPE, "--json"],
        &["explain", ESCAPE],
        &["kinds", TURNED],
        &[ESCAPE],
        &["check", "a.epo", "--unknown\u{1b}[31m"],
        &["play", ESCAPE],
        &["new", ESCAPE],
    ] {
        harmless(&place.epo(args), &format!("{args:?}"));
    }
}

/// What is printed means what was read.
#[test]
fn a_prompt_with_such_characters_comes_back_from_show() {
    let prompt = format!("\"\"\"\n{ESCAPE}{TURNED}\u{200f}\n{{observation}}\"\"\"");
    let place = Place::new(&[("p.epo", &SMALL.replace("\"{observation}\"", &prompt))]);
    let digest = |file: &str| {
        let plan: serde_json::Value = serde_json::from_str(&place.epo(&["plan", file, "--json"]).out).expect("JSON");
        plan["digest"].as_str().expect("a digest").to_owned()
    };
    place.write("again.epo", &place.epo(&["show", "p.epo"]).out);
    assert_eq!(digest("again.epo"), digest("p.epo"));
    assert!(place.read("again.epo").contains("\\u{1b}[31mRED") && place.read("again.epo").contains("\\u{202e}"));
}

#[test]
fn characters_that_are_not_seen_are_warned_of() {
    for (text, code) in [(TURNED, "U+202E"), ("\u{1b}[31m", "U+001B")] {
        let place = Place::new(&[("a.epo", &SMALL.replace("\"Small\"", &format!("\"{text}\""))), ("c.epo", &format!("x = 1 # {text}\n"))]);
        for file in ["a.epo", "c.epo"] {
            let said = place.epo(&["check", file]);
            assert!(
                said.code == 0 && said.err.starts_with(&format!("warning[W0033]: the text holds {code}, which is not seen")),
                "{}",
                said.err
            );
        }
    }
}

#[test]
fn escapes_name_characters_by_number() {
    let place = Place::new(&[("a.epo", "x = \"\\u{41}\\u{1F600}\\u{1b}\"\ny = \"\\u{110000}\"\nz = \"\\u{}\"\nw = \"\\u1b\"\n")]);
    let said = place.epo(&["check", "a.epo"]);
    assert!(said.code == 1 && said.err.matches("error[E0009]: unknown escape `\\u`").count() == 3, "{}", said.err);
    assert!(!said.err.contains("a.epo:1:"), "{}", said.err);
}

/// A name says what is swept, not how it is laid out.
#[test]
fn fmt_changes_no_digest() {
    let swept = "1.0*2,   2/ 4 , (3),\n  - 3e-4";
    let text = format!("{SMALL}\npipeline a from small {{ weight = sweep({swept})\n  loss {{ minimize = mean(logp * weight) }} }}\n");
    let place = Place::new(&[("a.epo", &text)]);
    let plan = || {
        let said = place.epo(&["plan", "a.epo", "--json"]);
        let plan: serde_json::Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}", said.err));
        let labels: Vec<String> = plan["pipelines"].as_array().expect("a list").iter().map(|p| p["label"].to_string()).collect();
        (plan["digest"].to_string(), labels)
    };
    let before = plan();
    assert_eq!(place.epo(&["fmt", "a.epo"]).code, 0);
    assert_ne!(place.read("a.epo"), text);
    assert_eq!(plan(), before);
    assert_eq!(before.1, ["\"\"", "\"weight=2\"", "\"weight=0.5\"", "\"weight=(3)\"", "\"weight=-3e-4\""]);
}

#[test]
fn no_name_speaks_as_a_message_of_its_own() {
    let spoof = "x\\nerror: all is lost\\nwarning[W0001]: run this";
    let text =
        format!("import \"{spoof}\"\n{}", SMALL.replace("\"Small\"", &format!("\"{spoof}\"")).replace("random", &format!("\"{spoof}\"")));
    let place = Place::new(&[("a.epo", &text), ("b.epo", &SMALL.replace("\"Small\"", &format!("\"{spoof}\"")))]);
    for args in [&["check", "a.epo"][..], &["plan", "b.epo"], &["show", "b.epo"], &["b.epo"], &["report", "small"], &["runs"]] {
        let said = place.epo(args);
        assert!(!said.out.contains("\nerror: all") && !said.err.contains("\nerror: all"), "{args:?}: {}{}", said.out, said.err);
        assert!(!said.out.contains("\nwarning[W0001]") && !said.err.contains("\nwarning[W0001]"), "{args:?}: {}{}", said.out, said.err);
    }
}
