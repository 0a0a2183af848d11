//! Built-in functions on batches whose answers can be worked out by hand.

use super::support::*;
use epo::objective::probe::{ProbeAnswer, ProbeBatch, probe};
use serde_json::{Value, json};

fn evaluate(text: &str, file: &Value) -> ProbeAnswer {
    let batch = ProbeBatch::from_value(file).expect("a batch");
    probe(Some(&loss(text)), None, &batch).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn value(text: &str, file: &Value) -> f64 {
    evaluate(&format!("{text} + 0 * mean(logp)"), file).minimize.expect("a value")
}

/// An episode of two turns whose rows stand in the wrong order, and one of a single turn.
fn file() -> Value {
    json!({
        "mask": [[1, 1, 0], [1, 1, 1], [1, 0, 0]], "turn": [1, 0, 0], "episode": [0, 0, 1], "group": [0, 0, 0],
        "logp": [[-1, -2, 9], [-3, -4, -5], [-6, 9, 9]], "entropy": [[1, 2, 9], [3, 4, 5], [6, 9, 9]],
        "uniform": [[0.9, 0.1, 0], [0.2, 0.8, 0.3], [0.4, 0, 0]],
        "step_reward": [1, 2, 4], "reward": [[0, 3, 0], [0, 0, 3], [4, 0, 0]], "valid": [1, 0, 1], "success": [1, 1, 0],
        "step": 1, "steps": 4, "history": [2],
    })
}

#[test]
fn a_flag_is_a_number_and_a_condition_and_counts_its_ones() {
    let file = file();
    assert_eq!(value("count(valid) + 10 * count(success) + 100 * count(reward)", &file), 2.0 + 10.0 + 300.0);
    assert_eq!(value("mean(count(success, by = group))", &file), 1.0);
    assert_eq!(value("count(top(entropy, 0.5)) + 10 * sum(top(entropy, 0.5))", &file), 3.0 + 30.0);
    assert_eq!(value("sum(where(top(entropy, 0.5), entropy, 0))", &file), 15.0);
    assert_eq!(evaluate("sum(top(entropy, 0.5) * logp)", &file).gradient.logp, [[0.0, 0.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 0.0]]);
    assert_eq!(value("count(top(entropy, 0.5) and not valid)", &file), 2.0);
}

#[test]
fn what_is_left_out_is_in_no_reduction() {
    let file = file();
    let kept = "only(logp, entropy > 2)"; // −3, −4, −5 and −6
    for (how, wanted) in [("mean", -4.5), ("sum", -18.0), ("min", -6.0), ("max", -3.0), ("count", 4.0), ("std", (5.0f64 / 3.0).sqrt())] {
        assert!((value(&format!("{how}({kept})"), &file) - wanted).abs() < 1e-12, "{how}");
    }
    assert_eq!(value(&format!("mean(mean({kept}, by = turn))"), &file), -5.0, "a turn of which nothing is left has no mean");
    assert_eq!(value(&format!("mean(sum({kept}, by = turn))"), &file), -9.0, "and no sum");
    assert_eq!(value(&format!("trajectory_mean({kept})"), &file), -5.0);
    assert_eq!(value(&format!("count(mean({kept}, by = turn))"), &file), 2.0);
    assert_eq!(value("sum(whiten(only(entropy, valid)) ^ 2)", &file).round(), 2.0, "three values, whitened");
    assert_eq!(value("sum(top(only(entropy, valid), 0.5) * entropy)", &file), 6.0, "one of three");
    assert_eq!(value(&format!("mean(only({kept}, valid))"), &file), -6.0);
    assert_eq!(value("count(only(success, valid))", &file), 2.0, "success is a number there, one a row");
    assert_eq!(evaluate(&format!("mean({kept})"), &file).gradient.logp, [[0.0; 3], [0.25; 3], [0.25, 0.0, 0.0]]);
    // Nothing at all.
    assert_eq!(value("mean(only(logp, entropy > 99)) + 0.5", &file), 0.5);
    assert_eq!(value("-0.1 * mean(only(logp, entropy > 99)) * mean(entropy) + 0.5", &file), 0.5);
    // What is left out cannot spoil what is kept, not even its gradient.
    assert_eq!(evaluate("mean(only(log(entropy - 2), entropy > 5))", &file).gradient.entropy, [[0.0; 3], [0.0; 3], [0.25, 0.0, 0.0]]);
    // Where there is no past there is none, kept or not.
    let mut early = file.clone();
    early["history"] = json!([]);
    assert_eq!(value("mean(only(entropy * history(mean(entropy)), valid)) + 1", &early), 1.0);
}

#[test]
fn first_and_last_in_time() {
    let file = file();
    assert_eq!(value("mean(initial(logp))", &file), (-1.0 - 3.0 - 6.0) / 3.0);
    assert_eq!(value("mean(final(logp))", &file), (-2.0 - 5.0 - 6.0) / 3.0);
    assert_eq!(value("mean(initial(logp, by = episode))", &file), (-3.0 - 6.0) / 2.0, "by the number of the turn, not by the row");
    assert_eq!(value("mean(final(logp, by = episode))", &file), (-2.0 - 6.0) / 2.0);
    assert_eq!(value("mean(final(reward, by = episode))", &file), f64::midpoint(1.0, 4.0));
    assert_eq!(value("mean(final(only(logp, entropy > 2), by = episode))", &file), (-5.0 - 6.0) / 2.0);
    assert_eq!(evaluate("sum(initial(logp, by = episode))", &file).gradient.logp, [[0.0; 3], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]);
    // A turn whose every token was forced.
    let silent = json!({"mask": [[1], [0]], "logp": [[-1], [0]]});
    assert_eq!(value("mean(initial(logp)) + mean(final(logp))", &silent), -2.0);
    let text = messages("loss { minimize = mean(initial(score)) + mean(logp) }");
    assert!(
        text.starts_with("error[E0303]: `initial` with `by = turn` reduces nothing: `score` has one value an episode already"),
        "{text}"
    );
    assert!(messages("loss { minimize = mean(initial(logp, by = group)) }").starts_with("error[E0117]: "));
}

#[test]
fn ways_to_choose() {
    let file = file();
    for (n, k, wanted) in [(5, 2, 10.0), (5, 0, 1.0), (5, 5, 1.0), (3, 5, 0.0), (0, 0, 1.0), (60, 30, 118_264_581_564_861_424.0)] {
        assert_eq!(value(&format!("binomial({n}, {k})"), &file), wanted, "by the resolver");
        let found = value(&format!("binomial({n} + 0 * iterations, {k})"), &file);
        assert!((found - wanted).abs() <= 1e-12 * wanted, "{n} over {k} by the engine: {found}");
    }
    let text = messages("loss { minimize = binomial(5, 0.5) * mean(logp) }");
    assert!(text.starts_with("error[E0204]: the value of this expression is not a number"), "{text}");
}

#[test]
fn in_mathematical_notation() {
    let compiled = compile("loss { minimize = mean(only(logp, uniform < 0.5)) * binomial(iterations, 2) }");
    let minimize = compiled.loss.and_then(|block| block.minimize).expect("an equation");
    let wanted = r"\mathop{\mathbb{E}}\left[\left.\log \pi_\theta\right|_{u < 0.5}\right] \, \binom{K}{2}";
    assert_eq!(epo::equation::latex(&minimize), wanted);
}

#[test]
fn the_draw_of_a_batch_decides() {
    let file = file();
    assert_eq!(value("sum(where(drawn(entropy > 2, 0.4), entropy, 0))", &file), 10.0, "4 (0.8) and 6 (0.4) of 3, 4, 5 and 6");
    assert_eq!(value("sum(where(drawn(entropy > 5, 0.5), entropy, 0))", &file), 6.0, "no more than there are");
    assert_eq!(value("sum(where(drawn(entropy > 9, 0.5), entropy, 0))", &file), 0.0);
}

/// Clip-Cov takes the gradient from tokens in the band and leaves the rest to the clip.
#[test]
fn clip_cov_silences_what_it_draws() {
    let mut file = file();
    file["advantage"] = json!([[1, 1, 0], [-1, -1, -1], [1, 0, 0]]);
    file["old_logp"] = file["logp"].clone();
    let plain = evaluate("mean(ppo_clip(0.2))", &file);
    let half = evaluate("mean(clip_cov(0.34, from = 0, to = 99))", &file);
    // A · (log π + 3.5): 2.5, 1.5; −0.5, 0.5, 1.5; −2.5. Of the four above 0 two are drawn: 0.34 of six, those with 0.9 and 0.8.
    let silent: Vec<(usize, usize)> =
        (0..3).flat_map(|i| (0..3).map(move |j| (i, j))).filter(|&(i, j)| plain.gradient.logp[i][j] != half.gradient.logp[i][j]).collect();
    assert_eq!(silent, [(0, 0), (1, 1)]);
    assert!(silent.iter().all(|&(i, j)| half.gradient.logp[i][j] == 0.0));
}
