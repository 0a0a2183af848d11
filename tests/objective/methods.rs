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
            let step = |k: usize| {
                let same = |&&r: &&usize| id("group", r) == id("group", row) && past(r, k) == past(row, k);
                let all: Vec<f64> = rows.iter().filter(same).map(|&r| to_go(r)).collect();
                let deviation = mean(&all.iter().map(|x| (x - mean(&all)).powi(2)).collect::<Vec<f64>>()).sqrt();
                (all.len() > 1).then(|| (to_go(row) - mean(&all)) / (deviation + 1e-6))
            };
            // A turn that is alone in a group has nothing from it.
            let found: Vec<(f64, f64)> = (1..=3).filter_map(|k| Some((k as f64, step(k)?))).collect();
            let weights: f64 = found.iter().map(|(weight, _)| weight).sum();
            if found.is_empty() { 0.0 } else { found.iter().map(|(weight, a)| weight * a).sum::<f64>() / weights }
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
            if success(token) { 1.0 + 0.1 * share } else { -1.0 - 0.1 * share }
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

/// A batch in which every second episode is replayed, in the middle of a run.
fn replayed(seed: u64) -> Tokens {
    let mut t = Tokens::new(seed);
    let episodes: Vec<u64> = t.file["episode"].as_array().expect("episodes").iter().map(|id| id.as_u64().expect("a number")).collect();
    t.file["source"] = episodes.iter().map(|id| id % 10 % 2).collect();
    t.file["history"] = json!([[0.5, 4.0], [], [1.0, 2.0, 3.0]]);
    (t.file["step"], t.file["steps"]) = (json!(3), json!(10));
    t
}

#[test]
fn spear() {
    let (mut positive, mut drawn_from) = (0, 0);
    for seed in 1..20 {
        let t = replayed(seed);
        let rising = |part: f64| (1.0 - (std::f64::consts::PI * (3.0 / (part * 10.0)).min(1.0)).cos()) / 2.0;
        let n = t.at.len();
        let own = |token: usize| t.row("source", token) == 0.0;
        let turns = |token: usize| -> f64 {
            let mut rows: Vec<usize> = t.alike(token, &["episode"], false).into_iter().map(|o| t.at[o].0).collect();
            rows.dedup();
            rows.len() as f64
        };
        let result = |token: usize| t.row("score", token) + 0.1 * (turns(token) / 10.0).min(1.0) * (1.0 - rising(1.0));
        let results = |group: f64| -> Vec<f64> {
            let mut found: Vec<(f64, f64)> =
                (0..n).filter(|&o| own(o) && t.row("group", o) == group).map(|o| (t.row("episode", o), result(o))).collect();
            found.dedup();
            found.into_iter().map(|(_, r)| r).collect()
        };
        // Three quarters of the groups, those that differ the most.
        let mut groups: Vec<f64> = (0..n).filter(|&o| own(o)).map(|o| t.row("group", o)).collect();
        groups.dedup();
        let count = ((0.75 * groups.len() as f64) as usize).max(1);
        groups.sort_by(|a, b| deviation(&results(*b)).total_cmp(&deviation(&results(*a))));
        let taken = &groups[..count];
        // The median of 0.5, 1, 2, 3, 4.
        let wanted: Vec<Option<f64>> = (0..n)
            .map(|token| {
                let all = results(t.row("group", token));
                let baseline = if all.len() > 1 { mean(&all) } else { 0.0 };
                match own(token) {
                    true => taken.contains(&t.row("group", token)).then(|| result(token) - baseline),
                    false => Some((result(token) - 2.0).max(0.0)),
                }
            })
            .collect();
        let (loss, advantage) = recipe("spear", "spear");
        let answer = t.probe(Some(&loss), Some(&advantage));
        let rows = answer.advantage.clone().expect("an advantage");
        for (token, &(row, i)) in t.at.iter().enumerate() {
            match (rows[row][i], wanted[token]) {
                (Some(found), Some(wanted)) => assert!((found - wanted).abs() < 1e-9, "token {token}: {found}, not {wanted}"),
                (found, wanted) => assert_eq!(found, wanted, "token {token}"),
            }
        }
        positive += (0..n).filter(|&k| !own(k) && wanted[k] > Some(0.0)).count();

        let mut gradient = vec![0.0; n];
        let mut minimize = 0.0;
        for (part, fraction, from, to, weight) in [(true, 0.0002, 0.1, 0.5, 1.0), (false, 0.02, 0.2, 6.0, rising(0.5))] {
            let some: Vec<usize> = (0..n).filter(|&k| own(k) == part && wanted[k].is_some()).collect();
            // The mean of log π is over all of the part, also those that are left out of the advantage.
            let level = mean(&(0..n).filter(|&k| own(k) == part).map(|k| t.of("logp", k)).collect::<Vec<f64>>());
            let a = |k: usize| wanted[k].expect("an advantage");
            let middle = mean(&some.iter().map(|&k| a(k)).collect::<Vec<f64>>());
            let r = |k: usize| (t.of("logp", k) - t.of("old_logp", k)).exp();
            let clipped = |k: usize| a(k) * r(k).clamp(0.8, 1.28) < a(k) * r(k);
            let loose = |k: &usize| {
                let covariance = (a(*k) - middle) * (t.of("logp", *k) - level);
                covariance > from && covariance < to && !clipped(*k)
            };
            let mut chosen: Vec<usize> = some.iter().copied().filter(loose).collect();
            drawn_from += chosen.len();
            chosen.sort_by(|&x, &y| t.of("uniform", y).total_cmp(&t.of("uniform", x)));
            chosen.truncate(((fraction * some.len() as f64) as usize).max(1));
            let mut turns: Vec<usize> = some.iter().map(|&k| t.at[k].0).collect();
            turns.dedup();
            for &k in some.iter().filter(|k| !chosen.contains(k)) {
                let scale = weight / (2.0 * turns.len() as f64);
                minimize += scale * (-a(k) * r(k)).max(-a(k) * r(k).clamp(0.8, 1.28));
                gradient[k] = if clipped(k) { 0.0 } else { -scale * a(k) * r(k) };
            }
        }
        assert!((answer.minimize.expect("a loss") - minimize).abs() < 1e-9);
        t.close(&t.flat(&answer.gradient.logp), |k| gradient[k], "SPEAR");
    }
    assert!(positive > 10 && drawn_from > 10, "{positive} {drawn_from}");
}

