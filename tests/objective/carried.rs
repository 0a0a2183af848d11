//! What a loss knows of the whole collected batch, and what an iteration hands on to the next.

use super::random::batch;
use super::support::*;
use epo::objective::probe::{ProbeBatch, probe};
use epo::objective::{Batch, History};
use serde_json::json;

fn close(a: f64, b: f64, what: &str) {
    assert!((a - b).abs() < 1e-12, "{what}: {a} is not {b}");
}

#[test]
fn a_minibatch_knows_the_statistics_of_the_whole() {
    let file = ProbeBatch::from_value(&batch(3)).expect("a batch");
    let history = History::default();
    let column = |batch: &Batch, name: &str| batch.get(name).expect(name);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let objective = loss(
        "collected(mean(logp)) * mean(logp) + mean(where(collected(top(old_value, 0.3)), entropy, 0)) + mean(collected(rank(uniform)) * value)",
    );
    let mut whole = file.batch().clone();
    let alone = objective.evaluate(&whole, &history).expect("a value");
    objective.collect(&mut whole, &history).expect("a value");
    assert_eq!(objective.evaluate(&whole, &history).expect("a value"), alone, "without that a batch is the whole");
    let rows: Vec<usize> = (0..whole.row_count()).filter(|row| row % 2 == 0).collect();
    let part = whole.select(&rows).expect("a minibatch");
    let (all, uniform) = (column(&whole, "old_value"), column(&whole, "uniform"));
    let mut sorted = all.clone();
    sorted.sort_by(f64::total_cmp);
    let bound = sorted[all.len() - ((0.3 * all.len() as f64).floor() as usize).max(1)];
    let tokens: Vec<usize> = rows.iter().flat_map(|&row| whole.tokens(row)).collect();
    let (entropy, value) = (column(&whole, "entropy"), column(&whole, "value"));
    let high: Vec<f64> = tokens.iter().map(|&t| if all[t] >= bound { entropy[t] } else { 0.0 }).collect();
    let ranked: Vec<f64> = tokens.iter().map(|&t| uniform.iter().filter(|u| **u < uniform[t]).count() as f64 * value[t]).collect();
    let wanted = mean(&column(&whole, "old_logp")) * mean(&column(&part, "logp")) + mean(&high) + mean(&ranked);
    let found = objective.evaluate(&part, &history).expect("a value");
    close(found.minimize, wanted, "the equation on a minibatch");
    // `logp` in it is the collecting policy's, and a constant.
    let slope = mean(&column(&whole, "old_logp")) / tokens.len() as f64;
    found.gradient.logp.expect("a gradient").iter().for_each(|g| close(*g, slope, "a slope"));
    // Groups of the whole, in a minibatch that tears them apart.
    let by_group = loss("mean(collected(mean(old_value, by = [group, turn_index])) * logp)");
    let mut whole = file.batch().clone();
    by_group.collect(&mut whole, &history).expect("a value");
    let torn = by_group.evaluate(&whole.select(&rows).expect("a minibatch"), &history).expect("a value").minimize;
    let each = whole.rows();
    let key = |row: usize| (each.group.as_ref().expect("groups")[row], each.turn_index.as_ref().expect("turns")[row]);
    let logp = column(&whole, "logp");
    let wanted: Vec<f64> = rows
        .iter()
        .flat_map(|&row| {
            let alike = (0..whole.row_count()).filter(|&other| key(other) == key(row)).flat_map(|other| whole.tokens(other));
            let level = mean(&alike.map(|token| all[token]).collect::<Vec<f64>>());
            whole.tokens(row).map(|token| level * logp[token]).collect::<Vec<f64>>()
        })
        .collect();
    close(torn, mean(&wanted), "a group's mean in a torn group");
}

#[test]
fn in_an_advantage_everything_is_of_the_whole_batch() {
    assert_eq!(advantage("score - collected(mean(score))").digest(), advantage("score - mean(score)").digest());
}

/// The entropies of three iterations, and what is handed on.
#[test]
fn a_number_is_handed_from_iteration_to_iteration() {
    let objective = loss_block(
        "beta = carry(0.1, next = carried * where(mean(entropy) > 1, 1.5, 0.5), low = 0.03, high = 0.2)\nminimize = beta * mean(logp)",
    );
    let batch = |entropy: f64| {
        let file = json!({"mask": [[1]], "logp": [[-2]], "old_logp": [[-2]], "entropy": [[entropy]]});
        ProbeBatch::from_value(&file).expect("a batch").batch().clone()
    };
    let mut history = History::default();
    let mut seen = vec![];
    for entropy in [1.5, 1.5, 0.5, 0.5, 0.5, 0.5, 1.5] {
        let beta = objective.carried(&history);
        assert_eq!(beta[0].0, "beta");
        let found = objective.evaluate(&batch(entropy), &history).expect("a value");
        close(found.minimize, -2.0 * beta[0].1, "what is minimised");
        close(found.terms["beta"], beta[0].1, "the term");
        seen.push(beta[0].1);
        objective.record(&batch(entropy), &mut history).expect("a number");
        // As a checkpoint does it: to the bit.
        let text = serde_json::to_string(&history).expect("text");
        history = serde_json::from_str(&text).expect("a history");
        assert_eq!(serde_json::to_string(&history).expect("text"), text);
    }
    let mut wanted = vec![0.1f64];
    for factor in [1.5, 1.5, 0.5, 0.5, 0.5, 0.5] {
        wanted.push((wanted[wanted.len() - 1] * factor).clamp(0.03, 0.2));
    }
    assert_eq!(seen, wanted);
}

