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
if [ -z "${PYTHON:-}" ]; then
    [ -x target/tmp/editor/bin/python ] || python3 -m venv target/tmp/editor
    PYTHON=$PWD/target/tmp/editor/bin/python
    "$PYTHON" -m pip install -q 'pytest-lsp>=0.4.3,<2'
fi
"$PYTHON" scripts/lsp_check.py
