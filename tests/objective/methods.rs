//! Recipes against the formulas of their papers, written once more as loops: values, advantages, gradients.

use super::random::batch;
use super::support::all_there;
use crate::repository::REPOSITORY;
use epo::lang::Diagnostics;
use epo::lang::load::Root;
use epo::objective::probe::{ProbeAnswer, ProbeBatch, probe};
use epo::objective::{Advantage, Objective};
use epo::spec::{Request, equations};
use serde_json::{Value, json};
use std::path::Path;

/// The equations of a pipeline of `pipelines/household`.
fn recipe(file: &str, name: &str) -> (Objective, Advantage) {
    let path = format!("pipelines/household/{file}.epo");
    let (_, all, _) = equations(&Request { root: Root::File(Path::new(&path)), overrides: &[], library: &REPOSITORY });
    let found = all.iter().find(|e| e.pipeline == name && e.stage.is_none()).expect(name);
    let mut diagnostics = Diagnostics::default();
    let (loss, advantage) = found.check(&mut diagnostics);
    assert!(!diagnostics.has_errors(), "{name}: {diagnostics:?}");
    (loss.expect("a loss"), advantage.expect("an advantage"))
}

/// A batch of tokens, as loops read it.
struct Tokens {
    file: Value,
    /// Row, and number within it.
    at: Vec<(usize, usize)>,
}

impl Tokens {
    fn new(seed: u64) -> Self {
        let mut file = batch(seed);
        // Rewards of turns, the score their sum.
        let n = file["turn"].as_array().expect("turns").len();
        let (episode, reward) = (file["episode"].clone(), file["step_reward"].clone());
        let scores: Vec<f64> = (0..n)
            .map(|row| (0..n).filter(|&other| episode[other] == episode[row]).map(|other| reward[other].as_f64().expect("a number")).sum())
            .collect();
        file["score"] = json!(scores);
        file.as_object_mut().expect("an object").remove("history");
        file["step"] = json!(0);
        let mask = file["mask"].as_array().expect("a mask").clone();
        let tokens = |row: &Value| row.as_array().map_or(0, |cells| cells.iter().filter(|cell| cell.as_u64() == Some(1)).count());
        let at = mask.iter().enumerate().flat_map(|(row, mask)| (0..tokens(mask)).map(move |i| (row, i))).collect();
        Self { file, at }
    }

    fn of(&self, name: &str, token: usize) -> f64 {
        let (row, i) = self.at[token];
        self.file[name][row][i].as_f64().expect(name)
    }

    fn row(&self, name: &str, token: usize) -> f64 {
        self.file[name][self.at[token].0].as_f64().expect(name)
    }

    /// Tokens that agree in these.
    fn alike(&self, token: usize, keys: &[&str], place: bool) -> Vec<usize> {
        let same = |&other: &usize| {
            keys.iter().all(|key| self.row(key, other) == self.row(key, token)) && (!place || self.at[other].1 == self.at[token].1)
        };
        (0..self.at.len()).filter(same).collect()
    }

    /// The rows of an episode up to and with that of a token; and from it on.
    fn order(&self, token: usize, other: usize) -> std::cmp::Ordering {
        let key = |token: usize| (self.row("turn", token), self.at[token].1 as f64);
        key(other).partial_cmp(&key(token)).expect("numbers")
    }

    fn probe(&self, loss: Option<&Objective>, advantage: Option<&Advantage>) -> ProbeAnswer {
        probe(loss, advantage, &ProbeBatch::from_value(&self.file).expect("a batch")).expect("an answer")
    }

    fn flat(&self, rows: &[Vec<f64>]) -> Vec<f64> {
        self.at.iter().map(|&(row, i)| rows[row][i]).collect()
    }

    fn advantages(&self, file: &str) -> Vec<f64> {
        self.flat(&all_there(self.probe(None, Some(&recipe(file, file).1)).advantage))
    }

