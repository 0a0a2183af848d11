//! What a stranger's file can do: tried from outside, with the command alone. `SECURITY.md` names these tests.

#[path = "../cli/support.rs"]
#[allow(dead_code, reason = "the tests of the command line use more of it")]
mod support;

mod any_bytes;
#[path = "../common/archive.rs"]
mod archive;
#[cfg(unix)]
mod children;
mod edges;
mod imports;
mod packs;
mod security;
mod settings;
mod store;
mod words;
