//! Responses, many at a time: requests enter and leave at any step.
//!
//! A request's tokens depend on its prompt, mode and seed, not on the requests beside it: the kernels give a row the same
//! bits in any company.

mod engine;
mod request;
mod sample;
mod slots;
#[cfg(test)]
mod tests;
mod tree;
mod until;
mod watch;

pub use request::{Finish, Mode, Request, Response, Thought};
pub use sample::Sampling;
pub use slots::{Generator, SlotId};
pub use until::Until;
pub use watch::Likely;
