//! The binary on whole experiments of seconds: `tests/experiment/tiny.epo` and what can go wrong on the way.
#![cfg(unix)]

#[path = "experiment/compare.rs"]
mod compare;
#[path = "experiment/dataset.rs"]
mod dataset;
#[path = "experiment/imitation.rs"]
mod imitation;
#[path = "experiment/middle.rs"]
mod middle;
#[path = "experiment/mlflow.rs"]
mod mlflow;
#[path = "experiment/names.rs"]
mod names;
#[path = "experiment/played.rs"]
mod played;
#[path = "experiment/rewards.rs"]
mod rewards;
#[path = "experiment/runs.rs"]
mod runs;
#[path = "experiment/sources.rs"]
mod sources;
#[path = "experiment/thoughts.rs"]
mod thoughts;
#[path = "experiment/trackers.rs"]
mod trackers;

use runs::{Runs, Said, command};
use safetensors::SafeTensors;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const TINY: &str = "tests/experiment/tiny.epo";
/// Long enough to be met in the middle.
const LONG: [&str; 2] = ["--set", "tiny.iterations=8"];

/// Of an uninterrupted run.
fn reference(more: &[&str]) -> Vec<u8> {
    let runs = Runs::new();
    runs.run(TINY, more).exits(0);
    runs.weights("train")
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
}

#[test]
fn runs_once_and_prints_the_table() {
    let runs = Runs::new();
    let first = runs.run(TINY, &[]).exits(0).says("6 to run").says("[4/6] tiny.train (rl)");
    for word in ["after Tiny", "seen", "(", "/4)", "report.html"] {
        assert!(first.out.contains(word), "no `{word}` in\n{}", first.out);
    }
    let page = first.out.lines().find(|line| line.ends_with("report.html")).expect("the page");
    assert!(fs::read_to_string(page).expect("the page").contains("</html>"));

    let again = runs.run(TINY, &[]).exits(0).says("everything is up to date");
    assert!(!again.err.contains("[1/"), "{}", again.err);
    assert_eq!(again.out, first.out);
}

/// The metrics of each iteration of RL.
fn metrics(runs: &Runs) -> Vec<Value> {
    let text = fs::read_to_string(runs.task("train").join("metrics.jsonl")).expect("metrics");
    text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["values"].clone()).collect()
}

#[test]
fn gradients_of_terms_are_logged_on_request() {
    let runs = Runs::new();
    // An indicator in place of the hinge: its norm is 0 in every iteration, that of the others is not.
    let dead = "tiny.loss.smooth=trajectory_mean(corridor_indicator(entropy, around = history(mean(entropy)), low = 1, high = 1))";
    // In so few episodes nothing is achieved; this reward is there all the same.
    let reward = "tiny.advantage=whiten(gae(turn_index, value, by = turn))";
    let changes = ["--set", dead, "--set", reward, "--set", "tiny.train.log=gradients", "--set", "tiny.iterations=2"];
    runs.run(TINY, &changes).exits(0).says("W0301");
    let found = metrics(&runs);
    assert_eq!(found.len(), 2);
    for values in &found {
        let norm = |name: &str| values[format!("gradient/{name}")].as_f64().unwrap_or_else(|| panic!("no gradient of {name} in {values}"));
        assert_eq!(norm("smooth"), 0.0, "{values}");
        for name in ["surrogate", "fit", "explore"] {
            assert!(norm(name) > 0.0, "{name} in {values}");
        }
    }
    assert!(found[1]["loss/smooth"].as_f64().expect("a value") > 0.0, "the value alone does not show it: {}", found[1]);

    let plain = Runs::new();
    plain.run(TINY, &["--set", "tiny.iterations=1"]).exits(0);
    assert!(metrics(&plain)[0].as_object().expect("an object").keys().all(|name| !name.starts_with("gradient/")));
}

/// A warning, no critic in its outputs, and a run that ends well; the first turns are left out of what is learned.
#[test]
fn a_critic_that_no_equation_uses_is_not_made() {
    let runs = Runs::new();
    let advantage = "tiny.advantage=only(whiten(outcome - turn_index), turn_index > 0)";
    let loss = ["--set", "tiny.loss.fit=mean(entropy)", "--set", "tiny.loss.minimize=surrogate"];
    let changes = [&loss[..], &["--set", advantage, "--set", "tiny.iterations=1"]].concat();
    runs.run(TINY, &changes).exits(0).says("W0308");
    assert!(runs.task("train").join("outputs/policy").exists());
    assert!(!runs.task("train").join("outputs/critic").exists());
    assert!(metrics(&runs)[0]["loss/surrogate"].as_f64().is_some_and(f64::is_finite));
}

