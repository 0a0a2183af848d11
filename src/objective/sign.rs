//! Whether what is minimised has its sign turned round, as far as that can be known before a run.
//!
//! The gradient is taken on a small batch on which the policy is the one that collected it, once with a quantity as it is and once turned round or moved. What the
//! difference does to each token tells the sign, whatever the equation is made of.

use super::batch::{Batch, Rows};
use super::gradient::Gradient;
use super::history::History;
use super::loss::Objective;
use super::quantities::TOP_SHARES;
use crate::lang::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What was found of an equation, for so many iterations and a quantity. A thousand pipelines with other seeds have one equation, and so has a file after most
/// edits: it is tried once.
static TRIED: Mutex<BTreeMap<Trial, bool>> = Mutex::new(BTreeMap::new());
type Trial = (String, usize, &'static str);

/// Trials that are remembered; an editor may be open for days.
const MOST_TRIED: usize = 10_000;

/// Episodes of the batch, in groups of two; two turns each, of two tokens.
const EPISODES: usize = 4;
const TOKENS: usize = EPISODES * 4;

/// What an update does that nobody wants.
struct Wrong {
    quantity: &'static str,
    /// A higher one should lower the gradient of the tokens' own values.
    gradient: fn(&Gradient) -> Option<&Vec<f64>>,
    message: &'static str,
    help: &'static str,
}

const WRONGS: [Wrong; 3] = [
    Wrong {
        quantity: "advantage",
        gradient: |g| g.logp.as_ref(),
        message: "minimising this makes tokens with a high advantage less likely: the sign is turned round",
        help: "what is to grow is minimised with a minus: `minimize = -(…)`; the losses of `std/losses.epo` have it already",
    },
    Wrong {
        quantity: "ref_logp",
        gradient: |g| g.logp.as_ref(),
        message: "minimising this drives the policy away from its reference: the sign of the divergence is turned round",
        help: "a divergence is added to what is minimised: `… + 0.001 * mean(kl_k3())`",
    },
    Wrong {
        quantity: "returns",
        gradient: |g| g.value.as_ref(),
        message: "minimising this drives the critic away from the returns: the sign of its error is turned round",
        help: "an error is added to what is minimised: `… + 0.5 * mean(value_clip(0.2))`",
    },
];

impl Objective {
    /// Warns (`W0307`) of an equation that pushes every token the wrong way.
    pub fn warn_of_signs(&self, iterations: usize, diagnostics: &mut Diagnostics) {
        for wrong in WRONGS.iter().filter(|wrong| self.needs().has(wrong.quantity)) {
            if self.tried(wrong, iterations) {
                diagnostics.push(Diagnostic::warning("W0307", self.place(), wrong.message).help(wrong.help));
            }
        }
    }

    fn tried(&self, wrong: &Wrong, iterations: usize) -> bool {
        let key = (self.digest().to_string(), iterations, wrong.quantity);
        if let Some(known) = TRIED.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return *known;
        }
        let found = self.pushes_the_wrong_way(wrong, iterations) == Some(true);
        let mut tried = TRIED.lock().unwrap_or_else(PoisonError::into_inner);
        if tried.len() >= MOST_TRIED {
            tried.clear();
        }
        tried.insert(key, found);
        found
    }

    fn pushes_the_wrong_way(&self, wrong: &Wrong, iterations: usize) -> Option<bool> {
        let gradient = |turned: f64| {
            let batch = batch(wrong.quantity, turned, iterations)?;
            let evaluation = self.evaluate(&batch, &History::default()).ok()?;
            (wrong.gradient)(&evaluation.gradient).cloned()
        };
        let (up, down) = (gradient(1.0)?, gradient(-1.0)?);
        let sign = |token: usize| if wrong.quantity == "advantage" { sign_of(token) } else { 1.0 };
        let pushes: Vec<f64> = up.iter().zip(&down).enumerate().map(|(token, (up, down))| (up - down) * sign(token)).collect();
        let size = pushes.iter().fold(0.0, |size: f64, push| size.max(push.abs()));
        Some(size > 0.0 && pushes.iter().all(|push| *push >= -1e-9 * size) && pushes.iter().sum::<f64>() > 1e-3 * size)
    }
}

