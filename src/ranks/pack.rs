//! Lists of numbers as bytes, and back: every bit as it was.

use super::RanksError;
use bytemuck::{AnyBitPattern, NoUninit};

/// What is written for other ranks.
#[derive(Default)]
pub(crate) struct Pack(Vec<u8>);

impl Pack {
    pub(crate) fn number(&mut self, number: usize) {
        self.0.extend((number as u64).to_le_bytes());
    }

    pub(crate) fn list<T: NoUninit>(&mut self, list: &[T]) {
        self.number(list.len());
        self.0.extend_from_slice(bytemuck::cast_slice(list));
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0
    }
}

/// What another rank has written. Fails with [`RanksError::Unreadable`] where that was something else.
pub(crate) struct Unpack<'a>(pub(crate) &'a [u8]);

impl Unpack<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8], RanksError> {
        let (taken, left) = self.0.split_at_checked(count).ok_or(RanksError::Unreadable)?;
        self.0 = left;
        Ok(taken)
    }

    pub(crate) fn number(&mut self) -> Result<usize, RanksError> {
        let bytes = self.take(size_of::<u64>())?.try_into().map_err(|_| RanksError::Unreadable)?;
        usize::try_from(u64::from_le_bytes(bytes)).map_err(|_| RanksError::Unreadable)
    }

    pub(crate) fn list<T: NoUninit + AnyBitPattern>(&mut self) -> Result<Vec<T>, RanksError> {
        let bytes = self.number()?.checked_mul(size_of::<T>()).ok_or(RanksError::Unreadable)?;
        Ok(bytemuck::pod_collect_to_vec(self.take(bytes)?))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
