//! Arbitrary bytes as the files of a folder of runs.
//!
//! `cargo +nightly fuzz run run_folder fuzz/corpus/run_folder fuzz/seeds/run_folder -- -timeout=10 -max_len=65536`

#![no_main]

#[path = "../cases/run_folder.rs"]
mod run_folder;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| run_folder::try_out(bytes));
