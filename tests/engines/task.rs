//! `epo-run task`, as a node starts it.

use crate::place::Place;

/// A run of which nothing is done: its job is never run.
fn handed_over() -> (Place, String, String) {
    let place = Place::new();
    place.program("sbatch", "[ \"$1\" = --version ] && exit\necho 7");
    place.program("squeue", "[ -d runs/small ] && echo '7|CANCELLED|None|epo '$(cd runs && echo small/*)");
    place.program("scancel", "exit 0");
    let said = place.epo(&["small.epo", "--engine", "slurm", "--only", "small[seed=0]"], &[]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("its job 7 of Slurm ended early"), "{}", said.err);
    let (folder, run) = place.run();
    let plan: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(folder.join("plan.json")).expect("a plan")).expect("JSON");
    let digest = plan["tasks"][0]["digest"].as_str().expect("a digest").to_owned();
    (place, run, digest)
}

#[test]
fn a_task_is_done_from_the_texts_of_its_run() {
    let (place, run, digest) = handed_over();
    let page = place.epo(&["task", &run, &"0".repeat(64)], &[]);
    assert!(page.code == 2 && page.err.contains("come to another plan, without the task 00000000"), "{}", page.err);
    // whoever handed it over may have changed the file since
    place.write("small.epo", "no recipe");
    let said = place.epo(&["task", &run, &digest], &[]);
    assert_eq!(said.code, 0, "{}", said.err);
    let again = place.epo(&["task", &run, &digest], &[]);
    assert!(again.code == 0 && again.err.contains("up to date"), "{}", again.err);
    let (folder, _) = place.run();
    let events = std::fs::read_to_string(folder.join(format!("jobs/{digest}.jsonl"))).expect("its events");
    let kinds: Vec<serde_json::Value> =
        events.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["event"].clone()).collect();
    assert_eq!(kinds.first().and_then(|kind| kind.as_str()), Some("task_started"), "{events}");
    assert_eq!(kinds.last().and_then(|kind| kind.as_str()), Some("task_taken"), "{events}");
}

#[test]
fn what_is_not_as_it_was_handed_over_is_said() {
    let (place, run, digest) = handed_over();
    let own = env!("CARGO_PKG_VERSION");
    let said = place.epo(&["task", &run, &digest, "--submitted-by", "0.0.9"], &[]);
    assert!(said.code == 2 && said.err.contains(&format!("handed over by epo-run 0.0.9, and this is epo-run {own}")), "{}", said.err);
    let said = place.epo(&["task", "small/nothing", &digest], &[]);
    assert!(said.code == 2 && said.err.contains("there is no run `small/nothing`"), "{}", said.err);
    let said = place.epo(&["task", "../small", &digest], &[]);
    assert!(said.code == 2 && said.err.contains("there is no run `../small`"), "{}", said.err);
    let said = place.epo(&["task", &run, "x"], &[]);
    assert!(said.code == 2 && said.err.contains("`x` is no digest"), "{}", said.err);
    let (folder, _) = place.run();
    let plan: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(folder.join("plan.json")).expect("a plan")).expect("JSON");
    let page = plan["tasks"][1]["digest"].as_str().expect("a digest");
    let said = place.epo(&["task", &run, page], &[]);
    assert!(said.code == 2 && said.err.contains("its input `small[seed=0].chance` is not finished"), "{}", said.err);
}
