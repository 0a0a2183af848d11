//! Batches out of nothing, in the form of a batch file, and the functions of the standard library.

use epo::lang::ast::LineKind;
use epo::lang::{SourceMap, parser};
use epo::spec::LIBRARY;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::{Value, json};

pub struct Random(ChaCha8Rng);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// In [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.0.next_u64() % n as u64) as usize
    }

    pub fn shuffled(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, self.below(i + 1));
        }
        order
    }
}

/// Up to three groups of up to three episodes of up to four turns of up to five tokens, with all quantities.
pub fn batch(seed: u64) -> Value {
    let mut random = Random::new(seed);
    let (mut rows, mut lengths) = (vec![], vec![]);
    let groups = 1 + random.below(3);
    for group in 0..groups {
        for episode in 0..1 + random.below(3) {
            let score = random.between(0.0, 10.0);
            let success = random.below(2);
            for turn in 0..1 + random.below(4) {
                rows.push((group, 10 * group + episode, turn, random.below(2), score, success));
                lengths.push(1 + random.below(5));
            }
        }
    }
    let width = lengths.iter().copied().max().unwrap_or(1) + random.below(2);
    let mask: Vec<Vec<u8>> = lengths.iter().map(|&n| (0..width).map(|i| u8::from(i < n)).collect()).collect();
    let n = rows.len();
    let mut tokens =
        |low: f64, high: f64| -> Vec<Vec<f64>> { (0..n).map(|_| (0..width).map(|_| random.between(low, high)).collect()).collect() };
    let reward: Vec<Vec<f64>> =
        rows.iter().zip(&lengths).map(|(row, &length)| (0..width).map(|i| if i + 1 == length { row.4 } else { 0.0 }).collect()).collect();
    let mut file = json!({
        "mask": mask, "reward": reward,
        "logp": tokens(-3.0, -0.1), "old_logp": tokens(-3.0, -0.1), "ref_logp": tokens(-3.0, -0.1), "rollout_logp": tokens(-3.0, -0.1),
        "entropy": tokens(0.1, 2.5), "advantage": tokens(-2.0, 2.0), "value": tokens(-1.0, 1.0), "old_value": tokens(-1.0, 1.0), "ret": tokens(-1.0, 1.0),
        "step": 3, "steps": 10, "history": [0.7, 1.3, 0.9],
    });
    file["group"] = rows.iter().map(|r| r.0).collect();
    file["episode"] = rows.iter().map(|r| r.1).collect();
    file["turn"] = rows.iter().map(|r| r.2).collect();
    file["anchor"] = rows.iter().map(|r| r.3).collect();
    file["success"] = rows.iter().map(|r| r.5).collect();
    file["valid"] = rows.iter().map(|_| random.below(2)).collect();
    file["step_reward"] = rows.iter().map(|_| random.between(0.0, 1.0)).collect();
    file
}

/// The same batch with its rows in another order.
pub fn reordered(file: &Value, order: &[usize]) -> Value {
    let mut file = file.clone();
    for (name, value) in file.as_object_mut().expect("an object") {
        if let (true, Some(rows)) = (name != "history", value.as_array_mut()) {
            *rows = order.iter().map(|&row| rows[row].clone()).collect();
        }
    }
    file
}

/// The same batch with more padding, in front of the tokens and behind them, full of junk.
pub fn padded(file: &Value, front: usize, behind: usize) -> Value {
    let mut file = file.clone();
    for (name, value) in file.as_object_mut().expect("an object") {
        let junk = if name == "mask" { json!(0) } else { json!(1e300) };
        for row in value.as_array_mut().into_iter().flatten() {
            if let Some(cells) = row.as_array_mut() {
                cells.splice(0..0, vec![junk.clone(); front]);
                cells.extend(vec![Value::Null; behind * usize::from(name != "mask")]);
                cells.extend(vec![junk.clone(); behind * usize::from(name == "mask")]);
            }
        }
    }
    file
}

/// Every function of a file of the standard library as a call; `with` gives the arguments of those that need some. A new function that needs
/// arguments fails here until it is given them.
pub fn library_calls(file: &str, with: &[(&str, &str)]) -> Vec<(String, String)> {
    let text = LIBRARY.text(file).expect("a file of the library");
    let mut sources = SourceMap::default();
    let id = sources.add(file, None, text);
    let (tree, _) = parser::parse(&sources, id);
    let mut calls = vec![];
    for line in tree.expect("a tree").lines {
        let LineKind::Function(function) = line.kind else { continue };
        let name = function.name.name;
        let arguments = match with.iter().find(|(known, _)| *known == name) {
            Some((_, arguments)) => *arguments,
            None => {
                assert!(function.params.iter().all(|p| p.default.is_some()), "give `{name}` arguments in this test");
                ""
            }
        };
        calls.push((name.clone(), format!("{name}({arguments})")));
    }
    assert!(!calls.is_empty());
    calls
}

/// The losses of the library, each as one number.
pub fn losses() -> Vec<(String, String)> {
    let with = [
        ("straight_through", "entropy, logp"),
        ("clipped", "ratio(), 0.2, 0.2, 3"),
        ("dual_clipped", "-advantage * ratio(), 3"),
        ("pessimistic", "logp - old_logp, 0.4, 0.4"),
        ("gate", "ratio(), 1.05"),
        ("k3_of", "ref_logp - logp"),
        ("trajectory_mean", "entropy"),
        ("corridor", "entropy, around = history(mean(entropy)), low = 0.5, high = 1.5"),
        ("corridor_indicator", "entropy, around = history(mean(entropy)), low = 0.5, high = 1.5"),
    ];
    let calls = library_calls("std/losses.epo", &with);
    calls
        .into_iter()
        .map(|(name, call)| match name.as_str() {
            "trajectory_mean" => (name, call),
            "phase" => (name, format!("{call} * mean(entropy)")),
            // Nothing to learn from by itself.
            "corridor_indicator" => (name, format!("mean({call} * logp)")),
            _ => (name, format!("mean({call})")),
        })
        .collect()
}

pub fn advantages() -> Vec<(String, String)> {
    let with = [
        ("group_mean", "score"),
        ("group_std", "outcome"),
        ("left_out", "score, count(score, by = group)"),
        ("among_same_state", "reward"),
        ("entropy_shaped", "grpo()"),
    ];
    library_calls("std/advantages.epo", &with)
}
