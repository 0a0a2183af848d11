//! The first iteration: a summand of the equation, names put in and multiplied out, that needs the past is 0.

use super::support::*;
use epo::objective::probe::{ProbeAnswer, ProbeBatch, probe};
use serde_json::{Value, json};

/// Two rows of one token; means: logp −2, entropy 3.
fn file(step: u32) -> Value {
    let mut file = json!({
        "mask": [[1], [1]], "group": [0, 0], "episode": [0, 1], "turn": [0, 0], "reward": [[1], [3]],
        "logp": [[-1], [-3]], "old_logp": [[-1], [-3]], "entropy": [[2], [4]], "advantage": [[1], [1]],
        "value": [[0], [0]], "step": step, "steps": 10,
    });
    if step > 0 {
        file["history"] = json!([0.5]);
    }
    file
}

fn run(lines: &str, step: u32) -> ProbeAnswer {
    let batch = ProbeBatch::from_value(&file(step)).expect("a batch");
    probe(Some(&loss_block(lines)), None, &batch).unwrap_or_else(|e| panic!("{lines}: {e}"))
}

const H: &str = "history(mean(entropy))";

/// However it is written, it is 0.2 · mean(logp), and with a past of 0.5 it is 0.7 · mean(logp).
#[test]
fn the_same_equation_is_the_same_whatever_is_named() {
    for lines in [
        "minimize = 0.2 * mean(logp) + H * mean(logp)",
        "t = 0.2 * mean(logp)\nu = H * mean(logp)\nw = t + u\nminimize = w",
        "w = 0.2 * mean(logp) + H * mean(logp)\nminimize = w",
        "w = 0.2 * mean(logp) + H * mean(logp)\nv = w\nminimize = 2 * v / 2",
        "minimize = -(-(0.2 * mean(logp) + H * mean(logp)))",
        "minimize = (0.2 + H) * mean(logp)",
        "c = 0.2 + H\nminimize = c * mean(logp)",
        "minimize = mean(0.2 * logp + H * logp)",
        "minimize = turn_mean((H + 0.2) * logp)",
        "x = 0.2 * logp + H * logp\nminimize = mean(x)",
        "minimize = where(iteration >= 0, (0.2 + H) * mean(logp), mean(logp))",
        "minimize = mean(stop(0.2 + H) * logp)",
    ] {
        let lines = &lines.replace('H', H);
        let first = run(lines, 0);
        assert!((first.minimize.expect("a loss") + 0.4).abs() < 1e-12, "{lines}: {:?}", first.minimize);
        assert!(first.gradient.logp.concat().iter().all(|g| (g - 0.1).abs() < 1e-12), "{lines}: {:?}", first.gradient.logp);
        let later = run(lines, 1);
        assert!((later.minimize.expect("a loss") + 1.4).abs() < 1e-12, "{lines}: {:?}", later.minimize);
    }
}

/// A name that is used in two places has in each the value that its text would have there.
#[test]
fn a_name_has_the_value_of_its_text() {
    for lines in ["w = mean(logp) + H\nminimize = w + exp(w)", "minimize = (mean(logp) + H) + exp(mean(logp) + H)"] {
        // Within `exp` nothing is multiplied out: that summand is 0.
        assert_eq!(run(&lines.replace('H', H), 0).minimize, Some(-2.0), "{lines}");
    }
}

#[test]
fn a_function_of_the_past_is_no_summand() {
    for (text, wanted) in [
        ("mean(relu(entropy - 1.2 * H)) + mean(logp)", -2.0),
        ("mean(corridor(entropy, around = H)) + mean(logp)", -2.0),
        ("exp(mean(H * logp)) + mean(logp)", -2.0),
        ("mean(logp) / (1 + H) + mean(logp)", -2.0),
        ("(mean(logp) + H) ^ 2 + mean(logp)", -2.0),
    ] {
        assert_eq!(run(&format!("minimize = {}", text.replace('H', H)), 0).minimize, Some(wanted), "{text}");
    }
}

#[test]
fn a_branch_that_is_not_taken_needs_no_past() {
    assert_eq!(run(&format!("minimize = where(iteration > 0, {H}, 0.2) * mean(logp)"), 0).minimize, Some(-0.4));
    assert_eq!(run(&format!("minimize = exp(where(iteration > 0, {H}, 0)) * mean(logp)"), 0).minimize, Some(-2.0));
    assert_eq!(run(&format!("minimize = where(iteration > 0, {H}, 0.2) * mean(logp)"), 1).minimize, Some(-1.0));
}

#[test]
fn first_is_what_it_is_without_a_past() {
    let lines = "minimize = exp(history(mean(entropy), first = 0)) * mean(logp)";
    assert_eq!(run(lines, 0).minimize, Some(-2.0));
    assert_eq!(run(lines, 1).minimize, Some(-2.0 * 0.5f64.exp()));
    let lines = "minimize = mean(history(entropy, by = turn_index, first = 1.5) * logp)";
    assert_eq!(run(lines, 0).minimize, Some(-3.0));
    let of_the_batch = "minimize = history(mean(entropy), first = mean(entropy)) * mean(logp)";
    assert_eq!(run(of_the_batch, 0).minimize, Some(-6.0));
}

#[test]
fn an_advantage_follows_the_same_rule() {
    for (line, wanted) in [
        ("score + history(mean(score))", [1.0, 3.0]),
        ("2 * (score - history(mean(score)))", [2.0, 6.0]),
        ("gae(outcome + history(mean(score)) * outcome, old_value)", [1.0, 3.0]),
        ("whiten(score) * history(mean(score))", [0.0, 0.0]),
        ("score * history(mean(score), first = 2)", [2.0, 6.0]),
    ] {
        let batch = ProbeBatch::from_value(&file(0)).expect("a batch");
        let answer = probe(None, Some(&advantage(line)), &batch).unwrap_or_else(|e| panic!("{line}: {e}"));
        assert_eq!(answer.advantage.expect("an advantage").concat(), wanted.map(Some), "{line}");
    }
}

#[test]
fn first_is_one_number() {
    let said = messages("loss { minimize = mean(logp) * history(mean(entropy), first = entropy) }");
    assert!(
        said.contains("error[E0311]: `first` of `history` takes one value for the whole batch, but `entropy` has one value a token"),
        "{said}"
    );
}
