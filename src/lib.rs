//! `epo`: a declarative pipeline engine for reinforcement learning of LLM agents.

pub mod env;
pub mod exec;
pub mod lang;
pub mod plan;
pub mod seed;
pub mod spec;
pub mod stage;
pub mod store;