#[test]
fn what_is_handed_on_may_depend_on_the_updated_policy_and_on_the_past() {
    let objective = loss(
        "carry(1, next = carried + mean(old_logp - logp) + history(mean(entropy), first = 0) + 10 * carry(2, next = 3 * carried)) * mean(logp)",
    );
    assert!(objective.needs().updated);
    assert!(!loss("carry(1, next = collected(mean(logp)) + history(mean(logp)) + mean(old_logp)) * mean(logp)").needs().updated);
    let file = json!({"mask": [[1, 1]], "logp": [[-1, -2]], "old_logp": [[-2, -2.5]], "entropy": [[0.5, 1]]});
    let batch = ProbeBatch::from_value(&file).expect("a batch");
    let mut history = History::default();
    let names: Vec<String> = objective.carried(&history).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["loss", "loss_2"]);
    let mut numbers = (2.0, 1.0);
    for past in [0.0, 0.75, 0.75] {
        objective.record(batch.batch(), &mut history).expect("a number");
        numbers = (3.0 * numbers.0, numbers.1 - 0.75 + past + 10.0 * numbers.0);
        let found: Vec<f64> = objective.carried(&history).into_iter().map(|(_, number)| number).collect();
        assert_eq!(found, [numbers.0, numbers.1]);
    }
    // What has no value changes nothing.
    let kept = loss("carry(0.5, next = history(mean(entropy))) * mean(logp)");
    let mut history = History::default();
    kept.record(batch.batch(), &mut history).expect("a number");
    assert_eq!(kept.carried(&history)[0].1, 0.5);
    kept.record(batch.batch(), &mut history).expect("a number");
    assert_eq!(kept.carried(&history)[0].1, 0.75);
}

#[test]
fn a_batch_file_has_the_present_number_and_the_answer_the_next() {
    let file = |carried: serde_json::Value| {
        ProbeBatch::from_value(&json!({"mask": [[1]], "episode": [0], "logp": [[-2]], "reward": [[3]], "carried": carried}))
            .expect("a batch")
    };
    let (objective, advantage) = (
        loss_block("c = carry(1, next = 2 * carried, high = 9)\nminimize = c * mean(logp)"),
        advantage("score * carry(1, next = carried + mean(score))"),
    );
    let answer = probe(Some(&objective), Some(&advantage), &file(json!(4))).expect("an answer");
    assert_eq!((answer.minimize, answer.carried["c"], answer.carried["advantage"]), (Some(-8.0), 8.0, 7.0));
    assert_eq!(answer.advantage, Some(vec![vec![Some(12.0)]]));
    let answer = probe(Some(&objective), Some(&advantage), &file(json!({"advantage": 2}))).expect("an answer");
    assert_eq!((answer.minimize, answer.carried["c"], answer.carried["advantage"]), (Some(-2.0), 2.0, 5.0));
    let text = serde_json::to_string(&probe(Some(&loss("mean(logp)")), None, &file(json!(1))).expect("an answer")).expect("text");
    assert!(!text.contains("carried"), "{text}");
    assert!(
        ProbeBatch::from_value(&json!({"logp": [[-2]], "carried": [1]}))
            .expect_err("a list")
            .to_string()
            .starts_with("`carried` must be a number")
    );
}

#[test]
fn what_cannot_be_carried() {
    for (line, said) in [
        ("carried * mean(logp)", "error[E0305]: `carried` is not known here: it is the present number of a `carry`, in its `next`"),
        ("history(mean(logp) * carried) * mean(logp)", "error[E0305]: `carried` is not known here"),
        (
            "carry(mean(entropy), next = carried) * mean(logp)",
            "error[E0308]: `start` must be a number that is known before the run, not `mean(entropy)`",
        ),
        (
            "carry(0, next = logp) * mean(logp)",
            "error[E0311]: `next` of `carry` takes one value for the whole batch, but `logp` has one value a token",
        ),
        ("carry(0, next = carried, low = 1) * mean(logp)", "error[E0308]: `start` of `carry` must lie between `low` and `high`"),
        ("carry(0.5, next = mean(logp)) + mean(entropy)", "warning[W0301]"),
    ] {
        let found = messages(&format!("loss {{ minimize = {line} }}"));
        assert!(found.contains(said), "{line}: {found}");
    }
    let mut compiled = compile("loss { minimize = mean(logp) }\nschedule = carry(1, next = 2 * carried)");
    let schedule = compiled.schedule.clone().expect("a schedule");
    assert!(epo::objective::Schedule::check(&schedule, "rate", &mut compiled.diagnostics).is_none());
    assert!(compiled.messages().contains("is not known here: a schedule is evaluated without a batch"), "{}", compiled.messages());
}
