//! `epo`: a declarative pipeline engine for reinforcement learning of LLM agents.

pub mod builtin;
pub mod cli;
pub mod env;
pub mod equation;
pub mod exec;
pub mod kind;
pub mod lang;
pub mod model;
pub mod objective;
pub mod plan;
pub mod play;
pub mod policy;
pub mod registry;
pub mod report;
pub mod rollout;
pub mod seed;
pub mod spec;
pub mod stage;
pub mod store;
