//! Environments in other programs: `process { … }`.

mod breakdowns;
mod command;
mod page;
#[path = "../cli/support.rs"]
#[allow(dead_code)]
mod place;
mod playing;
mod support;
mod twin;
