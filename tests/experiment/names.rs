//! One computation under several names: it is made once, and what is written under a name is under the right one.

use super::runs::Runs;
use serde_json::Value;
use std::fs;

const FILE: &str = "tests/experiment/names.epo";

#[test]
fn results_have_the_names_of_their_own_pipeline() {
    let runs = Runs::new();
    runs.run(FILE, &[]).exits(0);
    let task = |pipeline: &str, stage: &str| runs.task_in("names", pipeline, stage);
    let results = |pipeline: &str| {
        let text = fs::read_to_string(task(pipeline, "end").join("outputs/results/results.json")).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()
    };
    for (pipeline, stage, split) in [("one", "warm", "house.seen"), ("other", "cold", "house.seen"), ("third", "warm", "home.known")] {
        let results = results(pipeline);
        assert_eq!((&results["stage"], &results["splits"][0]["split"]), (&stage.into(), &split.into()), "{pipeline}");
    }
    assert_eq!(results("one")["splits"][0]["tasks"], results("third")["splits"][0]["tasks"]);
    assert_eq!(task("one", "warm"), task("other", "cold"));
}
