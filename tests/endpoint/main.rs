//! `endpoint { … }` against a small server of the test's own.

mod answers;
mod budget;
mod keys;
mod lasting;
#[path = "../cli/support.rs"]
#[allow(dead_code)]
mod place;
mod recipe;
mod server;
mod trouble;
