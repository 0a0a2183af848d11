//! `fuzz/cases/model.rs`, guided by what the inputs reach.
//!
//! `cargo +nightly fuzz run model fuzz/corpus/model fuzz/seeds/model -- -timeout=5 -rss_limit_mb=2048 -max_len=131072`

#![no_main]

#[path = "../cases/model.rs"]
mod case;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| case::run(bytes));
