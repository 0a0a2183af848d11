//! `epo-run serve`, from outside: the program, and a client that knows HTTP and nothing else.

// Signals end it.
#![cfg(unix)]

mod alone_and_beside;
mod answers;
mod client;
mod limits;
#[path = "../models/support.rs"]
#[allow(dead_code, reason = "the tests of models use more of it")]
mod models;
mod policies;
mod refusals;
mod server;
mod streams;
