#!/usr/bin/env bash
# Everything that CI checks: build, lints with warnings denied, formatting, all tests. From the root of a clone; needs Rust 1.95 and a C compiler.
#
# Tests that need more are ignored by `cargo test`, which says what they need, and run here where it is there:
#   reference data                   their folder is EPO_SHARED, or lies beside the clone
#   Java and ScienceWorld's archive  Java and pip are installed where apt-get may be used (as root), the archive (8 MB) is fetched through pip
#   a pretrained model (92 MB)       with CI=true or EPO_FULL=1
#   Python 3.9 or later              for environments in other programs
#   the right to mount a file system
#   Open MPI and libclang            where they are installed; scripts/mpi-check.sh installs them
# With CI=true all of them run, and the shared store with a server of PyPI, so what is missing is a failure; but for Open MPI, whose tests are not compiled where it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v cargo >/dev/null || { echo "cargo is missing: install it from https://rustup.rs" >&2; exit 1; }
command -v cc >/dev/null || { echo "a C compiler is missing: install gcc or clang" >&2; exit 1; }

missing=()
[ -n "${JAVA_HOME:-}" ] || command -v java >/dev/null || missing+=(default-jre-headless)
python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
if [ ${#missing[@]} -gt 0 ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
    missing=()
fi
export EPO_SHARED=${EPO_SHARED:-$PWD/../shared}

# Tests run with every feature that needs nothing of the machine; that the crate builds without any is seen by Clippy.
features=(--features parquet,cloud)
ranks=()
if command -v mpirun >/dev/null && command -v mpicc >/dev/null && compgen -G "/usr/lib/llvm-*/lib/libclang*.so*" >/dev/null; then
    features+=(--features mpi)
    ranks=(--test ranks)
fi

cargo fmt --check
cargo clippy --locked --no-default-features -- --deny warnings
cargo clippy --locked "${features[@]}" --all-targets -- --deny warnings
RUSTDOCFLAGS="--deny warnings" cargo doc --locked "${features[@]}" --no-deps

# `long::` is for scripts/full-check.sh, `role::` are processes that tests start.
if [ "${CI:-}" = true ]; then
    cargo test --locked "${features[@]}" --no-fail-fast -- --include-ignored --skip long:: --skip role::
    PYTHON='' PROGRAM=${CARGO_TARGET_DIR:-target}/debug/epo-run scripts/store-check.sh
    exit
fi
cargo test --locked "${features[@]}" --no-fail-fast
also() { cargo test --locked "${features[@]}" --no-fail-fast "$@" --skip long:: --skip role::; }
unshare -m true 2>/dev/null && also --lib --test safety -- --ignored --skip chat_model
without=()
if [ -d "$EPO_SHARED/data" ]; then
    also --test objective --test models --test alfworld -- --ignored --skip chat_model
else
    without=(--skip a_recording_of_every_task)
fi
python3 -c "import sys; sys.exit(sys.version_info < (3, 9))" 2>/dev/null && also --test process -- --ignored
[ ${#ranks[@]} -eq 0 ] || also "${ranks[@]}" -- --ignored
[ ${#missing[@]} -gt 0 ] || also --test scienceworld -- --ignored "${without[@]}"
[ "${EPO_FULL:-}" != 1 ] || also --lib --test models -- --ignored chat_model
