#!/usr/bin/env bash
# What takes too long for every change: the whole replays, the quickstart from an empty folder, the CUDA compile. About an hour on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/test.sh

echo "== whole replays"
EPO_FULL=1 cargo test --locked --release -- --include-ignored

echo "== quickstart, then the same command again"
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT
cargo build --locked --release
time target/release/epo-run --runs "$runs" pipelines/quickstart.epo
time target/release/epo-run --runs "$runs" pipelines/quickstart.epo

echo "== benchmarks"
target/release/epo-run env bench household

echo "== the cuda feature compiles"
# shellcheck source=scripts/cuda-env.sh
source scripts/cuda-env.sh target/cuda
cargo check --locked --features cuda