/// What only some equations mention: a number drawn for each token, and the trainer's own view of what was sampled.
#[test]
fn what_an_equation_mentions_is_there() {
    let surrogate = "tiny.loss.surrogate=mean(rollout_weight() * only(clip_cov(0.2, from = -1, to = 9), uniform < 0.9))";
    let changes = ["--set", surrogate, "--set", "tiny.iterations=2"];
    let (one, other) = (Runs::new(), Runs::new());
    one.run(TINY, &changes).exits(0);
    other.run(TINY, &changes).exits(0);
    assert_eq!(metrics(&one), metrics(&other));
    assert_eq!(one.weights("train"), other.weights("train"));
}

/// `plan --json` by stage: up to date or not, and why.
fn plan(runs: &Runs, more: &[&str]) -> Vec<(String, bool, String)> {
    let said = Said::of(command(&[&["plan"][..], &runs.args(TINY, more), &["--json"]].concat()).output().expect("the binary")).exits(0);
    let plan: Value = serde_json::from_str(&said.out).expect("JSON");
    let tasks = plan["tasks"].as_array().expect("tasks");
    tasks
        .iter()
        .map(|task| {
            let reason = task["reason"].as_str().unwrap_or_default().to_string();
            (task["name"].as_str().unwrap_or_default().to_string(), reason.starts_with("up to date"), reason)
        })
        .collect()
}

#[test]
fn a_changed_number_in_the_loss_runs_rl_and_what_follows() {
    let runs = Runs::new();
    runs.run(TINY, &[]).exits(0);
    let change = ["--set", "tiny.weight=0.02"];
    let tasks = plan(&runs, &change);
    let up_to_date: Vec<&str> = tasks.iter().filter(|(_, done, _)| *done).map(|(name, ..)| name.as_str()).collect();
    assert_eq!(up_to_date, ["tiny.words", "tiny.shown", "tiny.warm"], "{tasks:?}");
    let why = &tasks.iter().find(|(name, ..)| name == "tiny.train").expect("rl").2;
    assert!(why.contains("changed") && why.contains("loss"), "{why}");
    let said = runs.run(TINY, &change).exits(0).says("3 to run, 3 taken from earlier runs").says("tiny.warm: up to date");
    assert!(!said.err.contains("(sft)"), "{}", said.err);
    // the old one is still there
    runs.run(TINY, &[]).exits(0).says("everything is up to date");
}

#[test]
fn killed_at_any_moment_the_same_weights() {
    let expected = reference(&LONG);
    let runs = Runs::new();
    let began = Instant::now();
    runs.run(TINY, &LONG).exits(0);
    let whole = began.elapsed();
    assert!(runs.weights("train") == expected, "two runs differ");
    for share in [0.2, 0.45, 0.65, 0.8, 0.95] {
        let runs = Runs::new();
        let mut child = runs.start(TINY, &LONG);
        std::thread::sleep(whole.mul_f64(share));
        let _ = child.kill();
        let _ = child.wait();
        runs.run(TINY, &LONG).exits(0);
        assert!(runs.weights("train") == expected, "killed after {share} of the run");
    }
}

/// In one run, again and again.
#[test]
fn killed_many_times() {
    let expected = reference(&LONG);
    let runs = Runs::new();
    for kill in 0..12 {
        let mut child = runs.start(TINY, &LONG);
        std::thread::sleep(Duration::from_millis(120 + 50 * kill));
        let _ = child.kill();
        if child.wait().expect("a process").success() {
            break;
        }
    }
    runs.run(TINY, &LONG).exits(0);
    assert!(runs.weights("train") == expected);
}

#[test]
fn threads_change_nothing() {
    assert!(reference(&["--threads", "1"]) == reference(&["--threads", "2"]));
}

