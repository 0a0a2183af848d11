//! Ranks that are threads of one process, for tests.

use super::{Exchange, Lost, Ranks};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

/// One of them. Whoever waits for one that was dropped hears that it is gone.
struct Local {
    rank: usize,
    to: Vec<Sender<Vec<u8>>>,
    from: Vec<Mutex<Receiver<Vec<u8>>>>,
    /// So many calls are answered, and then no more.
    calls: AtomicUsize,
}

/// So many ranks, connected with each other. `dies`: a rank, and after how many calls it is gone.
pub(crate) fn ranks(size: usize, dies: Option<(usize, usize)>) -> Vec<Ranks> {
    let mut to: Vec<Vec<Sender<Vec<u8>>>> = (0..size).map(|_| Vec::new()).collect();
    let mut from: Vec<Vec<Mutex<Receiver<Vec<u8>>>>> = (0..size).map(|_| Vec::new()).collect();
    for from in &mut from {
        for to in &mut to {
            let (sender, receiver) = channel();
            to.push(sender);
            from.push(Mutex::new(receiver));
        }
    }
    let rank = |(rank, (to, from)): (usize, (Vec<_>, Vec<_>))| {
        let calls = dies.filter(|(who, _)| *who == rank).map_or(usize::MAX, |(_, calls)| calls);
        Ranks::over(Local { rank, to, from, calls: AtomicUsize::new(calls) })
    };
    to.into_iter().zip(from).enumerate().map(rank).collect()
}

impl Local {
    fn alive(&self) -> Result<(), Lost> {
        let left = self.calls.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| Lost { rank: Some(self.rank) })
    }
}

impl Exchange for Local {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.to.len()
    }

    fn all_gather(&self, own: &[u8], all: &mut [u8]) -> Result<(), Lost> {
        self.alive()?;
        (0..self.size()).filter(|to| *to != self.rank).try_for_each(|to| self.send(to, own))?;
        for (from, place) in all.chunks_mut(own.len().max(1)).enumerate() {
            match from == self.rank {
                true => place.copy_from_slice(own),
                false => self.receive(from, place)?,
            }
        }
        Ok(())
    }

    fn broadcast(&self, root: usize, bytes: &mut [u8]) -> Result<(), Lost> {
        self.alive()?;
        match root == self.rank {
            true => (0..self.size()).filter(|to| *to != root).try_for_each(|to| self.send(to, bytes)),
            false => self.receive(root, bytes),
        }
    }

    fn send(&self, to: usize, bytes: &[u8]) -> Result<(), Lost> {
        self.to[to].send(bytes.to_vec()).map_err(|_| Lost { rank: Some(to) })
    }

    fn receive(&self, from: usize, bytes: &mut [u8]) -> Result<(), Lost> {
        let sent = self.from[from].lock().unwrap_or_else(|poisoned| poisoned.into_inner()).recv().map_err(|_| Lost { rank: Some(from) })?;
        assert_eq!(sent.len(), bytes.len(), "rank {} expects as many bytes as rank {from} sends", self.rank);
        bytes.copy_from_slice(&sent);
        Ok(())
    }
}
