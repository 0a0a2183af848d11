//! The conversation of `docs/process.md` is what is said.

#![cfg(unix)]

use crate::support::words;
use epo::env::process::{MOST_BYTES, PROTOCOL, Process};
use epo::env::{Program, World};

fn page() -> String {
    std::fs::read_to_string(crate::support::here("docs/process.md")).expect("the page")
}

fn exchange(page: &str) -> (Vec<&str>, Vec<&str>) {
    let block = page.split("```exchange\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a conversation");
    let side = |mark: &'static str| block.lines().filter_map(move |line| line.strip_prefix(mark)).collect::<Vec<_>>();
    (side("> "), side("< "))
}

#[test]
fn the_conversation_of_the_page_is_what_is_said() {
    let page = page();
    let (asked, answered) = exchange(&page);
    let place = tempfile::tempdir().unwrap();
    let (heard, answers) = (place.path().join("heard"), place.path().join("answers"));
    std::fs::write(&answers, answered.join("\n") + "\n").unwrap();
    let text = "while read -r line; do printf '%s\\n' \"$line\" >> \"$1\"; read -r answer <&3; printf '%s\\n' \"$answer\"; done 3< \"$2\"";
    let program = Program::new(words(&["/bin/sh", "-c", text, "sh", &heard.display().to_string(), &answers.display().to_string()]));
    let process = Process::start("guess", "1", &["left".into()], program).unwrap();
    assert_eq!((process.splits(), process.has_expert(), process.repeats()), (vec!["train", "test"], true, true));
    let mut game = process.instance().unwrap();
    let begin = game.reset(&process.panel("train", None).unwrap().tasks[7], 12 << 11).unwrap();
    assert_eq!((begin.task.as_str(), begin.text.as_str()), ("Guess the number.", "It is 1 to 3."));
    assert_eq!(game.admissible().unwrap(), ["guess 1", "guess 2", "guess 3"]);
    assert_eq!(game.placeholder("left").unwrap(), "3");
    let action = game.expert().unwrap().unwrap();
    let step = game.step(&action).unwrap();
    assert_eq!((step.observation.as_str(), step.reward, step.valid, step.success), ("It is 3 to 3.", 0.0, true, false));
    assert_eq!((game.placeholder("left").unwrap().as_str(), game.figures()), ("1", vec![("guesses", 1.0)]));
    assert_eq!(game.step("fly").unwrap_err().to_string(), "the program says: ValueError: no wings (guess.py:12)");
    drop(game);
    let heard = std::fs::read_to_string(&heard).unwrap();
    assert_eq!(heard.lines().collect::<Vec<_>>(), asked);
}

#[test]
fn the_numbers_of_the_page_are_the_programs() {
    let page = page();
    assert!(page.contains(&format!("## The protocol, version {PROTOCOL}\n")));
    let bytes = MOST_BYTES.to_string();
    let (millions, rest) = bytes.split_at(1);
    assert!(page.contains(&format!("at most {millions},{},{} bytes long", &rest[..3], &rest[3..])));
    assert!(page.contains(&format!("| `env.NAME.time_out` | {} |", Program::TIME_OUT.as_secs())));
}
