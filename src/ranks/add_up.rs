//! Sums in one order, whoever holds the parts.

use super::meeting::Call;
use super::{PIECE, Ranks, RanksError};
use bytemuck::Pod;

impl Ranks {
    /// Adds up the parts of all ranks, in the order of the ranks and of each rank's own: `((a + b) + c) + …`, as one that holds them all would. `add` adds its
    /// second list to its first.
    ///
    /// A part is some lists of numbers, as long as those of every other. `holders` are the ranks that have parts, in order; the others have one part all
    /// the same, of any numbers. The sum comes to stand in each rank's first part. The sum so far goes from holder to holder, piece by piece, and the last one's to all: whatever
    /// the number of ranks, each sends the length of a part twice at most.
    pub(crate) fn add_up<T: Pod>(
        &self,
        holders: &[usize],
        parts: &mut [Vec<&mut [T]>],
        add: impl Fn(&mut [T], &[T]),
    ) -> Result<(), RanksError> {
        let Some((total, others)) = parts.split_first_mut() else { return Err(RanksError::Unreadable) };
        let Some(meeting) = &self.0 else {
            for other in others {
                total.iter_mut().zip(other).for_each(|(sum, list)| add(sum, list));
            }
            return Ok(());
        };
        let length: usize = total.iter().map(|list| list.len()).sum();
        let lengths = meeting.meet(Call::AddUp, Ok(length as u64))?;
        if let Some(rank) = lengths.iter().position(|other| Some(other) != lengths.first()) {
            meeting.part();
            return Err(RanksError::Apart { rank });
        }
        // Small enough that all holders are soon at work, and not so small that each is a message and little more.
        let piece = (length * size_of::<T>() / (2 * holders.len().max(1))).clamp(PIECE / 16, PIECE);
        let most = (piece / size_of::<T>().max(1)).max(1);
        if let Some(place) = holders.iter().position(|rank| *rank == self.rank()) {
            let before = place.checked_sub(1).and_then(|before| holders.get(before));
            let after = holders.get(place + 1);
            let mut sum: Vec<T> = Vec::new();
            for (list, own) in total.iter_mut().enumerate() {
                for first in (0..own.len()).step_by(most) {
                    let range = first..own.len().min(first + most);
                    let own = &mut own[range.clone()];
                    sum.resize(range.len(), T::zeroed());
                    match before {
                        Some(before) => {
                            meeting.receive(*before, bytemuck::cast_slice_mut(&mut sum))?;
                            add(&mut sum, own);
                        }
                        None => sum.copy_from_slice(own),
                    }
                    for other in others.iter() {
                        add(&mut sum, &other[list][range.clone()]);
                    }
                    match after {
                        Some(after) => meeting.send(*after, bytemuck::cast_slice(&sum))?,
                        None => own.copy_from_slice(&sum),
                    }
                }
            }
        }
        let Some(last) = holders.last() else { return Ok(()) };
        for list in total {
            list.chunks_mut(most).try_for_each(|piece| meeting.broadcast(*last, bytemuck::cast_slice_mut(piece)))?;
        }
        Ok(())
    }
}
