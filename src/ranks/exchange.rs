//! How ranks reach each other.

/// A rank that cannot be reached any more, if it is known which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", match rank { Some(rank) => format!("rank {rank} is gone"), None => "another rank is gone".into() })]
pub struct Lost {
    /// Which.
    pub rank: Option<usize>,
}

/// Bytes from rank to rank. Every method returns when its bytes are there, or were taken; all ranks know the lengths beforehand.
pub trait Exchange: Send + Sync {
    /// This one, from 0.
    fn rank(&self) -> usize;

    /// How many there are.
    fn size(&self) -> usize;

    /// `own` of every rank, one after the other in `all`, which has `size` times its length. Called by all of them.
    fn all_gather(&self, own: &[u8], all: &mut [u8]) -> Result<(), Lost>;

    /// What the rank `root` has in `bytes`, in those of every rank. Called by all of them.
    fn broadcast(&self, root: usize, bytes: &mut [u8]) -> Result<(), Lost>;

    /// To one that receives.
    fn send(&self, to: usize, bytes: &[u8]) -> Result<(), Lost>;

    /// From one that sends.
    fn receive(&self, from: usize, bytes: &mut [u8]) -> Result<(), Lost>;
}
