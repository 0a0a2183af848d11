//! A model against what another implementation says of it: the numbers of a `reference.json`.
//!
//! The file has any of `rows` (ids, and what follows from them), `nll` with `grad_norms` (of the first row), `chats` and `tokenization`.

mod chats;
mod paths;
mod rows;

use super::{ModelError, Pretrained};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// How far numbers may be apart.
const LOGITS: f64 = 2e-4;
const LOGPROBS: f64 = 1e-4;
const ENTROPIES: f64 = 1e-4;
/// Relative.
const GRADIENTS: f64 = 1e-3;

/// Numbers and texts that another implementation has computed of a model.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Reference {
    rows: Vec<RowReference>,
    nll: Option<f64>,
    grad_norms: BTreeMap<String, f64>,
    chats: Vec<ChatReference>,
    tokenization: Vec<TextReference>,
}

#[derive(Debug, Deserialize)]
struct RowReference {
    ids: Vec<u32>,
    last_logits: Vec<f64>,
    #[serde(default)]
    logprobs: Vec<f64>,
    #[serde(default)]
    entropy: Vec<f64>,
    #[serde(default)]
    greedy: Vec<u32>,
}

#[derive(Debug, Deserialize)]
struct ChatReference {
    messages: Vec<super::Message>,
    prompt: String,
    ids: Vec<u32>,
    top_ids: Vec<u32>,
    top_logits: Vec<f64>,
    #[serde(default)]
    logprobs: Vec<f64>,
    entropy_last: Option<f64>,
    #[serde(default)]
    greedy_ids: Vec<u32>,
    greedy_text: Option<String>,
}

#[derive(Debug, Deserialize)]
struct TextReference {
    text: String,
    ids: Vec<u32>,
}

/// One thing that was compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// `logits`, `greedy tokens`, `chat prompts`, …
    pub what: &'static str,
    /// How many were compared.
    pub compared: usize,
    /// The largest difference; `None` where things are equal or not.
    pub worst: Option<f64>,
    /// The largest difference that counts as rounding; `None` with `worst`.
    pub allowed: Option<f64>,
    /// Those that differ, in words; the first few.
    pub differences: Vec<String>,
    /// Nothing differs by more than is allowed.
    pub ok: bool,
}

/// Differences that are told one by one.
const TOLD: usize = 5;

impl Finding {
    fn new(what: &'static str, allowed: Option<f64>) -> Finding {
        Finding { what, compared: 0, worst: allowed.map(|_| 0.0), allowed, differences: Vec::new(), ok: true }
    }

    fn differs(&mut self, words: impl FnOnce() -> String) {
        self.ok = false;
        if self.differences.len() < TOLD {
            self.differences.push(words());
        }
    }

    fn number(&mut self, place: impl Fn() -> String, found: f64, expected: f64) {
        self.distance(|| format!("{}: {found} for {expected}", place()), (found - expected).abs());
    }

    /// A difference that was already taken; one that is no number is too large.
    fn distance(&mut self, words: impl FnOnce() -> String, difference: f64) {
        self.compared += 1;
        self.worst = self.worst.map(|worst| if difference.is_nan() { f64::INFINITY } else { worst.max(difference) });
        if !self.allowed.is_some_and(|allowed| difference <= allowed) {
            self.differs(words);
        }
    }

    fn numbers(&mut self, place: impl Fn(usize) -> String, found: &[f32], expected: &[f64]) {
        if found.len() != expected.len() {
            self.compared += 1;
            self.differs(|| format!("{}: {} numbers for {}", place(0), found.len(), expected.len()));
            return;
        }
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            self.number(|| place(i), f64::from(*found), *expected);
        }
    }

    fn equal<T: PartialEq + std::fmt::Debug + ?Sized>(&mut self, place: impl Fn() -> String, found: &T, expected: &T) {
        self.compared += 1;
        if found != expected {
            self.differs(|| format!("{}: {found:?} for {expected:?}", place()));
        }
    }
}

impl Reference {
    /// Reads JSON.
    ///
    /// # Errors
    /// If it cannot be read, or has nothing to compare with.
    pub fn read(path: &Path) -> Result<Reference, ModelError> {
        let text = std::fs::read(path).map_err(|e| ModelError::file(path, e))?;
        let reference: Reference = serde_json::from_slice(&text).map_err(|e| ModelError::file(path, e))?;
        if reference.rows.is_empty() && reference.chats.is_empty() && reference.tokenization.is_empty() {
            return Err(ModelError::file(path, "has none of `rows`, `chats`, `tokenization`: nothing to compare with"));
        }
        Ok(reference)
    }

    /// Compares everything; what there was nothing of is left out.
    ///
    /// # Errors
    /// If the model cannot be asked, say for a token that it does not have. A difference is no error.
    pub fn compare(&self, model: &Pretrained, threads: usize) -> Result<Vec<Finding>, ModelError> {
        let weights = &model.weights;
        let mut findings = rows::compare(self, weights, threads)?;
        findings.extend(chats::compare(self, model, threads)?);
        let prompts: Vec<&[u32]> = self.rows.iter().map(|r| r.ids.as_slice()).chain(self.chats.iter().map(|c| c.ids.as_slice())).collect();
        findings.extend(paths::compare(weights, &prompts, threads)?);
        findings.retain(|finding| finding.compared > 0);
        Ok(findings)
    }
}
