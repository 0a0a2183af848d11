//! What must not change a result: the order of rows, padding, and how a minibatch is cut into micro-batches.

use super::random::*;
use super::support::*;
use epo::objective::probe::{ProbeAnswer, ProbeBatch, probe};
use epo::objective::{Advantage, Batch, Objective};
use proptest::prelude::*;
use serde_json::Value;
use std::sync::LazyLock;

/// Every loss of the library, every example of the table of functions, and a whole equation.
static LOSSES: LazyLock<Vec<(String, Objective)>> = LazyLock::new(|| {
    let mut all: Vec<(String, Objective)> = losses().into_iter().chain(schedules()).map(|(_, text)| (text.clone(), loss(&text))).collect();
    all.extend(built_in().into_iter().map(|text| (text.clone(), loss(&text))));
    let whole = "surrogate = mean(ppo_clip(0.2, dual = 3))\n explore = trajectory_mean(entropy)\n \
        smooth = trajectory_mean(0.1 * corridor(entropy, around = history(mean(entropy)), low = 0.5, high = 1.5))\n \
        minimize = surrogate - 0.01 * (explore - phase() * smooth) + 0.01 * mean(kl_k3()) + mean(value_clip(0.2))";
    all.push(("whole".into(), loss_block(whole)));
    all
});

static ADVANTAGES: LazyLock<Vec<(String, Advantage)>> =
    LazyLock::new(|| advantages().into_iter().map(|(_, text)| (text.clone(), advantage(&text))).collect());

fn answers(file: &Value) -> Vec<(String, ProbeAnswer)> {
    let batch = ProbeBatch::from_value(file).expect("a batch");
    let losses = LOSSES.iter().map(|(text, loss)| (text.clone(), probe(Some(loss), None, &batch).expect(text)));
    let advantages = ADVANTAGES.iter().map(|(text, advantage)| (text.clone(), probe(None, Some(advantage), &batch).expect(text)));
    losses.chain(advantages).collect()
}

fn assert_close(a: f64, b: f64, what: &str) {
    assert!((a - b).abs() <= 1e-9 * (1.0 + a.abs()), "{what}: {a} and {b}");
}

/// `b` holds the answers of `a` with rows and places moved: `cell(i, j)` of `a` stands where `place(i, j)` says.
fn assert_same(a: &[(String, ProbeAnswer)], b: &[(String, ProbeAnswer)], place: impl Fn(usize, usize) -> (usize, usize)) {
    for ((text, a), (_, b)) in a.iter().zip(b) {
        assert_close(a.minimize.unwrap_or(0.0), b.minimize.unwrap_or(0.0), text);
        let matrices = |x: &ProbeAnswer| {
            let g = x.gradient.clone();
            // A token that is left out is told apart from one with any value.
            let left = |row: Vec<Option<f64>>| row.into_iter().map(|a| a.unwrap_or(1e9)).collect();
            [g.logp, g.entropy, g.value, x.advantage.clone().unwrap_or_default().into_iter().map(left).collect()]
        };
        for (a, b) in matrices(a).iter().zip(&matrices(b)) {
            assert_eq!(a.len(), b.len());
            for (i, row) in a.iter().enumerate() {
                for (j, x) in row.iter().enumerate() {
                    let (k, l) = place(i, j);
                    assert_close(*x, b[k][l], text);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(12) })]

    #[test]
    fn the_order_of_rows_changes_nothing(seed in any::<u64>()) {
        let file = batch(seed);
        let order = Random::new(seed ^ 1).shuffled(file["mask"].as_array().unwrap().len());
        let moved = reordered(&file, &order);
        let to = |row: usize| order.iter().position(|&from| from == row).unwrap();
        assert_same(&answers(&file), &answers(&moved), |i, j| (to(i), j));
    }

    #[test]
    fn padding_changes_nothing(seed in any::<u64>(), front in 0usize..3, behind in 0usize..4) {
        let file = batch(seed);
        assert_same(&answers(&file), &answers(&padded(&file, front, behind)), |i, j| (i, j + front));
    }
}

#[test]
fn selected_rows_are_the_batch_of_those_rows() {
    for seed in 0..20 {
        let file = batch(seed);
        let whole = ProbeBatch::from_value(&file).expect("a batch");
        let n = whole.batch().row_count();
        let order = Random::new(seed + 100).shuffled(n);
        let kept = &order[..n.div_ceil(2)];
        let mut asked = whole.batch().clone();
        LOSSES.iter().for_each(|(_, loss)| asked.ask(&loss.needs().texts));
        let selected = asked.select(kept).expect("a minibatch");
        let read = ProbeBatch::from_value(&reordered(&file, kept)).expect("a batch");
        for quantity in ["logp", "reward", "score", "success", "turn_index", "length", "outcome", "iteration"] {
            assert_eq!(selected.get(quantity), read.batch().get(quantity), "{quantity}");
        }
        // An episode that was torn apart still has as many turns as it had.
        let turns = |batch: &Batch| batch.get("turns").unwrap();
        assert!(turns(&selected).iter().zip(turns(read.batch())).all(|(all, here)| *all >= here));
        // What was there before it was looked for in the whole batch.
        for (text, loss) in LOSSES.iter().filter(|(text, _)| !text.contains("turns") && !text.contains("repeats(")) {
            let history = read.history(Some(loss), None).unwrap().unwrap();
            let (a, b) = (loss.evaluate(&selected, &history).expect(text), loss.evaluate(read.batch(), &history).expect(text));
            assert_eq!(a, b, "{text}");
        }
        assert!(whole.batch().select(&[0, 0]).is_err() && whole.batch().select(&[n]).is_err() && whole.batch().select(&[]).is_err());
    }
}
