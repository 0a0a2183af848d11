//! Draws that depend on nothing but what they are drawn for.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A stream of draws, seeded with a name. Bounded draws are made here and not by a library, so that no version of one changes the games.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// `name` says what is drawn, `numbers` which one of those.
    pub(super) fn new(name: &str, numbers: &[u64]) -> Self {
        let mut hash = blake3::Hasher::new_derive_key("epo household dice 1");
        hash.update(&(name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
        for number in numbers {
            hash.update(&number.to_le_bytes());
        }
        Dice(ChaCha8Rng::from_seed(*hash.finalize().as_bytes()))
    }

    /// Uniform in `0..bound` (to within 2^-32 of each probability); 0 when `bound` is 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        ((u64::from(self.0.next_u32()) * bound as u64) >> 32) as usize
    }

    pub(super) fn pick<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        list.get(self.below(list.len())).copied()
    }

    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.below(i + 1));
        }
    }
}