    fn close(&self, found: &[f64], wanted: impl Fn(usize) -> f64, what: &str) {
        for (token, found) in found.iter().enumerate() {
            let wanted = wanted(token);
            assert!((found - wanted).abs() < 1e-9 * (1.0 + wanted.abs()), "{what}, token {token}: {found}, not {wanted}");
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> f64 {
    let m = mean(values);
    if values.len() < 2 { 0.0 } else { (values.iter().map(|x| (x - m).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt() }
}

/// One value for each row, and for each what it is compared with.
fn relative(x: f64, others: &[f64], alone: f64) -> f64 {
    if others.len() > 1 { (x - mean(others)) / (deviation(others) + 1e-6) } else { alone }
}

#[test]
fn hgpo() {
    for seed in 1..6 {
        let t = Tokens::new(seed);
        let rows: Vec<usize> = (0..t.file["turn"].as_array().expect("turns").len()).collect();
        let id = |name: &str, row: usize| t.file[name][row].as_f64().expect(name);
        let past = |row: usize, most: usize| {
            let mut before: Vec<(f64, f64)> = rows
                .iter()
                .filter(|&&r| id("episode", r) == id("episode", row) && id("turn", r) <= id("turn", row))
                .map(|&r| (id("turn", r), id("anchor", r)))
                .collect();
            before.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
            before.iter().rev().take(most).map(|(_, state)| *state).collect::<Vec<f64>>()
        };
        let to_go = |row: usize| -> f64 {
            let later = rows.iter().filter(|&&r| id("episode", r) == id("episode", row) && id("turn", r) >= id("turn", row));
            later.map(|&r| 0.95f64.powf(id("turn", r) - id("turn", row)) * id("step_reward", r)).sum()
        };
        let wanted = |token: usize| {
            let row = t.at[token].0;
            let mut episodes: Vec<(f64, f64)> =
                rows.iter().filter(|&&r| id("group", r) == id("group", row)).map(|&r| (id("episode", r), id("score", r))).collect();
            episodes.dedup();
            let scores: Vec<f64> = episodes.iter().map(|(_, score)| *score).collect();
            // A single episode has nothing to compare with: mean 0, deviation 1.
            let whole = relative(id("score", row), &scores, id("score", row) / (1.0 + 1e-6));
            let step = |k: usize| {
                let same = |&&r: &&usize| id("group", r) == id("group", row) && past(r, k) == past(row, k);
                relative(to_go(row), &rows.iter().filter(same).map(|&r| to_go(r)).collect::<Vec<f64>>(), 0.0)
            };
            whole + (step(1) + 2.0 * step(2) + 3.0 * step(3)) / 6.0
        };
        t.close(&t.advantages("hgpo"), wanted, "HGPO");
    }
}

#[test]
fn otb() {
    for seed in 1..6 {
        let t = Tokens::new(seed);
        let same_episode = |token: usize| t.alike(token, &["episode"], false);
        let energy = |token: usize| -> f64 {
            let before = same_episode(token).into_iter().filter(|&o| t.order(token, o).is_le());
            before.map(|o| 1.0 - 2.0 * t.of("old_logp", o).exp() + t.of("collision", o)).sum()
        };
        // A reward of a turn comes with its last token.
        let last = |token: usize| t.alike(token, &["episode", "turn"], false).into_iter().all(|o| t.order(token, o).is_le());
        let to_go = |token: usize| -> f64 {
            same_episode(token).into_iter().filter(|&o| t.order(token, o).is_ge() && last(o)).map(|o| t.row("step_reward", o)).sum()
        };
        let wanted = |token: usize| {
            let place = t.alike(token, &["group", "turn"], true);
            let weight: f64 = place.iter().map(|&o| energy(o)).sum();
            to_go(token) - place.iter().map(|&o| energy(o) * to_go(o)).sum::<f64>() / weight.max(1e-9)
        };
        t.close(&t.advantages("otb"), wanted, "OTB");
    }
}

#[test]
fn gtpo() {
    for seed in 1..6 {
        let t = Tokens::new(seed);
        let success = |token: usize| t.row("success", token) == 1.0;
        let reward = |token: usize| {
            let h = |token: usize| {
                let h = t.of("old_entropy", token).max(0.01);
                if success(token) { h } else { 1.0 / h }
            };
            let place: Vec<f64> =
                t.alike(token, &["group", "turn"], true).into_iter().filter(|&o| success(o) == success(token)).map(h).collect();
            // Of d at this place each has d times its share.
            let share = place.len() as f64 * h(token) / place.iter().sum::<f64>();
            if success(token) { 0.5 + 0.5 * share } else { -0.5 - 0.5 * share }
        };
        let wanted = |token: usize| {
            let group: Vec<f64> = t.alike(token, &["group"], false).into_iter().map(reward).collect();
            (reward(token) - mean(&group)) / (deviation(&group) + 1e-6)
        };
        t.close(&t.advantages("gtpo"), wanted, "GTPO");
    }
}

#[test]
fn spo() {
    let mut t = Tokens::new(4);
    t.file["step"] = json!(2);
    t.file["history"] = json!([{"0": 1.0, "1": 0.0}, {"0": 0.0}]);
    let tracked = |task: f64| {
        let observed: &[f64] = if task == 0.0 { &[1.0, 0.0] } else { &[0.0] };
        let (a, b) = observed.iter().fold((4.0, 4.0), |(a, b), r| (0.9 * a + r, 0.9 * b + 1.0 - r));
        a / (a + b)
    };
    let mut episodes: Vec<(f64, f64)> =
        (0..t.at.len()).map(|token| (t.row("episode", token), t.row("score", token) - tracked(t.row("task", token)))).collect();
    episodes.dedup_by_key(|(episode, _)| *episode);
    let all: Vec<f64> = episodes.iter().map(|(_, a)| *a).collect();
    let wanted =
        |token: usize| (t.row("score", token) - tracked(t.row("task", token)) - mean(&all)) / (deviation(&all).powi(2) + 1e-8).sqrt();
    t.close(&t.advantages("spo"), wanted, "SPO");
}

/// A loss with its own advantages, and the gradient that a formula says.
fn loss_and_gradient(t: &Tokens, file: &str, name: &str) -> (ProbeAnswer, Vec<f64>, Vec<f64>) {
    let (loss, advantage) = recipe(file, name);
    let answer = t.probe(Some(&loss), Some(&advantage));
    let a = t.flat(&all_there(answer.advantage.clone()));
    let gradient = t.flat(&answer.gradient.logp);
    (answer, a, gradient)
}

#[test]
fn m2po() {
    for seed in 1..6 {
        let t = Tokens::new(seed);
        let (answer, a, gradient) = loss_and_gradient(&t, "m2po", "m2po");
        let n = a.len() as f64;
        let d = |token: usize| t.of("logp", token) - t.of("old_logp", token);
        // The furthest is left out until the mean is within the bound.
        let mut kept: Vec<usize> = (0..a.len()).collect();
        kept.sort_by(|&x, &y| d(x).abs().partial_cmp(&d(y).abs()).expect("numbers"));
        while !kept.is_empty() && mean(&kept.iter().map(|&k| d(k).powi(2)).collect::<Vec<f64>>()) > 0.04 {
            kept.pop();
        }
        assert!(kept.len() < a.len());
        let pull = |token: usize| if kept.contains(&token) { -a[token] * d(token).exp() / n } else { 0.0 };
        assert!((answer.minimize.expect("a loss") - (0..a.len()).map(pull).sum::<f64>()).abs() < 1e-9);
        t.close(&gradient, pull, "M2PO");
    }
}

#[test]
fn bapo() {
    let pairs = [1.2, 1.5, 1.8, 2.1, 2.4, 2.7, 3.0].map(|high| (0.6, high)).into_iter().chain([0.7, 0.8, 0.9].map(|low| (low, 3.0)));
    let pairs: Vec<(f64, f64)> = pairs.collect();
    let mut taken = vec![];
    for seed in 1..12 {
        let t = Tokens::new(seed);
        let (answer, a, gradient) = loss_and_gradient(&t, "bapo", "bapo");
        let n = a.len() as f64;
        let r = |token: usize| (t.of("logp", token) - t.of("old_logp", token)).exp();
        let share = |(low, high): (f64, f64)| {
            let weight = |token: usize| t.of("old_logp", token).exp() * a[token].abs();
            let up: f64 = (0..a.len()).filter(|&k| a[k] > 0.0).map(|k| weight(k) * r(k).min(high)).sum();
            let down: f64 = (0..a.len()).filter(|&k| a[k] < 0.0).map(|k| weight(k) * r(k).max(low)).sum();
            up / (up + down).max(1e-9)
        };
        let (low, high) = pairs.iter().copied().find(|pair| share(*pair) >= 0.5).unwrap_or((0.9, 3.0));
        taken.push((low, high));
        let pull = |k: usize| {
            let clipped = if a[k] > 0.0 { r(k) > high } else { r(k) < low };
            if clipped { 0.0 } else { -a[k] * r(k) / n }
        };
        t.close(&gradient, pull, "BAPO");
        let value = |k: usize| (-a[k] * r(k)).max(-a[k] * r(k).clamp(low, high)) / n;
        assert!((answer.minimize.expect("a loss") - (0..a.len()).map(value).sum::<f64>()).abs() < 1e-9);
    }
    taken.dedup();
    assert!(taken.len() > 2, "bounds are chosen: {taken:?}");
}

#[test]
fn lp_reg() {
    let mut kept = 0;
    for seed in 1..30 {
        let t = Tokens::new(seed);
        let (answer, a, gradient) = loss_and_gradient(&t, "lp_reg", "lp_reg");
        let n = a.len() as f64;
        let mut old: Vec<f64> = (0..a.len()).map(|k| t.of("old_logp", k)).collect();
        old.sort_by(f64::total_cmp);
        let place = 0.01 * (old.len() - 1) as f64;
        let bound = old[0] + (old[(old.len() - 1).min(1)] - old[0]) * place;
        let saved = |k: usize| a[k] < 0.0 && t.of("old_logp", k) < bound && t.of("old_logp", k) >= 0.02f64.ln();
        kept += (0..a.len()).filter(|&k| saved(k)).count();
        let r = |k: usize| (t.of("logp", k) - t.of("old_logp", k)).exp();
        let pull = |k: usize| {
            let clipped = if a[k] > 0.0 { r(k) > 1.28 } else { r(k) < 0.8 };
            let surrogate = if clipped { 0.0 } else { -a[k] * r(k) / n };
            surrogate - if saved(k) { 1.0 / n } else { 0.0 }
        };
        assert!(old.len() < 100, "the bound above is between the two smallest");
        t.close(&gradient, pull, "Lp-Reg");
        assert!(answer.terms["keep"] >= 0.0);
    }
    assert!(kept > 3, "{kept}");
}

#[test]
fn adaptive_coefficients() {
    for seed in 1..6 {
        let mut t = Tokens::new(seed);
        let n = t.at.len();
        let over = |of: &dyn Fn(usize) -> f64| mean(&(0..n).map(of).collect::<Vec<f64>>());
        let next = |t: &Tokens, file: &str, name: &str| {
            let (loss, advantage) = recipe(file, name);
            let answer = t.probe(Some(&loss), Some(&advantage));
            (answer.carried.values().copied().collect::<Vec<f64>>()[0], answer)
        };
        // From the reference: e within ±0.2.
        let e = (over(&|k| t.of("old_logp", k) - t.of("ref_logp", k)) / 0.05 - 1.0).clamp(-0.2, 0.2);
        t.file["carried"] = json!(0.5);
        let (beta, answer) = next(&t, "adaptive_kl", "adaptive_kl");
        assert!((beta - 0.5 * (1.0 + 0.1 * e)).abs() < 1e-12);
        let surrogate = answer.terms["surrogate"];
        assert!((answer.minimize.expect("a loss") - surrogate - 0.5 * answer.terms["drift"]).abs() < 1e-12);
        // Of the update: doubled or halved.
        let k3 = |k: usize| {
            let d = t.of("logp", k) - t.of("old_logp", k);
            (d.exp() - d - 1.0).clamp(-10.0, 10.0)
        };
        let d = over(&k3);
        let factor = if d > 0.015 {
            2.0
        } else if d < 0.01 / 1.5 {
            0.5
        } else {
            1.0
        };
        assert!((next(&t, "adaptive_kl", "adaptive_kl_penalty").0 - 0.5 * factor).abs() < 1e-12);
        // A bonus only below the target; the step is up there, and down above.
        let (coefficient, answer) = next(
            &{
                t.file["carried"] = json!(0.05);
                Tokens { file: t.file.clone(), at: t.at.clone() }
            },
            "adaptive_entropy",
            "adaptive_entropy",
        );
        assert!((coefficient - 0.045).abs() < 1e-12 && answer.terms["explore"] == 0.0);
        let low: Vec<Vec<f64>> =
            t.file["entropy"].as_array().expect("rows").iter().map(|row| vec![0.1; row.as_array().expect("a row").len()]).collect();
        t.file["old_entropy"] = json!(low);
        let (coefficient, answer) = next(&t, "adaptive_entropy", "adaptive_entropy");
        let bonus = 0.05 * over(&|k| t.of("entropy", k));
        assert!((coefficient - 0.055).abs() < 1e-12 && (answer.terms["explore"] - bonus).abs() < 1e-12);
    }
}
