//! `epo`: a declarative pipeline engine for reinforcement learning of LLM agents.

pub mod cli;
pub mod env;
#[allow(missing_docs, unreachable_pub, clippy::pedantic)]
pub mod equation;
pub mod exec;
#[allow(missing_docs, unreachable_pub, clippy::pedantic)]
pub mod kind;
#[allow(missing_docs, unreachable_pub, clippy::pedantic)]
pub mod lang;
pub mod model;
#[allow(missing_docs, unreachable_pub, clippy::pedantic)]
pub mod objective;
pub mod plan;
#[allow(missing_docs, unreachable_pub, clippy::pedantic)]
pub mod play;
#[allow(missing_docs, unreachable_pub, clippy::pedantic)]
pub mod policy;
#[allow(missing_docs, unreachable_pub, clippy::pedantic)]
pub mod registry;
pub mod report;
mod rollout;
pub mod seed;
#[allow(missing_docs, unreachable_pub, clippy::pedantic)]
pub mod spec;
#[allow(missing_docs, unreachable_pub, clippy::pedantic)]
pub mod stage;
pub mod store;
