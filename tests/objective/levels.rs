//! A coarser value in a sum with a finer one, where something adds that up.

use super::support::*;
use epo::objective::probe::{ProbeBatch, probe};
use serde_json::{Value, json};

/// One episode of two turns, with 2 and 3 tokens, and one of a turn with 1; scores 2 and 1.
fn file() -> Value {
    json!({
        "mask": [[1, 1, 0], [1, 1, 1], [1, 0, 0]], "group": [0, 0, 0], "episode": [0, 0, 1], "turn": [0, 1, 0],
        "reward": [[2, 0, 0], [0, 0, 2], [1, 0, 0]], "step_reward": [0.5, 1.5, 1], "score": [2, 2, 1],
        "logp": [[-1, -1, 0], [-1, -1, -1], [-1, 0, 0]],
        "old_logp": [[-1, -2, 0], [-3, -4, -5], [-6, 0, 0]], "ref_logp": [[-1.5, -2.5, 0], [-3.5, -4.5, -5.5], [-6.5, 0, 0]],
        "value": [[9, 9, 0], [9, 9, 9], [9, 0, 0]], "old_value": [[0.1, 0.2, 0], [0.3, 0.4, 0.5], [0.6, 0, 0]],
        "entropy": [[1, 1, 0], [1, 1, 1], [1, 0, 0]], "step": 1, "steps": 10,
    })
}

fn estimate_on(file: &Value, line: &str) -> Vec<f64> {
    let batch = ProbeBatch::from_value(file).expect("a batch");
    let answer = probe(None, Some(&advantage(line)), &batch).unwrap_or_else(|e| panic!("{line}: {e}"));
    let mask: Vec<bool> =
        file["mask"].as_array().expect("rows").iter().flat_map(|r| r.as_array().expect("a row")).map(|m| *m == 1).collect();
    let all = answer.advantage.expect("an advantage").concat();
    all.into_iter().zip(mask).filter(|(_, token)| *token).map(|(a, _)| a.expect("a value")).collect()
}

fn estimate(line: &str) -> Vec<f64> {
    estimate_on(&file(), line)
}

fn close(found: &[f64], wanted: &[f64], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    assert!(found.iter().zip(wanted).all(|(f, w)| (f - w).abs() < 1e-12), "{what}: {found:?} instead of {wanted:?}");
}

/// `Aₜ = Σ (γλ)ᵏ δₜ₊ₖ`, worked out from the rewards of the tokens of one stretch of time.
fn gae_by_hand(rewards: &[f64], values: &[f64], gamma: f64, lambda: f64) -> Vec<f64> {
    let delta = |t: usize| rewards[t] + gamma * values.get(t + 1).unwrap_or(&0.0) - values[t];
    (0..rewards.len()).map(|t| (t..rewards.len()).map(|k| (gamma * lambda).powi((k - t) as i32) * delta(k)).sum()).collect()
}

#[test]
fn a_divergence_in_the_reward_of_each_turn() {
    // log π_old − log π_ref is 0.5 on every token, so each loses 0.05 · 0.5; the outcome stands on each turn's last token.
    let (kl, line) = (0.025, "gae(on_last(outcome) - 0.05 * (old_logp - ref_logp), old_value, gamma = 0.9, lambda = 0.8)");
    let wanted = [
        gae_by_hand(&[-kl, 2.0 - kl], &[0.1, 0.2], 0.9, 0.8),
        gae_by_hand(&[-kl, -kl, 2.0 - kl], &[0.3, 0.4, 0.5], 0.9, 0.8),
        gae_by_hand(&[1.0 - kl], &[0.6], 0.9, 0.8),
    ];
    close(&estimate(line), &wanted.concat(), line);
}

#[test]
fn a_divergence_in_the_reward_of_the_episode() {
    let kl = 0.025;
    let line = "gae(on_last(score, by = episode) - 0.05 * (old_logp - ref_logp), old_value, gamma = 0.9, lambda = 0.8, by = episode)";
    let once =
        [gae_by_hand(&[-kl, -kl, -kl, -kl, 2.0 - kl], &[0.1, 0.2, 0.3, 0.4, 0.5], 0.9, 0.8), gae_by_hand(&[1.0 - kl], &[0.6], 0.9, 0.8)];
    close(&estimate(line), &once.concat(), line);
    let line = "gae(on_last(reward, by = episode) - 0.05 * (old_logp - ref_logp), old_value, gamma = 0.9, lambda = 0.8, by = episode)";
    let each = [
        gae_by_hand(&[-kl, 0.5 - kl, -kl, -kl, 1.5 - kl], &[0.1, 0.2, 0.3, 0.4, 0.5], 0.9, 0.8),
        gae_by_hand(&[1.0 - kl], &[0.6], 0.9, 0.8),
    ];
    close(&estimate(line), &each.concat(), line);
}

