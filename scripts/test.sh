#!/usr/bin/env bash
# Everything that CI checks: build, lints with warnings denied, formatting, all tests. From the root of a clone; needs Rust 1.95 and a C compiler.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v cargo >/dev/null || { echo "cargo is missing: install Rust 1.95 or newer (https://rustup.rs)" >&2; exit 1; }
command -v cc >/dev/null || { echo "a C compiler is missing: install gcc or clang" >&2; exit 1; }

cargo fmt --check
cargo build --locked --all-targets
cargo clippy --locked --all-targets -- --deny warnings
cargo test --locked --no-fail-fast
