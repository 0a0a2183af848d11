//! The official ALFWorld games, played natively, against recordings of the reference environment.

mod data;
mod old_release;
mod panels;
mod pipeline;
mod play;
mod reader;
#[path = "../common/reference.rs"]
mod reference;
mod search;
