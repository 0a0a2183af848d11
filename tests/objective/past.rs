//! What is remembered by task, state and several keys, and what counts less the longer ago it was.

use super::support::*;
use epo::objective::History;
use epo::objective::probe::{ProbeBatch, probe};
use serde_json::{Value, json};

/// One row of one token for each score, of these tasks.
fn file(scores: &[f64], tasks: &[u64]) -> Value {
    let rows: Vec<usize> = (0..scores.len()).collect();
    json!({
        "mask": vec![[1]; scores.len()], "episode": rows, "group": rows, "task": tasks, "turn": vec![0; scores.len()],
        "reward": scores.iter().map(|s| [*s]).collect::<Vec<_>>(), "logp": vec![[-1]; scores.len()], "anchor": tasks.iter().map(|t| t % 2).collect::<Vec<_>>(),
    })
}

fn scores(line: &str, iterations: &[(&[f64], &[u64])], now: &[u64]) -> Vec<f64> {
    let advantage = advantage(line);
    let mut history = History::default();
    for (scores, tasks) in iterations {
        advantage.record(ProbeBatch::from_value(&file(scores, tasks)).expect("a batch").batch(), &mut history).expect(line);
    }
    // What was remembered lasts: it is written to a file and read again.
    let history: History = serde_json::from_str(&serde_json::to_string(&history).expect("text")).expect("a history");
    let batch = ProbeBatch::from_value(&file(&vec![0.0; now.len()], now)).expect("a batch");
    advantage.evaluate(batch.batch(), &history).expect(line).advantage.into_iter().map(|a| a.expect("a value")).collect()
}

#[test]
fn each_task_has_a_past_of_its_own() {
    let past: [(&[f64], &[u64]); 3] = [(&[1.0, 0.0, 1.0], &[3, 4, 3]), (&[0.0], &[3]), (&[0.0, 1.0], &[5, 5])];
    assert_eq!(scores("history(score, by = task, first = 0.25)", &past, &[3, 4, 5, 6]), [0.5, 0.0, 0.5, 0.25]);
    assert_eq!(scores("history(score, by = task)", &past, &[3, 6]), [0.5, 0.0], "without a past a summand is 0");
    assert_eq!(scores("history(score, window = 2, by = task, first = 0.25)", &past, &[3, 4]), [0.0, 0.25]);
    let decayed = scores("history(score, by = task, first = 0.25, decay = 0.5)", &past, &[3, 4, 6]);
    assert_eq!(decayed, [(1.0 * 0.5 + 0.0) / 1.5, 0.0, 0.25], "the last counts twice the one before it");
    // As counts of successes and failures that fade: a = ρ a + r, b = ρ b + 1 − r, from 8 observations.
    let tracked = scores("history(score, by = task, first = 0.5, decay = 0.875, prior = 8)", &past, &[3, 4, 6]);
    let (mut a, mut b) = (4.0, 4.0);
    for r in [1.0, 0.0] {
        (a, b) = (0.875 * a + r, 0.875 * b + 1.0 - r);
    }
    assert!((tracked[0] - a / (a + b)).abs() < 1e-15 && tracked[2] == 0.5, "{tracked:?}");
    assert!((tracked[1] - 0.875 * 4.0 / (0.875 * 8.0 + 1.0)).abs() < 1e-15);
    // Of a state within its task, and of a turn of a task.
    assert_eq!(scores("history(score, by = anchor, first = 9)", &past, &[3, 4, 6]), [0.5, 0.0, 9.0]);
    assert_eq!(scores("history(score, by = [turn_index, task], first = 9)", &past, &[3, 4, 6]), [0.5, 0.0, 9.0]);
    // Where nothing is said of one, `first` may be another for each.
    assert_eq!(scores("history(score, by = task, first = mean(score, by = task) + 3)", &past, &[3, 6]), [0.5, 3.0]);
}

#[test]
fn a_batch_file_says_the_past_of_each_task() {
    let mut now = file(&[0.0, 0.0], &[3, 4]);
    now["history"] = json!([{ "3": 1 }, { "3": 0, "4": 1 }]);
    let batch = ProbeBatch::from_value(&now).expect("a batch");
    let answer = probe(None, Some(&advantage("history(score, by = task)")), &batch).expect("an answer");
    assert_eq!(all_there(answer.advantage), [[0.5], [1.0]]);
    now["history"] = json!([{ "3, 0": 1 }, { "3,0": 0, "4, 0": 1 }]);
    let batch = ProbeBatch::from_value(&now).expect("a batch");
    let answer = probe(None, Some(&advantage("history(score, by = [task, turn_index])")), &batch).expect("an answer");
    assert_eq!(all_there(answer.advantage), [[0.5], [1.0]]);
}

#[test]
fn a_batch_without_tasks_has_no_past_of_them() {
    let mut now = file(&[0.0, 0.0], &[3, 4]);
    now.as_object_mut().expect("an object").remove("task");
    now["history"] = json!([]);
    let error =
        probe(None, Some(&advantage("history(score, by = task)")), &ProbeBatch::from_value(&now).expect("a batch")).expect_err("no task");
    assert_eq!(error.to_string(), "the batch does not say which row belongs to which `task`");
    let two = json!({"mask": [[1], [1]], "group": [0, 0], "task": [1, 2], "logp": [[0], [0]]});
    let error = ProbeBatch::from_value(&two).expect_err("two tasks");
    assert_eq!(error.to_string(), "rows 0 and 1 belong to group 0, but to different tasks");
}

#[test]
fn what_cannot_be_remembered() {
    for (line, said) in [
        ("history(score, by = group)", "error[E0117]: `by` takes one of `turn_index`, `task`, `anchor`, found `group`"),
        (
            "history(score, by = anchors(2))",
            "error[E0311]: `history` cannot tell what belongs together in different iterations by `anchors(2)`",
        ),
        ("history(score, by = task, decay = 0)", "error[E0308]: `decay` of"),
        ("history(score, by = task, decay = score)", "error[E0308]: `decay` must be a number that is known before the run, not `score`"),
        ("history(score, by = task, prior = 8)", "error[E0304]: `prior` says how much `first` counts, and there is no `first`"),
        (
            "history(score, by = task, first = reward)",
            "error[E0311]: `first` of `history` takes one value a task, but `reward` has one value a turn",
        ),
    ] {
        let found = messages(&format!("advantage = {line}"));
        assert!(found.starts_with(said), "{line}: {found}");
    }
}

/// Of all values of the iterations that are looked at.
#[test]
fn a_quantile_of_what_was_there() {
    let past: [(&[f64], &[u64]); 4] = [(&[9.0], &[1]), (&[1.0, 2.0], &[1, 2]), (&[4.0], &[1]), (&[8.0], &[3])];
    let of = |arguments: &str, past| scores(&format!("history(score, quantile = {arguments})"), past, &[1]);
    assert_eq!(of("0.25", &past), [2.0]);
    assert_eq!(of("1", &past), [9.0]);
    assert_eq!(of("0.25, window = 3", &past), [1.75], "of 1, 2, 4, 8");
    assert_eq!(of("0, window = 1, first = 3", &past), [8.0]);
    assert_eq!(of("0.5, first = 3", &[]), [3.0]);
    assert_eq!(of("0.5", &[]), [0.0], "without a past a summand is 0");
    assert_eq!(scores("history(mean(score, by = task), quantile = 0.5)", &past[1..2], &[1]), [1.5]);
}
