//! Environments behind a server: `openenv { … }`.

mod breakdowns;
mod command;
mod page;
#[path = "../cli/support.rs"]
#[allow(dead_code)]
mod place;
mod playing;
mod server;
mod support;
mod walk;
