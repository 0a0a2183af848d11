//! A state: one bit for each fact that can change.

use super::cond::{Literal, make};

/// Cheap to clone, compare and hash. Means something only together with its game.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct State {
    bits: Box<[u64]>,
}

impl State {
    pub(crate) fn new(bits: Box<[u64]>) -> Self {
        State { bits }
    }

    #[inline]
    pub(crate) fn bits(&self) -> &[u64] {
        &self.bits
    }

    #[inline]
    pub(crate) fn make(&mut self, literal: Literal) {
        make(&mut self.bits, literal);
    }
}
