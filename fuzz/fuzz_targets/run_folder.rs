//! `fuzz/cases/run_folder.rs`, guided by what the inputs reach.
//!
//! `cargo +nightly fuzz run run_folder fuzz/corpus/run_folder fuzz/seeds/run_folder -- -timeout=10 -max_len=65536`

#![no_main]

#[path = "../cases/run_folder.rs"]
mod case;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| case::try_out(bytes));
