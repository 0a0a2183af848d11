//! `epo`: a declarative pipeline engine for reinforcement learning of LLM agents.

// What a user, a file or an environment can cause is an error, never an end. A test may end.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::todo, clippy::unimplemented)
)]

pub mod builtin;
mod child;
pub mod cli;
mod engine;
pub mod env;
pub mod equation;
pub mod exec;
pub mod extend;
#[cfg(feature = "serve")]
mod http;
mod import;
pub mod kind;
pub mod lang;
mod lsp;
pub mod model;
pub mod objective;
mod pack;
pub mod plan;
mod play;
mod policy;
pub mod ranks;
pub mod registry;
mod remote;
pub mod report;
mod rollout;
pub mod seed;
#[cfg(feature = "serve")]
mod serve;
mod shared;
pub mod spec;
mod stage;
pub mod stats;
pub mod store;
pub mod track;
#[cfg(feature = "serve")]
mod watch;

pub(crate) use kind::words;
