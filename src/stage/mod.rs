//! Stages: the nodes of a pipeline's DAG. Each kind is a file of its own, with its fields and its work; `kinds` lists them, and none of them
//! knows another.

mod card;
mod collect;
mod common;
mod context;
mod contract;
mod cuts;
mod data;
mod dataset;
mod demonstrated;
mod error;
mod evaluate;
mod export;
mod histogram;
mod kinds;
mod latest;
mod length;
mod lessons;
mod load;
mod minibatch;
mod outside;
mod policies;
mod report;
mod results;
mod rl;
mod seat;
mod sft;
mod shares;
mod tasks;
mod texts;
mod tokenizer;
mod updater;
mod wanted;

pub use crate::env::Machine;
pub use context::Progress;
pub use error::RunError;
pub use histogram::{Histogram, Looks};
pub use outside::Place;

pub(crate) use crate::kind::Artifact;
pub(crate) use crate::model::pretrained::{Content, Contents};
pub(crate) use crate::policy::Size;
pub(crate) use common::Common;
pub(crate) use context::{Context, InputFolder};
pub(crate) use contract::{Figure, Output, Stage};
pub(crate) use kinds::possible_outputs;
pub(crate) use latest::latest_episodes;
pub(crate) use length::Length;
pub(crate) use load::{Inputs, Memory};
pub(crate) use outside::Outside;
pub(crate) use report::{gather, table};
pub(crate) use rl::Source;
