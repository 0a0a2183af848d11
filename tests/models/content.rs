//! What a model's folder holds is part of what a task is; its name is not enough.

use crate::place::Place;
use epo::model::DecoderConfig;
use std::time::Duration;

const EVALUATED: &str = r#"
pipeline a {
  policy = causal_lm { weights = "model", context = 380, decode = choose {} }
  stages { end = evaluate { on = house.seen }, page = report { of = [end] } }
}
"#;

const TRAINED: &str = r#"
pipeline a {
  iterations = 4000
  policy     = causal_lm { weights = "model", context = 380, decode = choose {} }
  advantage  = grpo(score + mean(uniform, by = episode))
  loss { minimize = mean(ppo_clip(0.2)) + 0.1 * mean(kl_k3()) }
  stages { train = rl { on = house.train, groups = 1, group_size = 2 }, page = report { of = [train] } }
}
"#;

fn digest(place: &Place) -> String {
    let said = place.epo(&["plan", "a.epo", "--json"]);
    let plan: serde_json::Value = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}", said.err));
    plan["tasks"][0]["digest"].as_str().expect("a digest").to_string()
}

#[test]
fn another_model_under_the_same_name_is_another_task() {
    let place = Place::new();
    place.write(EVALUATED);
    place.run();
    assert!(place.epo(&["plan", "a.epo"]).out.contains("everything is up to date"));
    // One number of equal length.
    place.poke("model.norm.weight", 1.25);
    let plan = place.epo(&["plan", "a.epo"]).out;
    assert!(plan.contains("end   evaluate  changed: the content of `model`"), "{plan}");
    let said = place.run().err;
    assert!(said.contains("2 tasks: 2 to run"), "{said}");
}

#[test]
fn equal_content_is_the_same_task_on_every_machine() {
    let (here, there) = (Place::new(), Place::new());
    for place in [&here, &there] {
        place.write(EVALUATED);
    }
    std::fs::write(there.path("model/README.md"), "A page changes nothing.").expect("a file");
    assert_eq!(digest(&here), digest(&there));
    there.put_model("model", &DecoderConfig { rope_theta: 500.0, ..Place::shape() });
    assert_ne!(digest(&here), digest(&there));
}

#[test]
fn results_are_shown_where_the_model_is_gone_and_nothing_is_run() {
    let place = Place::new();
    place.write(EVALUATED);
    place.run();
    std::fs::rename(place.path("model"), place.path("elsewhere")).expect("a move");
    assert!(place.epo(&["plan", "a.epo"]).out.contains("everything is up to date"));
    let said = place.epo(&["a.epo", "--fresh"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(said.err.contains("error[E0505]: the model `model` cannot be used: model: there is no such folder or file"), "{}", said.err);
}

/// A file's length is not its content: of most of these there is no block on the disk.
#[cfg(unix)]
#[test]
fn files_of_any_length_are_not_read_to_their_end() {
    for (name, why) in [
        ("config.json", "config.json: has more than 16 MiB"),
        ("tokenizer.json", "tokenizer.json: has more than 256 MiB"),
        ("chat_template.jinja", "chat_template.jinja: has more than 16 MiB"),
        ("model.safetensors", "model.safetensors: has more than 256 MiB"),
        ("notes.txt", ""),
        ("more.safetensors", ""),
    ] {
        let place = Place::new();
        place.write(EVALUATED);
        let file = std::fs::OpenOptions::new().create(true).append(true).open(place.path("model").join(name)).expect("a file");
        file.set_len(1 << 42).expect("a long file");
        let said = place.epo(&["a.epo"]);
        assert_eq!(said.code, Some(if why.is_empty() { 0 } else { 2 }), "{name}: {}", said.err);
        assert!(said.err.contains(why), "{name}: {}", said.err);
    }
}

/// As after Ctrl-C: half done, with a checkpoint.
#[cfg(unix)]
#[test]
fn a_run_does_not_go_on_with_another_model() {
    use std::process::{Command, Stdio};
    let place = Place::new();
    place.write(TRAINED);
    let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
    command.args(["a.epo", "--quiet"]).current_dir(place.path("")).env_clear().env("HOME", place.path("")).stderr(Stdio::null());
    let mut child = command.spawn().expect("the command starts");
    // Any: on a fast machine the first ones are gone before they are seen.
    let checkpoints = |task: std::fs::DirEntry| std::fs::read_dir(task.path().join("checkpoints")).ok();
    let begun = || {
        let mut all = std::fs::read_dir(place.path("runs/tasks")).ok()?.flatten().filter_map(checkpoints).flatten().flatten();
        all.find(|checkpoint| checkpoint.file_name().to_string_lossy().starts_with("iteration-"))
    };
    for _ in 0..600 {
        if begun().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    child.kill().expect("it runs");
    child.wait().expect("it ended");
    assert!(begun().is_some(), "no checkpoint was written");

    std::fs::rename(place.path("model"), place.path("first")).expect("a move");
    place.put_model("model", &DecoderConfig { rope_theta: 500.0, ..Place::shape() });
    let said = place.epo(&["a.epo"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(said.err.contains("error[E0506]: `a.train` is half done at iteration "), "{}", said.err);
    assert!(said.err.contains(" with another content of `model`; it cannot go on with what lies there now"), "{}", said.err);
    assert!(said.err.contains("put back what lay in `model` to go on, or begin anew with `--fresh`"), "{}", said.err);
    assert!(place.epo(&["plan", "a.epo"]).out.contains("half done at iteration "));

    // With the first in its place it would go on.
    std::fs::remove_dir_all(place.path("model")).expect("a folder");
    std::fs::rename(place.path("first"), place.path("model")).expect("a move");
    let plan = place.epo(&["plan", "a.epo"]).out;
    assert!(plan.contains("half done: goes on at iteration "), "{plan}");
}
