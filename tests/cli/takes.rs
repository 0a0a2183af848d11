//! What `plan` says that a run will take: memory by the sizes of its models, time by what was run here before.

use crate::support::Place;
use serde_json::Value;

/// A decoder of a vocabulary of 300, 1 layer of width 16 and 2 heads, ffn 48.
const LEARNS: &str = r#"
import "lib/household.epo"

pipeline learns {
  policy = decoder { tokenizer = words, layers = 1, width = 16, heads = 2, ffn = 48, context = 64, decode = choose { from = admissible } }
  stages {
    words = tokenizer { on = house.train, vocabulary = 300, episodes = 4 }
    shown = collect { on = house.train, actor = expert, episodes = 6 }
    warm  = sft { episodes = shown, epochs = 2, minibatch = 8, optimizer = adamw { lr = 1e-3 } }
    train = rl {
      policy = warm, on = house.train, groups = 2, group_size = 2, iterations = 2, minibatch = 8
      optimizer = sgd { lr = 1e-3 }
      advantage = whiten(outcome)
      loss { minimize = -mean(advantage * exp(logp - old_logp)) }
    }
    page  = report { of = [warm, train] }
  }
}
"#;

/// Of the decoder: embedding, attention, feed-forward, norms.
const PARAMETERS: u64 = 300 * 16 + 4 * 16 * 16 + 3 * 16 * 48 + 3 * 16;

fn tasks(place: &Place, file: &str) -> Vec<Value> {
    let plan = place.epo(&["plan", file, "--json", "--threads", "1"]);
    assert_eq!(plan.code, 0, "{}", plan.err);
    let plan: Value = serde_json::from_str(&plan.out).expect("JSON");
    plan["tasks"].as_array().expect("tasks").clone()
}

fn of<'a>(tasks: &'a [Value], name: &str) -> &'a Value {
    tasks.iter().find(|task| task["name"] == name).expect("the task")
}

#[test]
fn memory_is_that_of_the_models_and_what_is_done_with_them() {
    let place = Place::new(&[("learns.epo", LEARNS)]);
    let tasks = tasks(&place, "learns.epo");
    let memory = |name: &str| of(&tasks, name)["memory"].clone();
    // Weights and their copy, two moments, the gradient and what is added to it.
    assert_eq!(memory("learns.warm")["models"], 4 * (2 + 2 + 2) * PARAMETERS);
    // `sgd` without momentum keeps nothing.
    assert_eq!(memory("learns.train")["models"], 4 * (2 + 2) * PARAMETERS);
    // Keys and values of a slot of the one lane that is played at a time.
    assert_eq!(memory("learns.train")["playing"], 2 * 4 * 64 * 16);
    assert_eq!(memory("learns.warm")["playing"], 0);
    assert!(memory("learns.train")["learning"].as_u64().expect("bytes") > 0);
    assert_eq!((memory("learns.shown")["models"].as_u64(), of(&tasks, "learns.words")["seconds"].as_str()), (Some(0), None));
    let plan = place.epo(&["plan", "learns.epo"]).out;
    assert!(plan.contains("\n         memory at most ") && plan.contains("\ntakes\n  memory  at most "), "{plan}");
    assert!(!plan.contains("  time "), "{plan}");
}

#[test]
fn time_is_that_of_what_was_run_here() {
    let place = Place::new(&[("learns.epo", LEARNS)]);
    let run = place.epo(&["learns.epo", "--quiet", "--threads", "1"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(tasks(&place, "learns.epo").iter().all(|task| task["seconds"].is_null() && task["memory"].is_null()), "nothing is to run");
    // Another equation and another rate take as long; twice the iterations twice as long, but for the two that are there.
    place.write("other.epo", &LEARNS.replace("-mean(advantage", "-2 * mean(advantage").replace("sgd { lr = 1e-3 }", "adamw { lr = 1e-2 }"));
    let other = tasks(&place, "other.epo");
    let seconds = of(&other, "learns.train")["seconds"].clone();
    assert!(seconds["as"] == "learns.train" && seconds["about"].as_f64().expect("a number") > 0.0, "{seconds}");
    place.write("other.epo", &LEARNS.replace("-mean(advantage", "-2 * mean(advantage").replace("iterations = 2", "iterations = 6"));
    let longer = tasks(&place, "other.epo");
    let ratio = of(&longer, "learns.train")["seconds"]["about"].as_f64().expect("a number") / seconds["about"].as_f64().expect("a number");
    assert!((ratio - 3.0).abs() < 1e-6, "{ratio}");
    // A larger model is not like it, and neither is another machine.
    place.write("other.epo", &LEARNS.replace("width = 16", "width = 32"));
    assert!(of(&tasks(&place, "other.epo"), "learns.train")["seconds"].is_null());
    place.write("other.epo", &LEARNS.replace("-mean(advantage", "-2 * mean(advantage"));
    let text = place.epo(&["plan", "other.epo", "--threads", "1"]).out;
    assert!(text.contains(", as learns.train took") && text.contains("\n  time    about "), "{text}");
    assert!(!place.epo(&["plan", "other.epo", "--threads", "2"]).out.contains("as learns.train took"));
}

#[test]
fn models_that_cannot_fit_are_said_before_the_run() {
    let huge = LEARNS.replace("layers = 1, width = 16", "layers = 100, width = 16384").replace("ffn = 48", "ffn = 65536");
    let place = Place::new(&[("huge.epo", &huge)]);
    let plan = place.epo(&["plan", "huge.epo"]);
    assert_eq!(plan.code, 0, "{}", plan.err);
    assert!(plan.err.contains("warning[W0402]: `learns.warm` needs about ") && plan.err.contains(" for its models, and "), "{}", plan.err);
}
