//! `fuzz/cases/batch.rs`, guided by what the inputs reach.
//!
//! `cargo +nightly fuzz run batch fuzz/corpus/batch fuzz/seeds/batch -- -timeout=5 -rss_limit_mb=2048 -max_len=4096`

#![no_main]

#[path = "../cases/batch.rs"]
mod case;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| case::run(bytes));
