#!/usr/bin/env bash
# On a machine with an NVIDIA GPU: builds with CUDA and runs what needs a device. Elsewhere it says so and exits 1.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v nvidia-smi >/dev/null && nvidia-smi -L || { echo "no NVIDIA GPU answers on this machine" >&2; exit 1; }
if [ -z "${EPO_BINARY:-}" ]; then
    # shellcheck source=scripts/cuda-env.sh
    source scripts/cuda-env.sh target/cuda
    cargo build --locked --release --features cuda
    EPO_BINARY=target/release/epo-run
fi
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT
"$EPO_BINARY" settings --device cuda
time "$EPO_BINARY" --device cuda --runs "$runs" pipelines/quickstart.epo
