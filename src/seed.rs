//! The seed tree: one number at the root, a named child for everything that draws.
//!
//! A child depends on its path from the root and on nothing else (no counters, no order of calls, no thread), so work may be reordered, resumed or
//! spread over threads without changing a draw.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A node of the seed tree.
///
/// `child(name, index)` is the first 8 bytes, little-endian, of the blake3 key derivation with context `epo 2025 seed child v1` over
/// `seed (8 bytes LE) · length of name (8 bytes LE) · name · index (8 bytes LE)`. `rng` seeds ChaCha8 with the 32 bytes of the derivation with
/// context `epo 2025 seed rng v1` over `seed (8 bytes LE)`. Both are part of the format of a task: a change would change every result.
///
/// ```
/// use epo::seed::Seed;
/// let run = Seed(7);
/// let episode = run.child("iteration", 3).child("group", 0).child("episode", 5);
/// assert_eq!(episode, Seed(7).child("iteration", 3).child("group", 0).child("episode", 5));
/// assert_ne!(episode, run.child("iteration", 3).child("group", 5).child("episode", 0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(pub u64);

impl Seed {
    /// Children of another name or index draw independently.
    pub fn child(self, name: &str, index: u64) -> Seed {
        let mut hasher = blake3::Hasher::new_derive_key("epo 2025 seed child v1");
        hasher.update(&self.0.to_le_bytes());
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(&index.to_le_bytes());
        let mut first = [0; 8];
        hasher.finalize_xof().fill(&mut first);
        Seed(u64::from_le_bytes(first))
    }

    /// A fresh generator; each call gives the same draws.
    pub fn rng(self) -> ChaCha8Rng {
        ChaCha8Rng::from_seed(blake3::derive_key("epo 2025 seed rng v1", &self.0.to_le_bytes()))
    }

    /// A random order of 0..n (Fisher–Yates).
    pub fn permutation(self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        let mut rng = self.rng();
        for i in (1..n).rev() {
            order.swap(i, (rng.next_u64() % (i as u64 + 1)) as usize);
        }
        order
    }
}

/// In [0, 1), of 53 bits.
pub(crate) fn unit(rng: &mut impl RngCore) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Computed from the description above with Python's blake3 and a ChaCha8 written out.
    #[test]
    fn the_derivation_is_fixed() {
        assert_eq!(Seed(0).child("iteration", 0).0, 4_194_977_230_785_470_844);
        assert_eq!(Seed(0).rng().next_u64(), 9_939_138_191_751_731_055);
    }

    #[test]
    fn siblings_cousins_and_names_differ() {
        let mut seen = BTreeSet::new();
        for root in 0..4 {
            for name in ["iteration", "group", "", "iterationn"] {
                for index in 0..64 {
                    assert!(seen.insert(Seed(root).child(name, index)), "{root} {name} {index}");
                }
            }
        }
        assert_ne!(Seed(0).child("a", 0).child("b", 1), Seed(0).child("b", 1).child("a", 0));
    }
}
