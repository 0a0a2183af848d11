//! Stages: the nodes of a pipeline's DAG. Each kind is a file of its own, with its fields and its work; `kinds` lists them, and none of them
//! knows another.

mod collect;
mod common;
mod context;
mod contract;
mod error;
mod evaluate;
mod export;
mod kinds;
mod policies;
mod report;
mod results;
mod rl;
mod seat;
mod sft;
mod tasks;
mod tokenizer;
mod updater;

pub use crate::kind::Artifact;
pub use common::Common;
pub use context::{Context, InputFolder, Progress};
pub use contract::{Figure, Output, Stage};
pub use error::RunError;
pub use kinds::possible_outputs;
