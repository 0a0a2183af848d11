//! `fuzz/cases/alfworld.rs`, guided by what the inputs reach.
//!
//! `cargo +nightly fuzz run alfworld fuzz/corpus/alfworld fuzz/seeds/alfworld -- -timeout=10 -max_len=65536`

#![no_main]

#[path = "../cases/alfworld.rs"]
mod case;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| case::run(bytes));
