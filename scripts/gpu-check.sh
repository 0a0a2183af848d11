#!/usr/bin/env bash
# On a machine with an NVIDIA GPU: builds with CUDA, compares the device with the CPU, measures generation and training beside PyTorch (where
# Python has torch and transformers; PYTHON names the interpreter), and runs the quick start on the device.
# Elsewhere it says that nothing was run and exits 1. It has not been run on a GPU by the authors.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v nvidia-smi >/dev/null || ! nvidia-smi -L; then
    echo "no NVIDIA GPU answers on this machine: nothing was run" >&2
    exit 1
fi
# shellcheck source=scripts/cuda-env.sh
source scripts/cuda-env.sh target/cuda
cargo build --locked --release --features cuda
cargo bench --locked --features cuda --bench device

runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT
target/release/epo-run settings --device cuda
time target/release/epo-run --device cuda --runs "$runs" pipelines/quickstart.epo
