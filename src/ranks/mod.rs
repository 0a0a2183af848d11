//! One computation in several processes: who takes which part, and how the parts are brought together, in an order that does not depend on how many
//! ranks there are.
//!
//! All ranks run the same program on the same inputs and come to the same calls in the same order. What one of them cannot do, the others hear at their next call.
//! A rank that is alone pays nothing.

mod add_up;
mod error;
mod exchange;
#[cfg(test)]
pub(crate) mod local;
mod meeting;
#[cfg(feature = "mpi")]
mod mpi;
mod pack;
#[cfg(test)]
mod tests;

pub use error::RanksError;
pub use exchange::{Exchange, Lost};
pub(crate) use pack::{Pack, Unpack};

#[cfg(feature = "mpi")]
pub use self::mpi::join;

use meeting::{Call, Meeting};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Bytes that are handed over at once.
const PIECE: usize = 1 << 20;

/// The ranks that share a computation, as one of them sees them. A clone is of the same.
#[derive(Clone, Default)]
pub struct Ranks(Option<Arc<Meeting>>);

impl Ranks {
    /// One that shares with nobody.
    pub const ALONE: Ranks = Ranks(None);

    /// Those that an exchange connects.
    pub fn over(exchange: impl Exchange + 'static) -> Ranks {
        if exchange.size() > 1 { Ranks(Some(Arc::new(Meeting::new(Box::new(exchange))))) } else { Ranks::ALONE }
    }

    /// From 0.
    pub fn rank(&self) -> usize {
        self.0.as_ref().map_or(0, |meeting| meeting.exchange.rank())
    }

    /// How many there are.
    pub fn size(&self) -> usize {
        self.0.as_ref().map_or(1, |meeting| meeting.exchange.size())
    }

    /// Bytes that this rank has sent so far, what goes to all of them counted once.
    pub fn sent(&self) -> u64 {
        self.0.as_ref().map_or(0, |meeting| meeting.sent.load(Ordering::Relaxed))
    }

    /// Whether this is the one that writes and speaks.
    pub fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// These, or this one alone where there is only one part to be dealt.
    pub(crate) fn among(&self, parts: usize) -> Ranks {
        if parts > 1 { self.clone() } else { Ranks::ALONE }
    }

    /// Which of so many parts are this rank's: neighbours.
    fn share(&self, parts: usize) -> Range<usize> {
        share(parts, self.rank(), self.size())
    }

    /// This rank's of all parts.
    pub(crate) fn own<T>(&self, all: Vec<T>) -> Vec<T> {
        let share = self.share(all.len());
        all.into_iter().skip(share.start).take(share.len()).collect()
    }

    /// The ranks that have any of so many parts, in order.
    pub(crate) fn holders(&self, parts: usize) -> Vec<usize> {
        (0..self.size()).filter(|rank| !share(parts, *rank, self.size()).is_empty()).collect()
    }

    /// What every rank has, in their order.
    pub(crate) fn gather(&self, own: Vec<u8>) -> Result<Vec<Vec<u8>>, RanksError> {
        let Some(meeting) = &self.0 else { return Ok(vec![own]) };
        let lengths = meeting.meet(Call::Gather, Ok(own.len() as u64))?;
        let mut all: Vec<Vec<u8>> = lengths.into_iter().map(|length| vec![0; length as usize]).collect();
        if let Some(place) = all.get_mut(self.rank()) {
            *place = own;
        }
        for (rank, bytes) in all.iter_mut().enumerate() {
            bytes.chunks_mut(PIECE).try_for_each(|piece| meeting.broadcast(rank, piece))?;
        }
        Ok(all)
    }

    /// Whether the first rank says so.
    pub(crate) fn first_says(&self, own: bool) -> Result<bool, RanksError> {
        let Some(meeting) = &self.0 else { return Ok(own) };
        Ok(meeting.meet(Call::Decide, Ok(u64::from(own)))?.first() == Some(&1))
    }

    /// Waits until all ranks have come here.
    pub(crate) fn wait(&self) -> Result<(), RanksError> {
        let Some(meeting) = &self.0 else { return Ok(()) };
        meeting.meet(Call::Wait, Ok(0)).map(drop)
    }

    /// Fails where another rank came to something else; `what` says what it is.
    pub(crate) fn agree(&self, what: &str, on: &impl Serialize) -> Result<(), RanksError> {
        let Some(meeting) = &self.0 else { return Ok(()) };
        let mut first = [0; 8];
        first.copy_from_slice(&blake3::hash(&serde_json::to_vec(on).unwrap_or_default()).as_bytes()[..8]);
        let all = meeting.meet(Call::Agree, Ok(u64::from_le_bytes(first)))?;
        match all.iter().position(|other| Some(other) != all.first()) {
            Some(rank) => {
                meeting.part();
                Err(RanksError::Differs { rank, what: what.to_owned() })
            }
            None => Ok(()),
        }
    }

    /// The first rank tells the others what comes next. What failed before is over with that.
    pub(crate) fn announce(&self, next: &impl Serialize) -> Result<(), RanksError> {
        let Some(meeting) = &self.0 else { return Ok(()) };
        let mut bytes = serde_json::to_vec(next).map_err(|_| RanksError::Unreadable)?;
        meeting.begin();
        meeting.meet(Call::Announce, Ok(bytes.len() as u64))?;
        meeting.broadcast(0, &mut bytes)
    }

    /// What the first rank tells; waits for it as long as it takes.
    pub(crate) fn announced<T: DeserializeOwned>(&self) -> Result<T, RanksError> {
        let Some(meeting) = &self.0 else { return Err(RanksError::Unreadable) };
        meeting.begin();
        let lengths = meeting.meet(Call::Announce, Ok(0))?;
        let mut bytes = vec![0; lengths.first().copied().unwrap_or_default() as usize];
        meeting.broadcast(0, &mut bytes)?;
        serde_json::from_slice(&bytes).map_err(|_| RanksError::Unreadable)
    }

    /// The others hear at their next call why this one does not go on. Nothing where they have heard of a failure already.
    pub(crate) fn fail(&self, why: &str) {
        if let Some(meeting) = self.0.as_ref().filter(|meeting| !meeting.is_over()) {
            // It fails by what it says.
            let _ = meeting.meet(Call::Wait, Err(why));
        }
    }
}

/// Which of so many parts a rank has.
fn share(parts: usize, rank: usize, size: usize) -> Range<usize> {
    parts * rank / size..parts * (rank + 1) / size
}

impl fmt::Debug for Ranks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rank {} of {}", self.rank(), self.size())
    }
}

impl PartialEq for Ranks {
    fn eq(&self, other: &Ranks) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}
