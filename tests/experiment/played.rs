//! Stages that only play, killed and started again.

use super::runs::Runs;
use std::fs;
use std::path::PathBuf;

const FILE: &str = "tests/experiment/played.epo";

#[test]
fn what_was_played_is_not_played_again() {
    let results = |runs: &Runs| {
        let read = |stage: &str, file: &str| fs::read(runs.task_of("played", stage).join(file)).unwrap();
        let episodes = ["shown", "end"].map(|stage| read(stage, "episodes.jsonl"));
        (episodes, read("shown", "outputs/episodes/episodes.json"), read("end", "outputs/results/results.json"))
    };
    let whole = Runs::new();
    whole.run(FILE, &["--threads", "1"]).exits(0);
    let a_thousand_episodes = |path: &PathBuf| !path.to_string_lossy().contains("iteration-0");
    let one_split = |path: &PathBuf| path.ends_with("iteration-0001");
    for far in [&a_thousand_episodes as &dyn Fn(&PathBuf) -> bool, &one_split] {
        let stopped = Runs::new();
        stopped.kill_after(FILE, &["--threads", "1"], far);
        stopped.run(FILE, &["--threads", "2"]).exits(0).says("going on at iteration");
        assert!(results(&whole) == results(&stopped), "being killed changed a byte");
    }
}
