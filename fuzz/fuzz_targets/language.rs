//! `fuzz/cases/language.rs`, guided by what the inputs reach.
//!
//! `cargo +nightly fuzz run language fuzz/corpus/language fuzz/seeds/language -- -timeout=5 -rss_limit_mb=2048 -max_len=4096`

#![no_main]

#[path = "../cases/language.rs"]
mod case;
#[path = "../../tests/common/faithful.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| case::run(bytes));
