#!/usr/bin/env bash
# `epo-run compare` beside numpy and scipy: the same results, read from the task folders, come to the same intervals, tests and corrections.
#
#     scripts/compare-check.sh
#
# Needs the release build (or `EPO`, another one), and Python 3.9 with pip; with `PYTHON`, one that has numpy and scipy.
set -euo pipefail
cd "$(dirname "$0")/.."
epo=${EPO:-target/release/epo-run}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# shellcheck source=scripts/python.sh
. scripts/python.sh
python_with scipy numpy scipy

"$epo" --runs "$work/runs" -q scripts/compare.epo --only table > "$work/said"
cat "$work/said"
for measure in success score; do
    "$epo" --runs "$work/runs" compare compare --all --measure $measure --json > "$work/$measure.json"
    "$PYTHON" scripts/compare_check.py "$work/runs" "$work/$measure.json" $measure
done
# A file of pipelines comes to what its run comes to, and so does the report.
"$epo" --runs "$work/runs" compare scripts/compare.epo --all --json | cmp - "$work/success.json"
report=$(sed -n 's|^\(.*report\)\.html$|\1.json|p' "$work/said" | head -n 1)
"$epo" compare "$report" --all --json | cmp - "$work/success.json"