/// Episodes are good and bad in turn.
fn sign_of(token: usize) -> f64 {
    if (token / 4).is_multiple_of(2) { 1.0 } else { -1.0 }
}

/// `turned`: 1 for the quantity as it is, −1 for its opposite. `None` if the batch cannot be made.
fn batch(quantity: &str, turned: f64, iterations: usize) -> Option<Batch> {
    let rows: Vec<u64> = (0..EPISODES as u64 * 2).collect();
    let mut batch = Batch::new(Rows {
        lengths: vec![2; EPISODES * 2],
        episode: Some(rows.iter().map(|row| row / 2).collect()),
        group: Some(rows.iter().map(|row| row / 4).collect()),
        anchor: Some(rows.iter().map(|row| row % 2).collect()),
        turn_index: Some(rows.iter().map(|row| row % 2).collect()),
        task: Some(rows.iter().map(|row| row / 4).collect()),
    })
    .ok()?;
    // Distinct numbers, so that nothing is equal by chance.
    let of_tokens = |base: f64, step: f64| (0..TOKENS).map(|token| base + step * ((token * 7 % 16) as f64)).collect::<Vec<f64>>();
    let moved = |name: &str, values: Vec<f64>| match name == quantity {
        true => values.into_iter().map(|x| x + 0.05 * turned).collect(),
        false => values,
    };
    let advantages = |turned: f64| (0..TOKENS).map(|token| turned * sign_of(token) * (1.0 + 0.01 * token as f64)).collect::<Vec<f64>>();
    let advantage = advantages(if quantity == "advantage" { turned } else { 1.0 });
    for (name, values) in [
        ("logp", of_tokens(-1.0, -0.05)),
        ("old_logp", of_tokens(-1.0, -0.05)),
        ("rollout_logp", of_tokens(-1.0, -0.05)),
        ("ref_logp", moved("ref_logp", of_tokens(-1.0, -0.05))),
        ("entropy", of_tokens(0.5, 0.1)),
        ("old_entropy", of_tokens(0.5, 0.1)),
        ("collision", of_tokens(0.1, 0.05)),
        ("confidence", of_tokens(0.2, 0.05)),
        ("value", of_tokens(0.2, 0.03)),
        ("old_value", of_tokens(0.2, 0.03)),
        ("returns", moved("returns", of_tokens(0.2, 0.03))),
        ("uniform", of_tokens(0.01, 0.06)),
        ("advantage", advantage),
    ] {
        batch.set(name, values).ok()?;
    }
    for (number, share) in TOP_SHARES.iter().enumerate() {
        batch.set(share.name, of_tokens(0.2 + 0.005 * number as f64, 0.02)).ok()?;
    }
    for divergence in ["kl_to_reference", "kl_from_reference", "kl_to_teacher", "kl_from_teacher"] {
        batch.set(divergence, of_tokens(0.1, 0.02)).ok()?;
    }
    let good = |row: &u64| (row / 2).is_multiple_of(2);
    let outcome: Vec<f64> = rows.iter().map(|row| f64::from(u8::from(good(row)))).collect();
    batch.set("reward", rows.iter().map(|row| f64::from(u8::from(good(row) && row % 2 == 1))).collect()).ok()?;
    batch.set("valid", vec![1.0; rows.len()]).ok()?;
    batch.set_by_row("score", &outcome).ok()?;
    batch.set_by_row("success", &outcome).ok()?;
    batch.set_by_row("split", &vec![0.0; rows.len()]).ok()?;
    batch.set("outcome", outcome).ok()?;
    // Where coefficients that change over the run are on their way.
    let half = (iterations / 2) as f64;
    batch.set_time(half, iterations as f64, half / (iterations.max(1)) as f64).ok()?;
    Some(batch)
}
