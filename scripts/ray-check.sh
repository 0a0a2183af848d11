#!/usr/bin/env bash
# Pipelines through a real Ray of two nodes on this machine, beside the same pipelines run here: the same bytes, whatever is killed. Needs an epo-run (PROGRAM, or the
# release build) and a Python with `ray[default]` (PYTHON; else it is installed below target/). Some five minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
epo=$(realpath "${PROGRAM:-target/release/epo-run}")
here=$PWD
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
cp "$here/scripts/cluster.epo" .
# start NAME WORDS…: a node, in the foreground of a process of its own, so that all of it can be killed at once.
start() {
    local name=$1
    shift
    "$ray" start --block --num-cpus=2 --disable-usage-stats "$@" > "$name.log" 2>&1 &
    nodes+=($!)
}

fail() {
    echo "FAILED: $*" >&2
    tail -n 25 said ./*.log >&2 || true
    exit 1
}
same() {
    diff -r --exclude=.lock "$1/tasks" "$2/tasks" > difference || fail "other bytes: $(head -c 600 difference)"
}
said() {
    grep -q -- "$1" said || fail "\`$1\` is not said"
}
not_said() {
    ! grep -q -- "$1" said || fail "\`$1\` is said"
}
await() {
    local what=$1 _
    shift
    for _ in $(seq 600); do
        "$@" && return 0
        sleep 0.2
    done
    fail "$what: never"
}
by_ray() {
    "$epo" --engine ray "$@" > said 2>&1
}
logs() {
    cat "$1"/*/*/jobs/*.log 2> /dev/null || true
}
answers() {
    curl -fs "$EPO_RAY__URL/api/version" > /dev/null
}
alive() {
    [ "$(curl -fs "$EPO_RAY__URL/nodes?view=summary" | "$PYTHON" -c '
import json, sys
print(sum(node["raylet"].get("state") == "ALIVE" for node in json.load(sys.stdin)["data"]["summary"]))')" = "$1" ]
}

echo "== no Ray at the address"
code=0
by_ray --runs there cluster.epo || code=$?
[ $code = 2 ] || fail "ends with $code"
said "there is no Ray at http://127.0.0.1:28265"
start head --head --port=26379 --dashboard-port=28265 --dashboard-host=127.0.0.1 --include-dashboard=true
await "Ray answers" answers
says_where() {
    grep -q -- "--address='" head.log
}
await "the head says where it is" says_where
address=$(grep -o "ray start --address='[^']*'" head.log | cut -d"'" -f2)
start second --address="$address"
await "two nodes" alive 2

echo "== three seeds of two values: the bytes of a run here"
"$epo" --runs here cluster.epo > said 2>&1 || fail "not even here"
by_ray --runs there cluster.epo || fail "ends with $?"
same here there
cmp here/cluster/*/report.cluster.page.seed-0.weight-0.01.html there/cluster/*/report.cluster.page.seed-0.weight-0.01.html
said "19 jobs handed to Ray"
[ "$(logs there | grep '^node ' | sort -u | wc -l)" = 2 ] || fail "one node did it all"
[ "$(grep -c '"event":"task_finished"' there/cluster/*/events.jsonl)" = 19 ] || fail "events of 19 tasks"

echo "== again: nothing is handed over"
by_ray --runs there cluster.epo || fail "ends with $?"
not_said "handed"
[ "$(ls there/cluster/*/jobs/ray-*.json | wc -l)" = 1 ] || fail "a driver was started again"

echo "== how long an iteration takes here"
only=(--only 'cluster[seed=0]' --set cluster.weight=0.01)
began=$(date +%s%N)
"$epo" --runs pace "${only[@]}" --set cluster.iterations=20 cluster.epo > said 2>&1 || fail "not here"
pace=$((($(date +%s%N) - began) / 20000000))
long=(--set "cluster.iterations=$((${SECONDS_OF_A_RUN:-25} * 1000 / pace + 20))")
echo "$pace ms; ${long[1]}"
"$epo" --runs long-here "${only[@]}" "${long[@]}" cluster.epo > said 2>&1 || fail "not here"
trains() {
    grep -q '"done":[3-9],.*"unit":"iterations"' "$1"/cluster/*/jobs/*.jsonl 2> /dev/null
}

echo "== left, found again, and watched to its end"
"$epo" --engine ray --runs left "${only[@]}" "${long[@]}" cluster.epo > said 2>&1 &
watcher=$!
await "it trains" trains left
kill -INT $watcher
code=0
wait $watcher || code=$?
[ $code = 130 ] || fail "Ctrl-C ends with $code"
said "run the same command again to watch them"
by_ray --runs left "${only[@]}" "${long[@]}" cluster.epo || fail "ends with $?"
said "is at work on . jobs already"
not_said "handed"
same long-here left
[ "$(ls left/cluster/*/jobs/ray-*.json | wc -l)" = 1 ] || fail "a driver was started again"

echo "== a node dies in the middle"
# The driver is at home on the head: only what the second node alone can do is killed with it.
start third --address="$address" --num-gpus=1
third=${nodes[-1]}
await "three nodes" alive 3
EPO_JOBS__GPUS=1 "$epo" --engine ray --runs killed "${only[@]}" "${long[@]}" cluster.epo > said 2>&1 &
watcher=$!
await "it trains" trains killed
kill_tree "$third"
start fourth --address="$address" --num-gpus=1
wait $watcher || fail "ends with $?"
same long-here killed
said "going on at iteration"

echo "== taken back by Ctrl-C where the setting says so"
EPO_JOBS__CANCEL=true "$epo" --engine ray --runs back "${only[@]}" "${long[@]}" cluster.epo > said 2>&1 &
watcher=$!
await "it trains" trains back
kill -INT $watcher
code=0
wait $watcher || code=$?
[ $code = 130 ] || fail "ends with $code"
said "were cancelled"
by_ray --runs back "${only[@]}" "${long[@]}" cluster.epo || fail "ends with $?"
said "going on at iteration"
same long-here back

echo "== what fails fails what comes after it, and nothing else"
cat > fails.epo <<'EPO'
prompt scene = "{observation}"
house = household { prompt = windowed { then = scene }, train = games { split = "train", count = 5 } }
other = process { name = "nobody", version = "1", prompt = windowed { then = scene }, train = games { split = "train", count = 5 } }
pipeline fails {
  stages {
    good  = evaluate { actor = random, on = house.train }
    bad   = evaluate { actor = random, on = other.train }
    first = report { of = [good] }
    both  = report { of = [good, bad] }
  }
}
EPO
code=0
by_ray --runs fails fails.epo || code=$?
[ $code = 2 ] || fail "ends with $code"
said 'stage `fails.bad` failed'
said 'fails.both: not run: `fails.bad` failed'
[ "$(grep -l '"state": *"finished"' fails/tasks/*/status.json | wc -l)" = 2 ] || fail "two tasks are finished"

echo "== another version on a node"
cat > other-version <<SH
#!/bin/sh
for word; do
    shift
    [ "\$last" = --submitted-by ] && word=0.0.9
    set -- "\$@" "\$word"
    last=\$word
done
exec "$epo" "\$@"
SH
chmod +x other-version
code=0
EPO_JOBS__PROGRAM=$PWD/other-version by_ray --runs version fails.epo || code=$?
[ $code = 2 ] || fail "ends with $code"
said "handed over by epo-run 0.0.9, and this is epo-run [0-9]"
echo "all as it should be"
