//! Policies of runs: how they are named, and that they answer as they play.

use crate::server::{CHAT, Server, TEXT};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PIPELINE: &str = r#"
import "std/losses.epo"
import "std/advantages.epo"

prompt look = """
{task}
{observation}
>"""

house = household {
  kinds = [study], receptacles = 5, openable = 0.2, objects = 3, families = [put]
  max_turns = 3
  prompt = windowed { then = look, history = 1, max_tokens = 300 }
  train  = games { split = "train", count = 4 }
}

pipeline a {
  advantage = grpo()
  loss { minimize = mean(ppo_clip(0.2)) }
  stages {
    words = tokenizer { on = house.train, vocabulary = 300 }
    shown = collect { on = house.train, actor = expert, only_successes = false, episodes = 4 }
    warm  = sft {
      policy = decoder { tokenizer = words, layers = 1, width = 16, heads = 2, context = 400,
                         decode = sample { temperature = 0, max_tokens = 24, stop = ["\n", " shelf"] } }
      episodes = shown, epochs = 1
    }
    train = rl { on = house.train, policy = warm, groups = 1, group_size = 2, iterations = 1 }
    plays = collect { actor = warm, on = house.train, only_successes = false, episodes = 4 }
    page  = report { of = [plays, train, warm] }
  }
}
"#;

fn epo(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
    command.args(args).current_dir(folder).env_clear().env("HOME", folder).env("NO_COLOR", "1").output().expect("the command starts")
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn task(root: &Path, name: &str) -> PathBuf {
    let run = std::fs::read_dir(root.join("runs/a")).expect("runs").next().expect("a run").expect("an entry").path();
    run.join("tasks").join(name)
}

#[test]
fn a_policy_answers_as_it_plays_and_is_named_as_its_run_names_it() {
    let place = tempfile::tempdir().expect("a folder");
    let root = place.path();
    std::fs::write(root.join("a.epo"), PIPELINE).expect("a file");
    let done = epo(root, &["a.epo", "--quiet"]);
    assert!(done.status.success(), "{}", said(&done));

    let server = Server::start(root, &["a:warm"], &[]);
    assert!(server.first.starts_with("serving `a:warm` at "), "{}", server.first);
    let episodes = std::fs::read_to_string(task(root, "a.plays").join("episodes.jsonl")).expect("episodes");
    let mut turns = 0;
    for episode in episodes.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")) {
        for turn in episode["turns"].as_array().expect("turns") {
            let response = turn.get("response").unwrap_or(&turn["action"]);
            // Greedy, 24 tokens, and its own stop texts, for nothing is said of them.
            let text = server.post(TEXT, &json!({ "prompt": turn["prompt"] })).ok();
            assert_eq!(text["choices"][0]["text"], *response);
            let chat = server.post(CHAT, &json!({ "messages": [{ "role": "user", "content": turn["prompt"] }] })).ok();
            assert_eq!(chat["choices"][0]["message"]["content"], *response);
            assert_eq!(chat["usage"], text["usage"]);
            turns += 1;
        }
    }
    assert!(turns >= 8, "{turns}");
    // A conversation is text behind text: the same tokens as all of it at once, and the ends of what was answered.
    let messages = json!([{ "role": "system", "content": "a\n" }, { "role": "user", "content": "b\n" }, { "role": "assistant", "content": "c" }, { "role": "user", "content": "\nd" }]);
    let talk = server.post(CHAT, &json!({ "messages": messages })).ok();
    let count = |text: &str| server.post(TEXT, &json!({ "prompt": text })).ok()["usage"]["prompt_tokens"].as_u64().expect("a count");
    assert_eq!(talk["usage"]["prompt_tokens"], count("a\nb\n") + count("c") + 1 + count("\nd"));
    drop(server);

    let folder = task(root, "a.warm");
    for name in ["a:a.warm", "a:warm.policy", folder.to_str().expect("UTF-8"), folder.join("outputs/policy").to_str().expect("UTF-8")] {
        drop(Server::start(root, &[name], &[]));
    }
    let refused = |name: &str| {
        let output = epo(root, &["serve", name, "--port", "0"]);
        assert_eq!(output.status.code(), Some(1));
        said(&output)
    };
    let several = refused("a");
    assert!(several.contains("error: `a` may mean several policies\n  = help: name one: `a/") && several.contains(":a.warm`"), "{several}");
    let none = refused("a:shown");
    assert!(none.contains("no policy of the run `a/") && none.contains("is called `shown`\n  = help: there are `a/"), "{none}");
    assert!(refused("b:warm").contains("error: no run is called `b`"), "{}", refused("b:warm"));

    std::fs::write(folder.join("outputs/policy/policy.json"), "{}").expect("a file");
    let damaged = refused("a:warm");
    assert!(damaged.contains("policy.json") && damaged.contains("= help: run the pipeline's command again"), "{damaged}");
}