#[test]
fn on_last_is_where_gae_credits_a_turns_reward() {
    close(&estimate("on_last(outcome)"), &[0.0, 2.0, 0.0, 0.0, 2.0, 1.0], "a turn's value on its last token");
    close(&estimate("on_last(score)"), &[0.0, 2.0, 0.0, 0.0, 2.0, 1.0], "an episode's too, by turn");
    close(&estimate("on_last(score, by = episode)"), &[0.0, 0.0, 0.0, 0.0, 2.0, 1.0], "once, by episode");
    close(&estimate("on_last(score, by = episode, per = turn)"), &[0.0, 0.0, 2.0, 2.0, 2.0, 1.0], "on the last turn");
    for by in ["turn", "episode"] {
        let (own, placed) = (
            format!("gae(reward, old_value, 0.9, 0.8, by = {by})"),
            format!("gae(on_last(reward, by = {by}), old_value, 0.9, 0.8, by = {by})"),
        );
        close(&estimate(&placed), &estimate(&own), &placed);
    }
    // A turn without tokens hands its reward to the token before it.
    let mut file = file();
    file["mask"] = json!([[1, 1, 0], [0, 0, 0], [1, 0, 0]]);
    close(&estimate_on(&file, "on_last(reward, by = episode)"), &[0.0, 2.0, 1.0], "0.5 + 1.5");
    close(&estimate_on(&file, "on_last(reward)"), &[0.0, 0.5, 1.0], "within its turn there is none");
    close(
        &estimate_on(&file, "gae(on_last(reward, by = episode), old_value, by = episode)"),
        &estimate_on(&file, "gae(reward, old_value, by = episode)"),
        "as gae",
    );
}

/// What is refused, and the words with which.
#[test]
fn a_repeated_value_is_not_added_up() {
    for (line, said, help) in [
        (
            "gae(outcome - 0.05 * (old_logp - ref_logp), value)",
            "`gae` would count `outcome` once for every token of its turn",
            "`on_last(outcome)` is that value on the last token, and 0 on the others",
        ),
        (
            "whiten(gae(-0.05 * (old_logp - ref_logp) + outcome, value, 1, 0.95))",
            "`gae` would count `outcome` once for every token of its turn",
            "`on_last(outcome)`",
        ),
        (
            "gae(min(outcome - 0.05 * (old_logp - ref_logp), 1), value)",
            "`gae` would count `outcome` once for every token of its turn",
            "`on_last(outcome)`",
        ),
        ("gae(relu(outcome - entropy), value)", "`gae` would count `outcome` once for every token of its turn", "`on_last(outcome)`"),
        (
            "discount(outcome - 0.1 * entropy, 0.95)",
            "`discount` would count `outcome` once for every token of its turn",
            "`on_last(outcome)`",
        ),
        (
            "gae(outcome - 0.1 * entropy, value, by = episode)",
            "`gae` would count `outcome` once for every token of its turn",
            "`on_last(score, by = episode)`",
        ),
        (
            "gae(2 * (score - entropy), value, by = episode)",
            "`gae` would count `score` once for every token of its episode",
            "`on_last(score, by = episode)`",
        ),
        (
            "discount(score - 0.1 * where(valid, 0, 1), 0.95, by = episode, per = turn)",
            "`discount` would count `score` once for every turn of its episode",
            "`on_last(score, by = episode, per = turn)` is that value on the last turn",
        ),
        (
            "grpo(score - 0.01 * (old_logp - ref_logp))",
            "`mean` by group would count `score` once for every token of its episode",
            "`sum(0.01 * (old_logp - ref_logp), by = episode)` or `mean(…)` makes one value an episode of it",
        ),
        ("rloo(score - 0.01 * entropy)", "`mean` by group would count `score` once for every token of its episode", "by = episode"),
        ("opo(score + overlong(4, 2))", "would count `score` once for every turn of its episode", "`sum(overlong"),
        ("score / std(score - entropy, by = group)", "`std` by group would count `score`", "by = episode"),
        ("score - sum(outcome - entropy, by = turn)", "`sum` by turn would count `outcome` once for every token of its turn", "by = turn"),
    ] {
        let said_of = messages(&format!("advantage = {line}"));
        let wanted = said.split("overlong").next().unwrap_or(said);
        assert!(
            said_of.contains("error[E0314]") && said_of.contains(wanted) && said_of.contains(help.trim_end_matches("(overlong")),
            "{line}\n{said_of}"
        );
        assert_eq!(said_of.matches("error[E0314]").count(), 1, "{line}\n{said_of}");
    }
}

