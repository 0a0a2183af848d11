//! A policy behind the protocol of OpenAI: `/v1/chat/completions`, `/v1/completions`, `/v1/models`.
//!
//! A request becomes jobs, one for each response that it asks for. They wait in one queue; lanes, one thread each, take them into the slots of their
//! generators and decode all of theirs together. What a job's response is depends on its prompt, its fields and its seed, not on who shares a lane.

mod answer;
mod body;
mod chat;
mod error;
mod fields;
mod find;
mod http;
mod job;
mod lane;
mod listen;
mod queue;
mod stream;
mod writer;

pub(crate) use find::{FindError, find};
pub(crate) use listen::{Options, Serve};
