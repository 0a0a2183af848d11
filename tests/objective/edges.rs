//! What happens at the edge: groups of one, equal rewards, no past, ratios of e^±50. The wanted numbers are worked out here, row by row.

use super::support::*;
use epo::objective::probe::{ProbeAnswer, ProbeBatch, probe};
use serde_json::{Value, json};

fn read(file: &Value) -> ProbeBatch {
    ProbeBatch::from_value(file).expect("a batch")
}

fn evaluate(text: &str, file: &Value) -> ProbeAnswer {
    probe(Some(&loss(text)), None, &read(file)).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn estimate(text: &str, file: &Value) -> Vec<f64> {
    let answer = probe(None, Some(&advantage(text)), &read(file)).unwrap_or_else(|e| panic!("{text}: {e}"));
    all_there(answer.advantage).concat()
}

fn assert_close(found: &[f64], wanted: &[f64], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!((found - wanted).abs() <= 1e-8 + 1e-8 * wanted.abs(), "{what}: {found} instead of {wanted}");
    }
}

/// Rows of one token each; the first group is one episode of one row, the second three episodes.
fn groups(scores: [f64; 4]) -> Value {
    json!({
        "mask": [[1], [1], [1], [1]], "group": [0, 1, 1, 1], "episode": [0, 1, 2, 3], "turn": [0, 0, 0, 0], "anchor": [0, 0, 0, 1],
        "reward": scores.map(|x| [x]), "step_reward": scores, "success": scores.map(|x| u8::from(x > 0.5)),
        "logp": [[-1], [-1], [-1], [-1]], "old_logp": [[-1], [-1], [-1], [-1]], "value": [[0], [0], [0], [0]], "entropy": [[1], [1], [1], [1]],
        "step": 0, "steps": 10,
    })
}

#[test]
fn a_group_of_one_and_a_group_of_equals() {
    // 0.1 three times: the mean is off by a rounding error, which nothing may blow up.
    let file = groups([3.0, 0.1, 0.1, 0.1]);
    for (text, own) in [
        ("grpo()", 3.0 / (1.0 + 1e-6)),
        ("grpo(outcome)", 3.0 / (1.0 + 1e-6)),
        ("dr_grpo()", 3.0),
        ("rloo()", 3.0),
        ("rloo(outcome)", 3.0),
        ("opo()", 3.0),
        ("gigpo()", 3.0 / (1.0 + 1e-6)),
        ("pass_at_k(1)", 0.0),
        ("pass_at_k(2)", 0.0),
    ] {
        assert_close(&estimate(text, &file), &[own, 0.0, 0.0, 0.0], text);
    }
    // Of a flag, a group has as many members as of anything else.
    assert_close(&estimate("grpo(success)", &file), &[1.0 / (1.0 + 1e-6), 0.0, 0.0, 0.0], "grpo(success)");
    let whitened = estimate("reinforce_plus_plus_baseline()", &file);
    assert_close(&whitened, &[1.5, -0.5, -0.5, -0.5], "one of four differs by 3: deviation 1.5");
    assert_close(&estimate("gae_within_turns()", &groups([0.1; 4])), &[0.0; 4], "whitening equals");
}

#[test]
fn the_best_of_k() {
    // One success among three, k = 2: the chance to miss is C(2, 2) / C(3, 2) = 1/3.
    let file = groups([0.0, 1.0, 0.0, 0.0]);
    let scale = (1.0f64 / 3.0 * (2.0 / 3.0)).sqrt();
    let failure = (1.0 / 3.0 - 1.0 / 2.0) / scale;
    assert_close(&estimate("pass_at_k(2)", &file), &[0.0, 1.0 / 3.0 / scale, failure, failure], "k = 2");
    // k = 1 is the group's standing over its (biased) deviation.
    let scale = (2.0f64 / 9.0).sqrt();
    assert_close(&estimate("pass_at_k(1)", &file), &[0.0, 2.0 / 3.0 / scale, -1.0 / 3.0 / scale, -1.0 / 3.0 / scale], "k = 1");
    assert_close(&estimate("pass_at_k(4)", &file), &[0.0; 4], "fewer than k");
}

#[test]
fn groups_without_variance_are_left_out_of_every_mean() {
    let mut file = groups([3.0, 1.0, 0.0, 1.0]);
    file["advantage"] = json!([[5], [1], [-2], [4]]);
    // The first group is one episode: three tokens are left.
    for text in
        ["mean(only_varied(advantage * logp))", "turn_mean(only_varied(advantage * logp))", "turn_sum(only_varied(advantage * logp))"]
    {
        let answer = evaluate(text, &file);
        assert_eq!(answer.minimize, Some(-1.0), "{text}");
        let gradient = answer.gradient.logp.concat();
        assert_close(&gradient, &[0.0, 1.0 / 3.0, -2.0 / 3.0, 4.0 / 3.0], text);
    }
    let equal = groups([0.1; 4]);
    let answer = evaluate("mean(only_varied(logp)) + 0.5 * mean(entropy) * mean(only_varied(logp)) + mean(entropy)", &equal);
    assert_eq!(answer.minimize, Some(1.0), "of nothing at all the mean is 0, and the other summands stay");
    assert_close(&answer.gradient.logp.concat(), &[0.0; 4], "nothing is left");
    assert_close(&estimate("overlong(4, 2, x = turn_index + 1)", &groups([0.0; 4])), &[0.0; 4], "short");
    for (length, wanted) in [(2, 0.0), (3, -0.5), (4, -1.0), (9, -1.0)] {
        assert_close(&estimate(&format!("overlong(4, 2, x = 0 * score + {length})"), &equal), &[wanted; 4], "overlong");
    }
}