/// What repeats a value without adding it up, and what is at one level.
#[test]
fn other_mixes_are_fine() {
    for line in [
        "gae(on_last(outcome) - 0.05 * (old_logp - ref_logp), old_value)",
        "gae(where(success, outcome, 0) * 2, old_value)",
        "gae(score - 0.1 * where(valid, 0, 1), old_value)",
        "score - mean((old_value - score) ^ 2, by = episode)",
        "gae(outcome, old_value) - 0.05 * (old_logp - ref_logp)",
        "gae(outcome, old_value) + discount(-0.05 * (old_logp - ref_logp), 0.95)",
        "discount(reward + 0.1 * valid, 0.95, by = episode, per = turn)",
        "gae(on_last(1) * score - entropy, old_value)",
        "grpo(score - 0.01 * sum(old_logp - ref_logp, by = episode))",
        "grpo(outcome)",
        "grpo(score * where(success, 2, 1))",
        "grpo() + 0.1 * entropy",
        "whiten(grpo() - 0.01 * (old_logp - ref_logp))",
        "score - mean(mean(entropy - score, by = episode), by = group)",
        "entropy - mean(entropy - mean(score, by = group), by = group)",
        "discount(reward - mean(reward, by = episode), 0.9, by = episode, per = turn)",
        "gae(reward - mean(reward, by = turn_index), value, by = episode)",
        "grpo(where(turn_index == 0, success, 0) + where(count(reward + 0, by = anchor) == 1, 1, 0))",
        "score - max(score - entropy, by = group)",
        "entropy_shaped(grpo())",
        "gigpo()",
    ] {
        let said = messages(&format!("advantage = {line}"));
        assert!(!said.contains("error"), "{line}\n{said}");
    }
    // In a loss a mean counts every token alike, which is what is written there.
    let said =
        messages("loss { minimize = mean((value - outcome) ^ 2) + mean(mean(logp, by = turn) + logp, by = episode) * 0 + mean(logp) }");
    assert!(!said.contains("E0314"), "{said}");
}

/// Noise is one number for each of what it is added to.
#[test]
fn noise_has_the_level_of_what_it_is_added_to() {
    let mut file = file();
    file["uniform"] = json!([[0.1, 0.2, 0], [0.3, 0.4, 0.5], [0.6, 0, 0]]);
    for (line, spelled_out) in [
        ("grpo(score + uniform)", "grpo(score + initial(uniform, by = episode))"),
        ("rloo(2 * (uniform - 0.5) ^ 2 + score)", "rloo(score + initial(2 * (uniform - 0.5) ^ 2, by = episode))"),
        ("score - progress * uniform", "score - initial(progress * uniform, by = episode)"),
        ("grpo(score - mean(score, by = group) - uniform)", "grpo(score - mean(score, by = group) - initial(uniform, by = episode))"),
        ("opo(outcome + where(uniform < 0.3, 0, 1))", "opo(outcome + initial(where(uniform < 0.3, 0, 1), by = turn))"),
        ("gae(reward + uniform, old_value, by = episode)", "gae(reward + initial(uniform, by = turn), old_value, by = episode)"),
        ("gae(on_last(outcome) + uniform, old_value)", "gae(on_last(outcome) + 1 * uniform, old_value)"),
    ] {
        close(&estimate_on(&file, line), &estimate_on(&file, spelled_out), line);
    }
    close(&estimate_on(&file, "score + uniform"), &[2.1, 2.1, 2.1, 2.1, 2.1, 1.6], "an episode's");
    close(&estimate_on(&file, "reward + uniform"), &[0.6, 0.6, 1.8, 1.8, 1.8, 1.6], "a turn's");
    close(&estimate_on(&file, "old_value + uniform"), &[0.2, 0.4, 0.6, 0.8, 1.0, 1.2], "a token's");
    close(&estimate_on(&file, "score * uniform"), &[0.2, 0.4, 0.6, 0.8, 1.0, 0.6], "no sum");
    // What is added to noise stays where there is no token to draw it for.
    file["mask"] = json!([[1, 1, 0], [1, 1, 1], [0, 0, 0]]);
    close(&estimate_on(&file, "score - mean(score + uniform, by = group)"), &[0.45; 5], "2 − ((2 + 0.1) + 1) / 2");
}

/// What is more than noise has a level.
#[test]
fn noise_with_something_of_a_token_in_it_is_refused() {
    for line in ["grpo(score + uniform * entropy)", "grpo(score + (uniform + entropy))", "grpo(score + only(uniform, uniform < 0.5))"] {
        assert!(messages(&format!("advantage = {line}")).contains("error[E0314]"), "{line}");
    }
    // In a loss a mean counts every token alike.
    assert_eq!(messages("loss { minimize = mean(logp * (score + uniform)) }"), "");
}

/// A score on every turn of an episode is a warning, also where it was placed.
#[test]
fn an_episodes_value_on_each_of_its_turns() {
    for line in [
        "gae(outcome, value, by = episode)",
        "gae(0.5 * score, value, by = episode)",
        "gae(on_last(score), value, by = episode)",
        "gae(on_last(outcome, by = episode), value, by = episode)",
    ] {
        let said = messages(&format!("advantage = {line}"));
        assert!(said.contains("warning[W0302]") && said.contains("is counted once for every turn of the episode"), "{line}\n{said}");
    }
    for line in ["gae(on_last(score, by = episode), value, by = episode)", "gae(reward, value, by = episode)", "gae(score, value)"] {
        assert_eq!(messages(&format!("advantage = {line}")), "", "{line}");
    }
}

#[test]
fn on_last_takes_what_is_coarser() {
    let said = messages("advantage = on_last(old_logp)");
    assert!(said.contains("error[E0303]: `on_last` has nothing to place: `old_logp` has one value a token already"), "{said}");
}