#[test]
fn spa() {
    for seed in 1..6 {
        let t = Tokens::new(seed);
        let n = t.at.len();
        let last = |row: usize, name: &str| (0..n).filter(|&k| t.at[k].0 == row).map(|k| t.of(name, k)).next_back().expect("a token");
        let rows_of = |token: usize| -> Vec<usize> {
            let mut rows: Vec<usize> = t.alike(token, &["episode"], false).into_iter().map(|o| t.at[o].0).collect();
            rows.dedup();
            rows
        };
        let number = |name: &str, row: usize| t.file[name][row].as_f64().expect(name);
        let to_go = |row: usize| -> f64 {
            let token = (0..n).find(|&k| t.at[k].0 == row).expect("a token");
            let later = rows_of(token).into_iter().filter(|&r| number("turn", r) >= number("turn", row));
            later.map(|r| last(r, "old_value") + 0.5 * number("valid", r)).sum()
        };
        let rows: Vec<usize> = (0..t.file["turn"].as_array().expect("turns").len()).collect();
        let all: Vec<f64> = rows.iter().map(|&r| to_go(r)).collect();
        let (answer, a, _) = loss_and_gradient(&t, "spa", "spa");
        t.close(&a, |token| (to_go(t.at[token].0) - mean(&all)) / (deviation(&all).powi(2) + 1e-8).sqrt(), "SPA-RL");
        let mut episodes: Vec<usize> = (0..n).collect();
        episodes.dedup_by_key(|k| t.row("episode", *k) as u64);
        let error = |token: usize| rows_of(token).into_iter().map(|r| last(r, "value")).sum::<f64>() - t.row("score", token);
        let estimate = mean(&episodes.iter().map(|&k| error(k).powi(2)).collect::<Vec<f64>>());
        assert!((answer.terms["estimate"] - estimate).abs() < 1e-9);
        let is_last = |token: usize| t.alike(token, &["episode", "turn"], false).into_iter().all(|o| t.order(token, o).is_le());
        let slope = |token: usize| if is_last(token) { 0.5 * 2.0 * error(token) / episodes.len() as f64 } else { 0.0 };
        t.close(&t.flat(&answer.gradient.value), slope, "the estimator");
    }
}
