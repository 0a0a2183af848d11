//! `epo`: a declarative pipeline engine for reinforcement learning of LLM agents.

pub mod env;
pub mod lang;
pub mod model;
