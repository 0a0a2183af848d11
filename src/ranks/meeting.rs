//! Every call of ranks begins with a meeting: all say which call it is, and whether they come to it at all.

use super::error::RanksError;
use super::exchange::{Exchange, Lost};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Of a message, at most.
const MESSAGE: usize = 1 << 16;

/// Numbers of a header: how many calls there were, which this is, whether the rank has failed, and a value.
const HEADER: usize = 4;

/// What ranks meet for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Announce,
    Wait,
    Decide,
    Agree,
    Gather,
    AddUp,
}

pub(super) struct Meeting {
    pub(super) exchange: Box<dyn Exchange>,
    calls: AtomicU64,
    /// Bytes that this rank has handed over.
    pub(super) sent: AtomicU64,
    /// All have heard that one of them failed: there is nothing to meet for until the next announcement.
    over: AtomicBool,
    /// One of them is gone, and with it the order of all messages.
    lost: AtomicBool,
}

impl Meeting {
    pub(super) fn new(exchange: Box<dyn Exchange>) -> Meeting {
        Meeting { exchange, calls: AtomicU64::new(0), sent: AtomicU64::new(0), over: AtomicBool::new(false), lost: AtomicBool::new(false) }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    pub(super) fn begin(&self) {
        self.over.store(self.lost.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    pub(super) fn part(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// The values of all ranks. With an `Err` it fails at all of them.
    pub(super) fn meet(&self, call: Call, own: Result<u64, &str>) -> Result<Vec<u64>, RanksError> {
        if self.is_over() {
            return Err(RanksError::Over);
        }
        let why = own.err().map(|why| why.as_bytes().get(..MESSAGE).unwrap_or(why.as_bytes()));
        let value = own.unwrap_or_else(|_| why.map_or(0, <[u8]>::len) as u64);
        let own = [self.calls.fetch_add(1, Ordering::Relaxed), call as u64, u64::from(why.is_some()), value];
        self.count(size_of_val(&own));
        let mut all = vec![0u64; HEADER * self.exchange.size()];
        self.noted(self.exchange.all_gather(bytemuck::bytes_of(&own), bytemuck::cast_slice_mut(&mut all)))?;
        let headers: Vec<[u64; HEADER]> = bytemuck::cast_slice(&all).to_vec();
        let failed = headers.iter().enumerate().find(|(_, [_, _, failed, _])| *failed != 0);
        if let Some((rank, [.., length])) = failed {
            let mut message = why.filter(|_| rank == self.exchange.rank()).map_or_else(|| vec![0; *length as usize], <[u8]>::to_vec);
            self.broadcast(rank, &mut message)?;
            self.part();
            return Err(RanksError::Failed { rank, message: String::from_utf8_lossy(&message).into_owned() });
        }
        let elsewhere = |header: &[u64; HEADER]| headers.first().is_some_and(|first| first[..2] != header[..2]);
        if let Some(rank) = headers.iter().position(elsewhere) {
            self.part();
            return Err(RanksError::Apart { rank });
        }
        Ok(headers.into_iter().map(|[.., value]| value).collect())
    }

    pub(super) fn broadcast(&self, root: usize, bytes: &mut [u8]) -> Result<(), RanksError> {
        if root == self.exchange.rank() {
            self.count(bytes.len());
        }
        self.noted(self.exchange.broadcast(root, bytes))
    }

    pub(super) fn send(&self, to: usize, bytes: &[u8]) -> Result<(), RanksError> {
        self.count(bytes.len());
        self.noted(self.exchange.send(to, bytes))
    }

    pub(super) fn receive(&self, from: usize, bytes: &mut [u8]) -> Result<(), RanksError> {
        self.noted(self.exchange.receive(from, bytes))
    }

    fn count(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn noted(&self, result: Result<(), Lost>) -> Result<(), RanksError> {
        result.map_err(|lost| {
            self.lost.store(true, Ordering::Relaxed);
            self.part();
            lost.into()
        })
    }
}
