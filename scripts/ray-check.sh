#!/usr/bin/env bash
# Pipelines through a real Ray of two nodes on this machine, beside the same pipelines run here: the same bytes, whatever is killed. Needs an epo-run (PROGRAM, or the
# release build) and a Python with `ray[default]` (PYTHON; else it is installed below target/). Some five minutes, and more where cores are short.
set -euo pipefail
cd "$(dirname "$0")/.."
epo=$(realpath "${PROGRAM:-target/release/epo-run}")
here=$PWD
engine=ray
# shellcheck source=scripts/python.sh
. scripts/python.sh
python_with ray 'ray[default]'
ray=$(dirname "$PYTHON")/ray
place=$(mktemp -d)
export RAY_USAGE_STATS_ENABLED=0 RAY_DISABLE_IMPORT_WARNING=1 RAY_TMPDIR=$place/ray NO_COLOR=1
export EPO_RAY__URL=http://127.0.0.1:28265 EPO_RAY__PYTHON=$PYTHON
nodes=()
stop_all() {
    for node in "${nodes[@]}"; do
        kill_tree "$node"
        wait "$node" 2> /dev/null || true
    done
    rm -rf "$place"
}
kill_tree() {
    local child
    kill -STOP "$1" 2> /dev/null || return 0
    for child in $(pgrep -P "$1" || true); do
        kill_tree "$child"
    done
    kill -KILL "$1" 2> /dev/null || true
}
trap stop_all EXIT
mkdir -p "$place/ray"
cd "$place"
# start NAME WORDS…: a node, in the foreground of a process of its own, so that all of it can be killed at once.
start() {
    local name=$1
    shift
    "$ray" start --block --num-cpus=2 --disable-usage-stats "$@" > "$name.log" 2>&1 &
    nodes+=($!)
}

given() {
    { compgen -G "./*/*/*/jobs/ray-*.json" || true; } | sort
}
going() {
    curl -fs "$EPO_RAY__URL/api/jobs/" | "$PYTHON" -c '
import json, sys
print(*(job["submission_id"] for job in json.load(sys.stdin) if job["status"] in ("PENDING", "RUNNING")), sep="\n", end="")'
}
trains() {
    grep -q '"done":[3-9],.*"unit":"iterations"' "$1"/cluster/*/jobs/*.jsonl 2> /dev/null
}
troubled() {
    tail -n 25 ./*.log
}
# shellcheck source=scripts/engine-check.sh
. "$here/scripts/engine-check.sh"

answers() {
    curl -fs "$EPO_RAY__URL/api/version" > /dev/null
}
says_where() {
    grep -q -- "--address='" head.log
}
alive() {
    [ "$(curl -fs "$EPO_RAY__URL/nodes?view=summary" | "$PYTHON" -c '
import json, sys
print(sum(node["raylet"].get("state") == "ALIVE" for node in json.load(sys.stdin)["data"]["summary"]))')" = "$1" ]
}

echo "== no Ray at the address"
ends 2 --runs there cluster.epo
said "there is no Ray at http://127.0.0.1:28265"
start head --head --port=26379 --dashboard-port=28265 --dashboard-host=127.0.0.1 --include-dashboard=true
await "Ray answers" answers
await "the head says where it is" says_where
address=$(grep -o "ray start --address='[^']*'" head.log | cut -d"'" -f2)
start second --address="$address"
await "two nodes" alive 2

all_of_it
holds "both nodes did their part" [ "$(logs there | grep '^node ' | sort -u | wc -l)" = 2 ]

how_long pace "${SECONDS_OF_A_RUN:-25}"
long=(--set "cluster.iterations=$iterations")
here --runs long-here "${only[@]}" "${long[@]}" cluster.epo
left_and_found

echo "== a node dies in the middle"
# The driver is at home on the head: only what another node alone can do is killed with it.
start third --address="$address" --num-gpus=1
third=${nodes[-1]}
await "three nodes" alive 3
EPO_JOBS__GPUS=1 begins --runs killed "${only[@]}" "${long[@]}" cluster.epo
await "it trains" trains killed
kill_tree "$third"
start fourth --address="$address" --num-gpus=1
ended 0
same long-here killed
said "going on at iteration"

taken_back
what_fails

echo "== ranks are for Slurm"
EPO_JOBS__RANKS=2 ends 0 --runs ranks "${only[@]}" "${twenty[@]}" cluster.epo
said "asks for 2 ranks, and Ray starts one process for a task: each is done by one"
same pace ranks
all_holds
