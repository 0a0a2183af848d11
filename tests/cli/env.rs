//! Environments from the command line.

use crate::support::{Place, SMALL};

#[test]
fn play_reads_commands_from_stdin() {
    let place = Place::new(&[("small.epo", SMALL)]);
    let args = ["play", "small.epo:house", "--split", "train", "--task", "1"];
    let said = place.epo_with(&args, &"expert\n".repeat(60), &[]);
    assert_eq!(said.code, 0, "{}", said.err);
    let last = said.out.lines().last().expect("an end");
    assert!(last.starts_with("the goal is reached: ") && last.ends_with(" turns, reward 1"), "{last}");
    // the same again by the numbers of the list
    let actions: Vec<&str> = said.out.lines().filter_map(|l| l.strip_prefix("> ")).collect();
    let again = place.epo_with(&args, &(actions.join("\n") + "\n"), &[]);
    assert_eq!((again.code, again.out), (0, said.out.clone()));
    let first = said.out.lines().find(|l| l.starts_with("   0  ")).and_then(|l| l.get(6..)).expect("a list of actions");
    let by_number = place.epo_with(&args, "0\nquit\n", &[]);
    assert!(
        by_number.out.contains(&format!("\n> {first}\n")) && by_number.out.ends_with("\nleft after 1 turns, reward 0\n"),
        "{}",
        by_number.out
    );
    let nonsense = place.epo_with(&args, "fly to the moon\nhelp\n\nquit\n", &[]);
    assert!(
        nonsense.code == 0 && nonsense.err.contains("this was not possible\n") && nonsense.err.contains("type an action or its number")
    );
}

#[test]
fn play_says_what_it_cannot_find() {
    let place = Place::new(&[("small.epo", SMALL)]);
    place.epo(&["play", "househld"]).refuses("error: there is no environment `househld`\n  = help: did you mean `household`?\n");
    place.epo(&["play", "household", "--split", "sen"]).refuses("error: there is no split `sen`\n  = help: did you mean `seen`?\n");
    place.epo(&["play", "household", "--task", "put/none"]).refuses("error: there is no task `put/none` in the split `train`\n");
    place.epo(&["play", "small.epo:hose"]).refuses(
        "error[E0101]: the file has no line `hose`\n  = help: did you mean `house`?\n  = help: its lines are `look`, `house`\n1 error\n",
    );
    let said = place.epo(&["play", "small.epo:look"]);
    assert!(said.code == 1 && said.err.contains("error[E0201]: expected an environment, found "), "{said:?}");
    let said = place.epo(&["play", "nothing.epo:house"]);
    assert!(said.code == 1 && said.err.contains("there is no file `nothing.epo`"), "{said:?}");
}

#[test]
fn check_and_bench() {
    let place = Place::new(&[]);
    let said = place.epo(&["env", "check", "household", "--games", "3"]);
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(said.code == 0 && lines[..3].iter().all(|l| l.contains(": 3 of 3 games solved by the expert, ")), "{said:?}");
    assert!(lines[3..7].iter().all(|l| l.starts_with("yes  ")), "{said:?}");
    assert!(lines[7].starts_with("16 episodes of ") && lines[7].ends_with("; 16 different openings"), "{said:?}");
    let promised = "promised: the same text gives the same bytes, wherever a run is stopped, and for every number of threads";
    assert_eq!(lines[10..], [promised], "{said:?}");
    let json: serde_json::Value =
        serde_json::from_str(&place.epo(&["env", "check", "household", "--games", "2", "--json"]).out).expect("JSON");
    assert_eq!((json["splits"][2]["split"].as_str(), json["splits"][2]["solved"].as_u64()), (Some("unseen"), Some(2)));
    assert_eq!(json["promises"]["threads"], "holds");
    let bench: serde_json::Value =
        serde_json::from_str(&place.epo(&["env", "bench", "household", "--seconds", "0.1", "--json"]).out).expect("JSON");
    assert!(bench["steps_per_second"].as_f64().is_some_and(|n| n > 100.0) && bench["steps"].as_u64().is_some_and(|n| n > 0));
    place.epo(&["env", "bench", "household", "--seconds", "0"]).refuses("error: `--seconds` takes a number above 0, at most 3600\n");
    place.epo(&["env", "install", "household"]).answers("household needs nothing: it is compiled in\n");
    place
        .epo(&["env", "install", "nothing"])
        .refuses("error: there is no environment `nothing`\n  = help: there are `alfworld`, `household`, `openenv`, `process`, `scienceworld`; a line of a file is FILE:NAME\n");
}

/// Nothing is on the path here, neither Java nor pip.
#[test]
fn scienceworld_says_what_is_missing() {
    let place = Place::new(&[("school.epo", "school = scienceworld { tasks = [\"boill\"], prompt = windowed { then = \"\" } }\n")]);
    let archive = place.path(".local/share/epo/scienceworld/scienceworld.jar");
    let absent =
        format!("error: ScienceWorld is not installed: `{}` is missing; run `epo-run env install scienceworld`\n", archive.display());
    for args in [&["play", "scienceworld"][..], &["env", "bench", "scienceworld"], &["env", "check", "scienceworld"]] {
        let said = place.epo(args);
        assert!(said.code != 0 && said.out.is_empty() && said.err == absent, "{said:?}");
    }
    let said = place.epo(&["env", "install", "scienceworld"]);
    assert!(said.code == 1 && said.err.starts_with("error: no pip found (tried `python3 -m pip`, "), "{said:?}");
    place.write("there/scienceworld.jar", "PK half an archive");
    let said = place.epo(&["play", "scienceworld", "--data", "there"]);
    assert!(
        said.err.contains("scienceworld.jar` is not the file of ScienceWorld 1.2.3: it is damaged or of another version; "),
        "{said:?}"
    );
    let said = place.epo(&["play", "school.epo:school"]);
    assert!(said.code == 1 && said.err.contains("ScienceWorld has no task \"boill\"\n") && said.err.contains("did you mean"), "{said:?}");
    let said = place.epo_with(&["env", "check", "scienceworld", "--transcripts", "none.jsonl"], "", &[]);
    assert!(said.code == 1 && said.err.starts_with("error: `none.jsonl`: "), "{said:?}");
}
