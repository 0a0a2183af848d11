//! What `only` leaves out of an advantage is left out of everything that is computed of it.

use super::support::*;
use epo::objective::probe::{ProbeAnswer, ProbeBatch, probe};
use serde_json::{Value, json};

/// Three episodes of one turn with 1, 2 and 1 tokens in one group, and one of a group of its own; the second and the last succeed.
fn file() -> Value {
    json!({
        "mask": [[1, 0], [1, 1], [1, 0], [1, 0]], "group": [0, 0, 0, 1], "episode": [0, 1, 2, 3], "turn": [0, 0, 0, 0],
        "reward": [[0, 0], [0, 1], [0.5, 0], [1, 0]], "step_reward": [0, 1, 0.5, 1], "success": [0, 1, 0, 1],
        "logp": [[-1, 0], [-2, -3], [-4, 0], [-5, 0]], "old_logp": [[-1, 0], [-2, -3], [-4, 0], [-5, 0]],
        "ref_logp": [[-1, 0], [-1, -1], [-1, 0], [-1, 0]], "value": [[0, 0], [0, 0], [0, 0], [0, 0]],
        "entropy": [[1, 0], [1, 1], [1, 0], [1, 0]], "step": 3, "steps": 10,
    })
}

fn run(advantage_line: &str, loss_lines: &str) -> ProbeAnswer {
    let batch = ProbeBatch::from_value(&file()).expect("a batch");
    probe(Some(&loss_block(loss_lines)), Some(&advantage(advantage_line)), &batch).unwrap_or_else(|e| panic!("{advantage_line}: {e}"))
}

fn close(found: &[f64], wanted: &[f64], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    assert!(found.iter().zip(wanted).all(|(f, w)| (f - w).abs() < 1e-5), "{what}: {found:?} instead of {wanted:?}");
}

/// The tokens of the file, without padding.
fn tokens<T: Copy>(rows: &[Vec<T>]) -> Vec<T> {
    vec![rows[0][0], rows[1][0], rows[1][1], rows[2][0], rows[3][0]]
}

#[test]
fn a_mean_of_the_loss_is_over_the_tokens_that_are_left() {
    let answer = run("only(score, success)", "minimize = -mean(advantage * logp)");
    assert_eq!(tokens(&answer.advantage.expect("an advantage")), [None, Some(1.0), Some(1.0), None, Some(1.0)]);
    // (2 + 3 + 5) / 3: two tokens of the second episode and one of the last.
    close(&[answer.minimize.expect("a loss")], &[10.0 / 3.0], "the mean");
    let third = -1.0 / 3.0;
    close(&tokens(&answer.gradient.logp), &[0.0, third, third, 0.0, third], "the gradient");
}

#[test]
fn what_does_not_read_the_advantage_counts_every_token() {
    let answer = run(
        "only(score, success)",
        "surrogate = -mean(advantage * logp)\ndrift = mean(logp - ref_logp)\nminimize = surrogate + 0.5 * drift",
    );
    close(&[answer.terms["surrogate"], answer.terms["drift"]], &[10.0 / 3.0, (0.0 - 1.0 - 2.0 - 3.0 - 4.0) / 5.0], "the terms");
}

#[test]
fn turns_and_episodes_without_a_token_left_are_left_out_too() {
    let answer = run("only(score, success)", "minimize = -turn_mean(advantage * logp)");
    // Two turns are left, with the means 2.5 and 5.
    close(&[answer.minimize.expect("a loss")], &[3.75], "turn_mean");
    let answer = run("only(score, success)", "minimize = -mean(sum(advantage * logp, by = episode))");
    close(&[answer.minimize.expect("a loss")], &[5.0], "sums of 5 and 5");
}

#[test]
fn the_librarys_filter_filters() {
    // The group of one has nothing that varies.
    let answer = run("only_varied(grpo())", "minimize = mean(ppo_clip(0.2))");
    let found = tokens(&answer.advantage.expect("an advantage"));
    close(&found[..4].iter().flatten().copied().collect::<Vec<f64>>(), &[-1.0, 1.0, 1.0, 0.0], "group of 0, 1 and 0.5, deviation 0.5");
    assert_eq!(found[4], None, "the group of one");
    // The ratio is 1: −(−1 + 1 + 1 + 0) / 4.
    assert!((answer.minimize.expect("a loss") + 0.25).abs() < 1e-5);
}

#[test]
fn whitening_is_over_what_is_left_and_leaves_the_rest_out() {
    let answer = run("whiten(only(score, score > 0))", "minimize = -mean(advantage * logp)");
    // Episodes: 1, 0.5 and 1 are left, with mean 5/6 and variance 1/12.
    let deviation = (1.0f64 / 12.0).sqrt();
    let (high, low) = (1.0 / 6.0 / deviation, -1.0 / 3.0 / deviation);
    let found = tokens(&answer.advantage.expect("an advantage"));
    assert_eq!(found[0], None);
    close(&found.iter().flatten().copied().collect::<Vec<f64>>(), &[high, high, low, high], "whitened");
    close(&[answer.minimize.expect("a loss")], &[(high * 5.0 + low * 4.0 + high * 5.0) / 4.0], "four tokens are left");
}

#[test]
fn no_sum_brings_it_back() {
    for line in ["only(score, success) + 0.1 * entropy", "0.1 * entropy - only(score, success)", "2 * (only(score, success) + 1)"] {
        let found = tokens(&run(line, "minimize = -mean(advantage * logp)").advantage.expect("an advantage"));
        assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, true, false, true], "{line}");
    }
}

#[test]
fn a_reward_that_is_left_out_leaves_its_steps_out() {
    let answer = run("gae(only(outcome, success), old_value)", "minimize = mean((value - returns) ^ 2) - mean(advantage * logp)");
    assert_eq!(tokens(&answer.advantage.expect("an advantage")), [None, Some(1.0), Some(1.0), None, Some(1.0)]);
    // The returns of the three tokens that are left are 1, the values 0.
    close(&[answer.minimize.expect("a loss")], &[1.0 + 10.0 / 3.0], "the loss");
}

#[test]
fn where_nothing_is_left_the_other_summands_stay() {
    let answer = run("only(score, score > 2)", "minimize = 0.5 * mean(ppo_clip(0.2)) + mean(entropy)");
    assert_eq!(answer.minimize, Some(1.0));
    close(&tokens(&answer.gradient.logp), &[0.0; 5], "no gradient");
}

#[test]
fn a_branch_that_is_not_taken_leaves_nothing_out() {
    let found =
        tokens(&run("where(success, only(score, success), -1)", "minimize = -mean(advantage * logp)").advantage.expect("an advantage"));
    assert_eq!(found, [Some(-1.0), Some(1.0), Some(1.0), Some(-1.0), Some(1.0)]);
}

/// A minibatch keeps what is left out, and a batch file says it with `null`.
#[test]
fn a_batch_file_may_leave_tokens_out() {
    let mut file = file();
    file["advantage"] = json!([[null, 0], [1, 1], [null, 0], [1, 0]]);
    let batch = ProbeBatch::from_value(&file).expect("a batch");
    let objective = loss("-mean(advantage * logp)");
    let whole = probe(Some(&objective), None, &batch).expect("an answer");
    close(&[whole.minimize.expect("a loss")], &[10.0 / 3.0], "of the file");
    let part = batch.batch().select(&[2, 3]).expect("a minibatch");
    let part = objective.evaluate(&part, &epo::objective::History::default()).expect("a loss");
    close(&[part.minimize], &[5.0], "of rows 2 and 3 the last is left");
}