/// Every tensor of a file as f64.
fn tensors(bytes: &[u8]) -> Vec<(String, Vec<f64>)> {
    let file = SafeTensors::deserialize(bytes).expect("tensors");
    let mut all: Vec<(String, Vec<f64>)> = file
        .tensors()
        .into_iter()
        .map(|(name, view)| {
            assert_eq!(view.dtype(), safetensors::Dtype::F32);
            (name, view.data().chunks_exact(4).map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect())
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[test]
fn micro_batches_change_nothing() {
    let with = |size: &str| tensors(&reference(&["--set", "tiny.iterations=1", "--set", &format!("tiny.train.micro_batch={size}")]));
    let all = with("1000");
    for size in ["1", "3"] {
        for ((name, a), (_, b)) in all.iter().zip(with(size)) {
            let norm = a.iter().map(|x| x * x).sum::<f64>().sqrt();
            let apart = a.iter().zip(&b).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt();
            assert!(apart <= 1e-5 * norm, "{name} with micro-batches of {size}: {}", apart / norm);
        }
    }
}

#[test]
fn a_term_that_is_not_finite_stops_with_its_place() {
    let runs = Runs::new();
    // log 1 in the first iteration, log 0 in the second
    let set = ["--set", "tiny.loss.fit=log(1 - iteration + 0 * mean(logp)) + mean(value_clip(0.2))"];
    runs.run(TINY, &set)
        .exits(2)
        .says("error[E0353]")
        .says("--> <command line>:1:")
        .says("log(1 - iteration + 0 * mean(logp))")
        .says("infinite")
        .says("last finite value")
        .says("while `tiny.train` was running");
    // it can be put right
    runs.run(TINY, &[]).exits(0).says("3 taken from earlier runs");
}

#[test]
fn interrupted_it_goes_on_to_the_same_weights() {
    let expected = reference(&LONG);
    let runs = Runs::new();
    let mut child = runs.start(TINY, &LONG);
    runs.wait_for_checkpoint(&mut child, 2);
    signal(&child, "INT");
    assert_eq!(child.wait().expect("a process").code(), Some(130));
    runs.run(TINY, &LONG).exits(0).says("going on at iteration");
    assert!(runs.weights("train") == expected);
}

/// A run on two threads that was killed behind its second checkpoint, and went on.
fn killed_once(file: &str, more: &[&str]) -> Runs {
    let runs = Runs::new();
    let more = [more, &["--threads", "2"]].concat();
    let mut child = runs.start(file, &more);
    runs.wait_for_checkpoint(&mut child, 2);
    let _ = child.kill();
    let _ = child.wait();
    runs.run(file, &more).exits(0).says("going on at iteration");
    runs
}

#[test]
fn with_any_optimizer_killed_it_goes_on_to_the_same_weights() {
    for optimizer in
        ["sgd { lr = 0.1, momentum = 0.9, nesterov = true, clip_norm = 1 }", "muon { lr = 0.005, others = adamw { lr = 1e-3 } }"]
    {
        let set = format!("tiny.optimizer={optimizer}");
        let more = [&LONG[..], &["--set", &set]].concat();
        let expected = reference(&[&more[..], &["--threads", "1"]].concat());
        assert!(killed_once(TINY, &more).weights("train") == expected, "{optimizer}");
    }
}

/// A number that depends on the updated policy, a past of each task, statistics of the whole batch, and more of the distributions.
#[test]
fn what_is_handed_on_is_the_same_after_a_kill() {
    let smooth = "tiny.loss.smooth=carry(0.1, next = carried * where(mean(logp) > mean(old_logp), 1.3, 0.8), low = 0.01, high = 1) * mean(entropy) \
        - 0.1 * mean(where(collision > collected(quantile(collision, 0.5)), collision * confidence, 0)) \
        + 0.01 * mean(kl_to_reference + kl_from_reference) + 0.1 * mean(top_share(2) - collected(mean(top_share(2)))) \
        + 0 * history(mean(score, by = group), quantile = 0.5)";
    let advantage = "tiny.advantage=whiten(gae(turn_index - history(turn_index, by = task, first = 1, decay = 0.9, prior = 2) \
        + mean(turn_index, by = [group, turn_index]), value, lambda = 1 / (1 + length), by = turn))";
    let more = [&LONG[..], &["--set", smooth, "--set", advantage]].concat();
    let whole = Runs::new();
    whole.run(TINY, &[&more[..], &["--threads", "1"]].concat()).exits(0);
    let runs = killed_once(TINY, &more);
    assert!(runs.weights("train") == whole.weights("train"));
    assert_eq!(metrics(&runs), metrics(&whole));
    let carried: Vec<f64> = metrics(&whole).iter().map(|values| values["carry/loss"].as_f64().expect("a number")).collect();
    assert_eq!((carried[0], carried.len()), (0.1, 8));
    for pair in carried.windows(2) {
        let factor = pair[1] / pair[0];
        assert!((factor - 1.3).abs() < 1e-12 || (factor - 0.8).abs() < 1e-12 || pair[1] == 0.01, "{carried:?}");
    }
}

/// Whole episodes in a minibatch, and a critic that has nothing of its own but a head.
#[test]
fn with_a_shared_trunk_killed_it_goes_on_to_the_same_weights() {
    // Something to learn whatever the episodes are worth.
    let fit = "tiny.loss.fit=mean((value - 1) ^ 2)";
    let set = ["--set", "tiny.critic.trunk=shared", "--set", "tiny.train.keep=episodes", "--set", fit];
    let more = [&LONG[..], &set].concat();
    let expected = reference(&[&more[..], &["--threads", "1"]].concat());
    let runs = killed_once(TINY, &more);
    assert!(runs.weights("train") == expected);
    let head = tensors(&std::fs::read(runs.task("train").join("outputs/critic/model.safetensors")).expect("the critic"));
    assert_eq!(
        head.iter().map(|(name, values)| (name.as_str(), values.len())).collect::<Vec<_>>(),
        [("value_head.bias", 1), ("value_head.weight", 16)]
    );
    assert!(head.iter().all(|(_, values)| values.iter().any(|value| *value != 0.0)));
    let shared = |record: &Value| record["tokens_shared"].as_f64().expect("a share");
    assert!(metrics(&runs).iter().all(|record| shared(record) > 0.1 && shared(record) < 1.0));
}

/// Conversations begin and end within an iteration.
#[test]
fn in_conversations_killed_it_goes_on_to_the_same_bytes() {
    let text = fs::read_to_string(TINY).expect("the file");
    let window = text.lines().find(|line| line.contains("windowed")).expect("its prompt");
    let talk = r#"  prompt = conversation { system = "{task}\n", first = "{observation}\n>", then = "\n{observation}\n>", max_tokens = 300, full = forget }"#;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tiny.epo");
    fs::write(&file, text.replace(window, talk)).expect("a file");
    let file = file.to_str().expect("a path");
    let policy = "tiny.policy=decoder { tokenizer = words, layers = 1, width = 16, heads = 2, context = 384 }";
    let more = [&LONG[..], &["--set", policy]].concat();
    let whole = Runs::new();
    whole.run(file, &[&more[..], &["--threads", "1"]].concat()).exits(0);
    let runs = killed_once(file, &more);
    assert!(runs.weights("train") == whole.weights("train"));
    for (stage, file) in [("shown", "episodes.jsonl"), ("train", "metrics.jsonl"), ("train", "episodes.jsonl"), ("end", "episodes.jsonl")] {
        let bytes = |runs: &Runs| fs::read(runs.task(stage).join(file)).expect("a file");
        assert!(bytes(&runs) == bytes(&whole), "{stage} {file}");
    }
    let values = metrics(&runs);
    assert!(values.iter().any(|v| v["prompt_cut"].as_f64() > Some(0.0)), "nothing was forgotten: {values:?}");
    assert!(values.iter().all(|v| v["conversation_full"] == 0.0), "{values:?}");
}

#[test]
fn interrupted_it_says_how_to_go_on() {
    let runs = Runs::new();
    let mut child = command(&runs.args(TINY, &LONG)).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary");
    runs.wait_for_checkpoint(&mut child, 1);
    signal(&child, "TERM");
    Said::of(child.wait_with_output().expect("a process")).exits(130).says("interrupted; run the same command again to go on");
}

#[test]
fn a_truncated_checkpoint_is_named_and_the_one_before_used() {
    let expected = reference(&LONG);
    let runs = Runs::new();
    let mut child = runs.start(TINY, &LONG);
    runs.wait_for_checkpoint(&mut child, 3);
    signal(&child, "INT");
    assert_eq!(child.wait().expect("a process").code(), Some(130));
    let of_rl: Vec<PathBuf> = runs.checkpoints().into_iter().filter(|p| p.join("critic.safetensors").exists()).collect();
    let newest = of_rl.last().expect("a checkpoint");
    let file = newest.join("policy.safetensors");
    let length = fs::metadata(&file).expect("a file").len();
    fs::OpenOptions::new().write(true).open(&file).expect("a file").set_len(length / 2).expect("shorter");
    let iteration: usize =
        newest.file_name().unwrap_or_default().to_string_lossy().trim_start_matches("iteration-").parse().expect("a number");
    let said = runs.run(TINY, &LONG).exits(0).says(&format!("going on at iteration {}", iteration - 1));
    let line = said.err.lines().find(|l| l.contains("is damaged")).unwrap_or_else(|| panic!("no warning in\n{}", said.err));
    assert!(
        line.contains(newest.file_name().unwrap_or_default().to_str().unwrap_or_default()) && line.contains("policy.safetensors"),
        "{line}"
    );
    assert!(runs.weights("train") == expected);
}

#[test]
fn a_second_process_says_that_the_first_is_at_work_and_waits() {
    use std::io::BufRead;
    let runs = Runs::new();
    let long = ["--set", "tiny.iterations=100000"];
    let mut child = runs.start(TINY, &long);
    runs.wait_for_checkpoint(&mut child, 1);
    let mut second = command(&runs.args(TINY, &long)).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary");
    let mut lines = std::io::BufReader::new(second.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    let words = format!("another epo-run (pid {}, since ", child.id());
    let said = lines.find(|line| line.contains(&words)).expect("it says that it waits");
    assert!(said.ends_with("; waiting until it is done"), "{said}");
    let tasks = plan(&runs, &long);
    assert!(tasks.iter().any(|(name, _, why)| name == "tiny.train" && why.contains(&format!("pid {}", child.id()))), "{tasks:?}");
    signal(&second, "INT");
    assert_eq!(second.wait().expect("a process").code(), Some(130), "it can be stopped");
    let _ = child.kill();
    let _ = child.wait();
}

#[test]
fn a_run_folder_that_cannot_be_written() {
    let runs = Runs::new();
    let file = runs.0.path().join("file");
    fs::write(&file, "something").expect("a file");
    for place in [file.clone(), file.join("runs")] {
        let place = place.to_str().expect("a path");
        let said =
            Said::of(command(&[TINY, "--runs", place]).output().expect("the binary")).exits(2).says("error[E0502]").says("--runs DIR");
        assert!(said.err.contains(place), "{}", said.err);
    }
    assert_eq!(fs::read_to_string(&file).expect("a file"), "something");
}

#[test]
fn a_run_folder_of_a_newer_format_is_left_alone() {
    let runs = Runs::new();
    runs.run(TINY, &[]).exits(0);
    let status = runs.task("train").join("status.json");
    let text = fs::read_to_string(&status).expect("a status");
    let mut newer: Value = serde_json::from_str(&text).expect("JSON");
    newer["format"] = 99.into();
    let newer = newer.to_string();
    fs::write(&status, &newer).expect("a status");
    runs.run(TINY, &[]).exits(2).says("format 99, written by a newer epo-run").says("nothing was changed");
    runs.run(TINY, &["--fresh"]).exits(2);
    assert_eq!(fs::read_to_string(&status).expect("a status"), newer);
}

#[test]
fn what_check_exits_with() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("a file");
        path
    };
    let check = |path: &Path, more: &[&str]| {
        let began = Instant::now();
        let said = Said::of(command(&["check"]).arg(path).args(more).output().expect("the binary"));
        assert!(began.elapsed() < Duration::from_secs(10), "{}: {:?}", path.display(), began.elapsed());
        said
    };
    let right = check(Path::new(TINY), &["--deny-warnings"]).exits(0);
    assert!(right.out.contains("no mistakes") && right.err.is_empty(), "{}{}", right.out, right.err);

    let warned = write("warned.epo", b"pipeline a {\n  lambda = 1\n  stages { page = report { of = [] } }\n}\n");
    check(&warned, &[]).exits(0).says("warning[W0110]").says("1 warning");
    check(&warned, &["--deny-warnings"]).exits(1);

    check(Path::new("tests/diagnostics/five_mistakes.epo"), &[]).exits(1).says("5 errors");
    let json = check(Path::new("tests/diagnostics/five_mistakes.epo"), &["--json"]).exits(1);
    let codes: Vec<Value> = json.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["code"].clone()).collect();
    assert_eq!(codes.len(), 5, "{codes:?}");

    check(&folder.path().join("none.epo"), &[]).exits(1).says("none.epo").says("error[");
    check(folder.path(), &[]).exits(1).says("error[");
    let binary: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    check(&write("binary.epo", &binary), &[]).exits(1).says("error[").says("binary.epo");
    check(&write("zero.epo", &[0; 1000]), &[]).exits(1).says("error[");
    check(&write("parentheses.epo", &vec![b'('; 10_000_000]), &[]).exits(1).says("error[E0025]");
    check(&write("fewer.epo", &vec![b'('; 1_000_000]), &[]).exits(1).says("error[");
    // the same for a run
    let said = Said::of(command(&["tests/diagnostics/five_mistakes.epo"]).output().expect("the binary")).exits(1).says("5 errors");
    assert!(said.out.is_empty());
    assert_eq!(command(&["no_such_file.epo"]).output().expect("the binary").status.code(), Some(1));
    assert_eq!(command(&["check"]).output().expect("the binary").status.code(), Some(1));
    assert_eq!(command(&[TINY, "--only", "none"]).output().expect("the binary").status.code(), Some(1));
}
