#!/usr/bin/env bash
# A session of a real client with the language server: pytest-lsp of PyPI. With PYTHON set, that interpreter has to have it; else it is installed
# into target/tmp/editor. PROGRAM names the program, if not the one of the release.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${PROGRAM:-}" ]; then
    cargo build --locked --release
    PROGRAM=$PWD/target/release/epo-run
fi
export PROGRAM
# shellcheck source=scripts/python.sh
. scripts/python.sh
python_with editor 'pytest-lsp>=0.4.3,<2'
"$PYTHON" scripts/lsp_check.py
