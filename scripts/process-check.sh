#!/usr/bin/env bash
# Three environments of PyPI, each through python/epo_env.py: do they keep their promises? Takes some minutes beside the installation. PROGRAM is epo-run, PYTHON an
# interpreter that has the packages.
set -euo pipefail
cd "$(dirname "$0")/.."

epo=$(realpath "${PROGRAM:-target/release/epo-run}")
# shellcheck source=scripts/python.sh
. scripts/python.sh
python_with games gymnasium textworld textarena
games=$PWD/pipelines/process
module=$PWD/python/epo_env.py
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"

for game in lake:Lake rooms:Rooms arena:Arena; do
    name=${game%:*}
    echo "== $name"
    printf '%s = process { name = "%s", version = "1", prompt = windowed { then = "{observation}" } }\n' "$name" "$name" > "$name.epo"
    export "EPO_ENV__${name^^}__COMMAND=$PYTHON $module $games/$name.py:${game#*:}"
    "$epo" env check --games 5 "$name.epo:$name" | tee said
    grep -q '^promised: ' said
done