#[test]
fn without_a_past_the_corridor_is_silent() {
    let term =
        "trajectory_mean(entropy) - phase() * trajectory_mean(0.1 * corridor(entropy, around = history(mean(entropy)), low = 1, high = 1))";
    let mut file = groups([0.0; 4]);
    let silent = evaluate(term, &file);
    assert_eq!(silent.minimize, Some(1.0), "no file need say that before step 0 there was nothing");
    assert_close(&silent.gradient.entropy.concat(), &[0.25; 4], term);
    file["history"] = json!([]);
    assert_eq!(evaluate(term, &file), silent);
}

/// Two rows of two tokens with the log-ratios 50, −50, −50, 50 and the advantages 1, 1, −1, −1.
fn extreme() -> Value {
    json!({
        "mask": [[1, 1], [1, 1]], "group": [0, 0], "episode": [0, 1], "turn": [0, 0],
        "logp": [[-1, -51], [-51, -1]], "old_logp": [[-51, -1], [-1, -51]], "ref_logp": [[-51, -1], [-1, -51]],
        "rollout_logp": [[-1, -51], [-51, -1]], "entropy": [[1, 1], [1, 1]], "uniform": [[0, 0], [0, 0]], "advantage": [[1, 1], [-1, -1]],
    })
}

const RATIOS: [f64; 4] = [50.0, -50.0, -50.0, 50.0];
const SIGNS: [f64; 4] = [1.0, 1.0, -1.0, -1.0];

/// Value and slope of `loss` at each token, against what is worked out for its log-ratio and advantage.
fn token_by_token(text: &str, wanted: impl Fn(f64, f64) -> (f64, f64)) {
    let answer = evaluate(&format!("mean({text})"), &extreme());
    let pairs: Vec<(f64, f64)> = RATIOS.iter().zip(SIGNS).map(|(d, a)| wanted(*d, a)).collect();
    assert_close(&[answer.minimize.expect("a value")], &[pairs.iter().map(|p| p.0).sum::<f64>() / 4.0], text);
    let slopes: Vec<f64> = pairs.iter().map(|p| p.1 / 4.0).collect();
    assert_close(&answer.gradient.logp.concat(), &slopes, &format!("{text}: gradient"));
}

#[test]
fn ratios_of_e_to_the_50() {
    let r = |d: f64| d.clamp(-20.0, 20.0).exp();
    // Beyond the bounds of the exponent nothing moves.
    token_by_token("ppo_clip(0.2)", |d, a| (f64::max(-a * r(d), -a * r(d).clamp(0.8, 1.2)), 0.0));
    token_by_token("ppo_clip(0.2, dual = 3)", |d, a| {
        let x = f64::max(-a * r(d), -a * r(d).clamp(0.8, 1.2));
        (if a < 0.0 { x.min(-3.0 * a) } else { x }, 0.0)
    });
    token_by_token("cispo(0.2)", |d, a| {
        let weight = r(d).clamp(0.8, 1.2);
        let logp = if d > 0.0 { -1.0 } else { -51.0 };
        (-a * weight * logp, -a * weight)
    });
    token_by_token("sapo(1, 1.05)", |d, a| {
        let tau = if a > 0.0 { 1.0 } else { 1.05 };
        (-a * 4.0 / tau / (1.0 + (-tau * (r(d) - 1.0)).exp()), 0.0)
    });
    token_by_token("dro(0.1)", |d, a| {
        let logp = if d > 0.0 { -1.0 } else { -51.0 };
        (-a * logp + 0.05 * d * d, -a + 0.1 * d)
    });
    token_by_token("kl_k1()", |d, _| (d, 1.0));
    token_by_token("kl_k2()", |d, _| (d * d / 2.0, d));
    token_by_token("kl_abs()", |d, _| (d.abs(), d.signum()));
    token_by_token("kl_k3()", |_, _| (10.0, 0.0));
    token_by_token("kl_k3_plus()", |d, _| (10.0, d));
    token_by_token("rollout_weight(2) * logp", |d, _| {
        let weight = if d > 0.0 { (-20.0f64).exp() } else { 2.0 };
        (weight * if d > 0.0 { -1.0 } else { -51.0 }, weight)
    });
    // Whole responses: both rows have the mean log-ratio 0.
    let answer = evaluate("turn_mean(gspo(0.2, 0.2))", &extreme());
    assert_close(&[answer.minimize.expect("a value")], &[0.0], "gspo");
    assert_close(&answer.gradient.logp.concat(), &[-0.25, -0.25, 0.25, 0.25], "gspo");
    // Clipped on its own side each: means (0.4 − 50)/2 and (−0.4 + 50)/2.
    let (up, down) = ((-24.8f64).exp(), 24.8f64.exp());
    let answer = evaluate("mean(gmpo(0.4))", &extreme());
    assert_close(&[answer.minimize.expect("a value")], &[f64::midpoint(-up, down)], "gmpo");
    assert_close(&answer.gradient.logp.concat(), &[0.0, -up / 4.0, 0.0, down / 4.0], "gmpo");
    // Every token has the same covariance, 25: the first is marked.
    let answer = evaluate("mean(kl_cov(0.25))", &extreme());
    let (high, low) = (50f64.exp(), (-50f64).exp());
    assert_close(&answer.gradient.logp.concat(), &[(1.0 - high) / 4.0, -low / 4.0, low / 4.0, high / 4.0], "kl_cov");
}
