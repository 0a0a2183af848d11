//! Gradients against finite differences.

use super::random::{batch, built_in, losses, schedules};
use super::support::loss;
use epo::objective::probe::ProbeBatch;
use epo::objective::{History, Objective};

const STEP: f64 = 1e-6;

/// Moves every token's learned quantities up and down and compares.
pub(crate) fn check(text: &str, objective: &Objective, seed: u64) -> usize {
    let file = ProbeBatch::from_value(&batch(seed)).expect("a batch");
    let (batch, history) = (file.batch(), &file.history(Some(objective), None).expect("a past for each").expect("a past"));
    let gradient = objective.evaluate(batch, history).expect(text).gradient;
    let mut compared = 0;
    let scores = [("logp", &gradient.logp), ("entropy", &gradient.entropy), ("value", &gradient.value)];
    let scores = scores.into_iter().filter_map(|(quantity, gradient)| Some((quantity, gradient.as_ref()?)));
    for (quantity, gradient) in scores.chain(gradient.figures.iter().map(|(quantity, gradient)| (*quantity, gradient))) {
        let at = batch.get(quantity).expect("a column");
        for (token, slope) in gradient.iter().enumerate() {
            let moved = |by: f64| {
                let mut values = at.clone();
                values[token] += by;
                let batch = batch.clone().with(quantity, values).expect("a column");
                objective.evaluate(&batch, history).expect(text).minimize
            };
            let difference = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
            let scale = 1.0 + slope.abs().max(difference.abs());
            assert!(
                (difference - slope).abs() < 2e-6 * scale,
                "{text}: {quantity} of token {token} has slope {slope}, but differences say {difference}"
            );
            compared += 1;
        }
    }
    compared
}

#[test]
fn every_function_of_the_table_and_every_loss_of_the_library() {
    let mut texts: Vec<String> = built_in();
    texts.extend(losses().into_iter().chain(schedules()).map(|(_, text)| text));
    let (mut compared, mut skipped) = (0, vec![]);
    for text in &texts {
        let objective = loss(text);
        // `stop` is there to make the gradient another one than the value's.
        let value = objective.terms().is_empty() && format!("{objective:?}").contains("Stop");
        if value {
            skipped.push(text.as_str());
            continue;
        }
        for seed in [1, 2] {
            compared += check(text, &objective, seed);
        }
    }
    assert!(compared > 2000, "only {compared} slopes were compared");
    assert_eq!(skipped.len(), 8, "{skipped:?}");
}

#[test]
fn gradients_along_time() {
    for text in [
        "mean(gae(reward, value, 0.9, 0.8, by = episode, per = token) * logp)",
        "mean(gae(reward, value, 0.9, 0.8, by = turn, per = token) ^ 2)",
        "mean(gae(reward, mean(value, by = turn), 0.9, 0.8, by = episode, per = turn) * old_value)",
        "mean(discount(logp, 0.7, by = episode) * old_logp)",
        "mean(discount(mean(entropy, by = turn), 0.7, by = episode, per = turn) * reward)",
    ] {
        assert!(check(text, &loss(text), 5) > 20, "{text}");
    }
}

#[test]
fn gradients_of_reductions_by_every_key() {
    for key in ["turn", "episode", "group", "anchor", "turn_index"] {
        for how in ["mean", "sum", "std", "min", "max"] {
            let text = format!("sum({how}(logp * entropy, by = {key}) ^ 2)");
            assert!(check(&text, &loss(&text), 7) > 20, "{text}");
        }
    }
    for text in ["whiten(logp) * entropy", "whiten(mean(entropy, by = turn)) * logp", "whiten(mean(value, by = turn), per = token) * logp"]
    {
        check(text, &loss(&format!("mean({text})")), 8);
    }
}

#[test]
fn straight_through_has_the_value_of_one_and_the_gradient_of_the_other() {
    let file = ProbeBatch::from_value(&batch(3)).expect("a batch");
    let evaluate = |text: &str| loss(text).evaluate(file.batch(), &History::default()).expect(text);
    let (through, k3, k2) = (evaluate("mean(kl_k3_plus())"), evaluate("mean(kl_k3())"), evaluate("mean(kl_k2())"));
    assert!((through.minimize - k3.minimize).abs() < 1e-14);
    assert_eq!(through.gradient, k2.gradient);
    assert_ne!(k2.gradient, k3.gradient);
}
