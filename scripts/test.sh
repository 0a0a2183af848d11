#!/usr/bin/env bash
# Everything that CI checks: build, lints with warnings denied, formatting, all tests. From the root of a clone; needs Rust 1.95 and a C compiler.
# For the tests against the real ScienceWorld it installs Java and pip where they are missing and apt-get may be used (as root); the tests
# themselves fetch the simulator (8 MB, through pip) into target/tmp/scienceworld. Without these they are skipped, but not with CI=true.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v cargo >/dev/null || { echo "cargo is missing: install Rust 1.95 or newer (https://rustup.rs)" >&2; exit 1; }
command -v cc >/dev/null || { echo "a C compiler is missing: install gcc or clang" >&2; exit 1; }

missing=()
[ -n "${JAVA_HOME:-}" ] || command -v java >/dev/null || missing+=(default-jre-headless)
python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
if [ ${#missing[@]} -gt 0 ]; then
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
    else
        echo "not there, and not installed: ${missing[*]}; the tests against ScienceWorld need them" >&2
    fi
fi

cargo fmt --check
cargo build --locked --all-targets
cargo clippy --locked --all-targets -- --deny warnings
cargo test --locked --no-fail-fast
