//! Batches out of nothing, in the form of a batch file, and the functions of the standard library.

use crate::repository::REPOSITORY;
use epo::builtin::Builtin;
use epo::spec::library_functions;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::{Value, json};

pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// In [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.0.next_u64() % n as u64) as usize
    }

    pub(crate) fn shuffled(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, self.below(i + 1));
        }
        order
    }
}

/// What is said in a turn.
const SAID: [&str; 5] = ["look", "open door", "<think>A door.</think> open door", "Look. Look. open door", ""];

/// Up to three groups of up to three episodes of up to four turns of up to five tokens, with all quantities.
pub(crate) fn batch(seed: u64) -> Value {
    let mut random = Random::new(seed);
    let (mut rows, mut lengths) = (vec![], vec![]);
    let groups = 1 + random.below(3);
    for group in 0..groups {
        for episode in 0..=random.below(3) {
            let score = random.between(0.0, 10.0);
            let success = random.below(2);
            for turn in 0..=random.below(4) {
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
        "entropy": tokens(0.1, 2.5), "old_entropy": tokens(0.1, 2.5), "collision": tokens(0.1, 0.9), "confidence": tokens(0.3, 0.99), "top_share(2)": tokens(0.4, 0.99), "kl_to_reference": tokens(0.0, 0.5), "kl_from_reference": tokens(0.0, 0.5), "advantage": tokens(-2.0, 2.0), "value": tokens(-1.0, 1.0), "old_value": tokens(-1.0, 1.0), "ret": tokens(-1.0, 1.0), "uniform": tokens(0.0, 1.0),
        "step": 3, "steps": 10, "history": [0.7, 1.3, 0.9],
    });
    file["group"] = rows.iter().map(|r| r.0).collect();
    file["episode"] = rows.iter().map(|r| r.1).collect();
    file["turn"] = rows.iter().map(|r| r.2).collect();
    file["anchor"] = rows.iter().map(|r| r.3).collect();
    file["task"] = rows.iter().map(|r| r.0 / 2).collect();
    file["success"] = rows.iter().map(|r| r.5).collect();
    file["valid"] = rows.iter().map(|_| random.below(2)).collect();
    for text in ["response", "action", "observation"] {
        file[text] = rows.iter().map(|_| SAID[random.below(SAID.len())]).collect();
    }
    file["step_reward"] = rows.iter().map(|_| random.between(0.0, 1.0)).collect();
    file
}

/// The same batch with its rows in another order.
pub(crate) fn reordered(file: &Value, order: &[usize]) -> Value {
    let mut file = file.clone();
    for (name, value) in file.as_object_mut().expect("an object") {
        if let (true, Some(rows)) = (name != "history", value.as_array_mut()) {
            *rows = order.iter().map(|&row| rows[row].clone()).collect();
        }
    }
    file
}

/// The same batch with more padding, in front of the tokens and behind them, full of junk.
pub(crate) fn padded(file: &Value, front: usize, behind: usize) -> Value {
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

/// The examples of a file of the standard library by their functions: every function has one and is in it.
fn examples(file: &str) -> Vec<(String, String)> {
    let functions = library_functions(&REPOSITORY, file);
    let defined = REPOSITORY.text(file).expect("a file of the library").lines().filter(|line| line.starts_with("fn ")).count();
    assert_eq!(functions.len(), defined, "{file}");
    for function in &functions {
        let name = function.name;
        assert!(function.comment.starts_with("# "), "{file}: say what `{name}` is");
        assert!(function.example.contains(&format!("{name}(")), "{file}: give `{name}` an example");
    }
    functions.iter().map(|f| (f.name.to_owned(), f.example.to_owned())).collect()
}

/// The examples of operators and built-in functions, each as one number.
pub(crate) fn built_in() -> Vec<String> {
    Builtin::ALL.iter().map(|builtin| builtin.row().example.text.to_owned()).collect()
}

/// The losses of the library, each as one number.
pub(crate) fn losses() -> Vec<(String, String)> {
    examples("std/losses.epo")
}

pub(crate) fn advantages() -> Vec<(String, String)> {
    examples("std/advantages.epo")
}

/// What changes over a run, as losses; `progress` is known there as well.
pub(crate) fn schedules() -> Vec<(String, String)> {
    examples("std/prelude.epo").into_iter().map(|(name, text)| (name, format!("mean(entropy) * {text}"))).collect()
}
