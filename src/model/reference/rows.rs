//! Rows of ids: logits, log-probabilities, entropies, greedy tokens, and the gradient of the first.

use super::{ENTROPIES, Finding, GRADIENTS, LOGITS, LOGPROBS, Reference};
use crate::model::{Compute, Generator, Mode, ModelError, Request, Row, Sampling, ScoreGradients, Target, Weights};
use crate::model::{accumulate_gradients, logits, score};
use std::sync::Arc;

/// A row that asks for every position; behind the last token it asks for any.
pub(super) fn everywhere(ids: &[u32]) -> Row {
    let token = |i: usize| ids.get(i + 1).copied().unwrap_or(0);
    Row { ids: ids.to_vec(), targets: (0..ids.len()).map(|position| Target { position, token: token(position), allowed: None }).collect() }
}

/// The most likely tokens behind each prompt, all of them at the same time.
pub(super) fn greedy(weights: &Arc<Weights>, asked: &[(&[u32], usize)], stop: &[u32]) -> Result<Vec<crate::model::Response>, ModelError> {
    let capacity = asked.iter().map(|(prompt, count)| prompt.len() + count).max().unwrap_or(1);
    let requests = asked.iter().map(|(prompt, count)| {
        let sampling = Sampling { temperature: 0.0, ..Sampling::default() };
        Request { prompt: prompt.to_vec(), mode: Mode::Sample { sampling, max_tokens: *count, stop: stop.to_vec() }, seed: 0 }
    });
    Generator::new(weights.clone(), asked.len().clamp(1, 16), capacity)?.run(requests)
}

pub(super) fn compare(reference: &Reference, weights: &Arc<Weights>, threads: usize) -> Result<Vec<Finding>, ModelError> {
    let compute = Compute { threads, ..Compute::default() };
    let mut last = Finding::new("logits", Some(LOGITS));
    let mut logprobs = Finding::new("log-probabilities", Some(LOGPROBS));
    let mut entropies = Finding::new("entropies", Some(ENTROPIES));
    let mut tokens = Finding::new("greedy tokens", None);
    for (i, row) in reference.rows.iter().enumerate() {
        let found = logits(weights, &row.ids)?;
        last.numbers(|t| format!("row {i}, token {t}"), &found, &row.last_logits);
        let scores = score(weights, &[everywhere(&row.ids)], 1.0, &compute)?;
        let before = row.ids.len().saturating_sub(1);
        logprobs.numbers(|t| format!("row {i}, position {t}"), &scores.logp[..before], &row.logprobs);
        entropies.numbers(|t| format!("row {i}, position {t}"), &scores.entropy, &row.entropy);
    }
    let asked: Vec<(&[u32], usize)> =
        reference.rows.iter().filter(|r| !r.greedy.is_empty()).map(|r| (r.ids.as_slice(), r.greedy.len())).collect();
    let answers = greedy(weights, &asked, &[])?;
    for (i, (row, response)) in reference.rows.iter().filter(|r| !r.greedy.is_empty()).zip(&answers).enumerate() {
        tokens.equal(|| format!("row {i}"), &response.tokens, &row.greedy);
    }
    let mut findings = vec![last, logprobs, entropies, tokens];
    findings.extend(gradients(reference, weights, &compute)?);
    Ok(findings)
}

/// The mean negative log-likelihood of the first row, and the norms of its gradient.
fn gradients(reference: &Reference, weights: &Weights, compute: &Compute) -> Result<Vec<Finding>, ModelError> {
    let (Some(row), Some(expected)) = (reference.rows.first(), reference.nll) else { return Ok(Vec::new()) };
    let row = Row::after(row.ids.clone(), 1);
    let count = row.targets.len().max(1);
    let slopes = ScoreGradients { logp: vec![-1.0 / count as f32; row.targets.len()], entropy: Vec::new() };
    let (scores, gradients) = accumulate_gradients(weights, &[row], 1.0, &slopes, compute)?;
    let mut nll = Finding::new("mean negative log-likelihood", Some(LOGPROBS));
    nll.number(|| "row 0".into(), -scores.logp.iter().map(|x| f64::from(*x)).sum::<f64>() / count as f64, expected);
    let mut norms = Finding::new("gradient norms", Some(GRADIENTS));
    let found = gradients.norms()?;
    for (name, expected) in &reference.grad_norms {
        match found.get(name) {
            Some(found) => {
                norms.distance(|| format!("{name}: {found} for {expected}"), (found - expected).abs() / expected.abs().max(1e-12));
            }
            None => norms.distance(|| format!("`{name}` has no gradient"), f64::INFINITY),
        }
    }
    for (name, _) in found.iter().filter(|(name, _)| !reference.grad_norms.contains_key(*name)) {
        norms.distance(|| format!("`{name}` is not in the reference"), f64::INFINITY);
    }
    Ok(vec![nll, norms])
}
