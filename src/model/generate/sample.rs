//! Drawing a token from a distribution.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;
use serde::{Deserialize, Serialize};

/// How a response is drawn, token by token. Truncations apply in the order of the fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// 0: always the most likely token.
    pub temperature: f64,
    /// Keep the k most likely tokens.
    pub top_k: Option<usize>,
    /// Of those, keep the fewest most likely ones whose share reaches p.
    pub top_p: Option<f64>,
    /// Of those, keep tokens at least this times as likely as the most likely one.
    pub min_p: Option<f64>,
}

impl Default for Sampling {
    fn default() -> Sampling {
        Sampling { temperature: 1.0, top_k: None, top_p: None, min_p: None }
    }
}

/// A number in [0, 1).
fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// The index of the largest; the first of several.
pub(crate) fn most_likely(p: &[f32]) -> usize {
    let mut best = 0;
    for (i, x) in p.iter().enumerate() {
        if *x > p[best] {
            best = i;
        }
    }
    best
}

/// An index drawn with probability `p[i]` (up to their sum).
pub(crate) fn draw(p: &[f32], rng: &mut ChaCha8Rng) -> usize {
    let total: f64 = p.iter().map(|x| f64::from(*x)).sum();
    let mut rest = uniform(rng) * total;
    for (i, x) in p.iter().enumerate() {
        rest -= f64::from(*x);
        if rest < 0.0 {
            return i;
        }
    }
    // Rounding only: the last index with any probability.
    p.iter().rposition(|x| *x > 0.0).unwrap_or(0)
}

impl Sampling {
    pub(crate) fn pick(&self, p: &[f32], rng: &mut ChaCha8Rng) -> usize {
        if self.temperature == 0.0 {
            return most_likely(p);
        }
        if self.top_k.is_none() && self.top_p.is_none() && self.min_p.is_none() {
            return draw(p, rng);
        }
        let mut order: Vec<usize> = (0..p.len()).collect();
        order.sort_by(|a, b| p[*b].total_cmp(&p[*a]).then(a.cmp(b)));
        if let Some(k) = self.top_k {
            order.truncate(k.max(1));
        }
        if let Some(share) = self.top_p {
            let total: f64 = order.iter().map(|i| f64::from(p[*i])).sum();
            let mut seen = 0.0;
            let reached = order.iter().position(|i| {
                seen += f64::from(p[*i]);
                seen >= share * total
            });
            order.truncate(reached.map_or(order.len(), |at| at + 1));
        }
        if let Some(least) = self.min_p {
            let floor = order.first().map_or(0.0, |i| f64::from(p[*i])) * least;
            order.retain(|i| f64::from(p[*i]) >= floor);
        }
        let kept: Vec<f32> = order.iter().map(|i| p[*i]).collect();
        order.get(draw(&kept, rng)).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    const P: [f32; 5] = [0.1, 0.4, 0.05, 0.25, 0.2];

    fn shares(sampling: &Sampling) -> [f64; 5] {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut counts = [0.0; 5];
        for _ in 0..20_000 {
            counts[sampling.pick(&P, &mut rng)] += 1.0 / 20_000.0;
        }
        counts
    }

    fn close(found: [f64; 5], expected: [f64; 5]) {
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 0.015, "{found:?} {expected:?}");
        }
    }

    #[test]
    fn truncations_keep_what_they_say() {
        let all = Sampling::default();
        close(shares(&all), [0.1, 0.4, 0.05, 0.25, 0.2]);
        close(shares(&Sampling { top_k: Some(2), ..all.clone() }), [0.0, 0.4 / 0.65, 0.0, 0.25 / 0.65, 0.0]);
        close(shares(&Sampling { top_p: Some(0.8), ..all.clone() }), [0.0, 0.4 / 0.85, 0.0, 0.25 / 0.85, 0.2 / 0.85]);
        close(shares(&Sampling { min_p: Some(0.6), ..all.clone() }), [0.0, 0.4 / 0.65, 0.0, 0.25 / 0.65, 0.0]);
        close(shares(&Sampling { temperature: 0.0, ..all }), [0.0, 1.0, 0.0, 0.0, 0.0]);
    }
}
