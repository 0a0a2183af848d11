#!/usr/bin/env bash
# Pipelines through a real Slurm of two nodes on this machine, beside the same pipelines run here: the same bytes, whatever is killed. Needs root on Debian, and an
# epo-run (PROGRAM, or the release build). Some five minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
epo=$(realpath "${PROGRAM:-target/release/epo-run}")
here=$PWD
# shellcheck source=scripts/slurm-cluster.sh
. scripts/slurm-cluster.sh
place=$(mktemp -d)
trap 'slurm_down "$place/slurm"; rm -rf "$place"' EXIT
mkdir "$place/slurm"
slurm_up "$place/slurm"
cd "$place"
cp "$here/scripts/cluster.epo" .
export EPO_JOBS__TIME=30 NO_COLOR=1

fail() {
    echo "FAILED: $*" >&2
    for file in said "$place"/slurm/slurmctld.log; do
        echo "-- $file" >&2
        tail -n 25 "$file" >&2 || true
    done
    squeue --states=all >&2 || true
    exit 1
}
# same FOLDER FOLDER: all tasks have the same bytes.
same() {
    diff -r --exclude=.lock "$1/tasks" "$2/tasks" > difference || fail "other bytes: $(head -c 600 difference)"
}
said() {
    grep -q -- "$1" said || fail "\`$1\` is not said"
}
not_said() {
    ! grep -q -- "$1" said || fail "\`$1\` is said"
}
# await WORDS COMMAND…: until it holds.
await() {
    local what=$1 _
    shift
    for _ in $(seq 600); do
        "$@" && return 0
        sleep 0.2
    done
    fail "$what: never"
}
slurm() {
    "$epo" --engine slurm "$@" > said 2>&1
}
jobs_now() {
    squeue --noheader --states=pending,running,completing --format=%i | sort -u
}
logs() {
    cat "$1"/*/*/jobs/*.log 2> /dev/null || true
}

echo "== three seeds of two values: the bytes of a run here"
"$epo" --runs here cluster.epo > said 2>&1 || fail "not even here"
slurm --runs there cluster.epo || fail "ends with $?"
same here there
cmp here/cluster/*/report.cluster.page.seed-0.weight-0.01.html there/cluster/*/report.cluster.page.seed-0.weight-0.01.html
said "handed to Slurm"
grep -q '_2"' there/cluster/*/jobs.json || fail "no seed was an element of an array"
logs there | grep -q 'on one' || fail "the first node did nothing"
logs there | grep -q 'on two' || fail "the second node did nothing"
[ "$(grep -c '"event":"task_finished"' there/cluster/*/events.jsonl)" = 19 ] || fail "events of 19 tasks"
echo "$(squeue --noheader --states=all | wc -l) lines of jobs, $(grep -c . there/cluster/*/events.jsonl) events"

echo "== again: nothing is handed over"
before=$(squeue --noheader --array --states=all --format=%i | sort)
slurm --runs there cluster.epo || fail "ends with $?"
not_said "handed"
[ "$before" = "$(squeue --noheader --array --states=all --format=%i | sort)" ] || fail "a job was handed over"

echo "== how long an iteration takes here"
only=(--only 'cluster[seed=0]' --set cluster.weight=0.01)
began=$(date +%s%N)
"$epo" --runs pace "${only[@]}" --set cluster.iterations=20 cluster.epo > said 2>&1 || fail "not here"
pace=$((($(date +%s%N) - began) / 20000000))
long=(--set "cluster.iterations=$((${SECONDS_OF_A_RUN:-25} * 1000 / pace + 20))")
longer=(--set "cluster.iterations=$((80000 / pace + 20))")
echo "$pace ms; ${long[1]} and ${longer[1]}"
"$epo" --runs long-here "${only[@]}" "${long[@]}" cluster.epo > said 2>&1 || fail "not here"
"$epo" --runs longer-here "${only[@]}" "${longer[@]}" cluster.epo > said 2>&1 || fail "not here"
trains() {
    grep -q '"done":[3-9],.*"unit":"iterations"' "$1"/cluster/*/jobs/*.jsonl 2> /dev/null && squeue --noheader --states=running --format=%j | grep -q train
}

echo "== left, found again, and watched to its end"
"$epo" --engine slurm --runs left "${only[@]}" "${long[@]}" cluster.epo > said 2>&1 &
watcher=$!
await "it trains" trains left
kill -INT $watcher
code=0
wait $watcher || code=$?
[ $code = 130 ] || fail "Ctrl-C ends with $code"
said "run the same command again to watch them"
before=$(squeue --noheader --array --states=all --format=%i | sort)
[ -n "$(jobs_now)" ] || fail "nothing goes on"
slurm --runs left "${only[@]}" "${long[@]}" cluster.epo || fail "ends with $?"
said "is at work on . jobs already"
not_said "handed"
[ "$before" = "$(squeue --noheader --array --states=all --format=%i | sort)" ] || fail "a job was handed over again"
same long-here left
[ -z "$(sed 's/"time":"[^"]*",//' left/cluster/*/events.jsonl | grep '"event":"progress".*train' | sort | uniq -d)" ] || fail "an event stands there twice"

echo "== a node dies in the middle"
"$epo" --engine slurm --runs killed "${only[@]}" "${long[@]}" cluster.epo > said 2>&1 &
watcher=$!
await "it trains" trains killed
node=$(squeue --noheader --states=running --format='%j %N' | awk '/train/ { print $2 }')
slurm_kill_node "$place/slurm" "$node"
wait $watcher || fail "ends with $?"
same long-here killed
logs killed | grep -q 'turn 1' || fail "no job came round again"
said "going on at iteration"
slurm_node "$place/slurm" "$node"

echo "== a time limit that is too short: checkpoints, and another turn"
EPO_JOBS__TIME=1 EPO_SLURM__AHEAD=50 slurm --runs short "${only[@]}" "${longer[@]}" cluster.epo || fail "ends with $?"
same longer-here short
said "going on at iteration"
logs short | grep -q 'turn 1' || fail "no job came round again"
echo "$(logs short | grep -c 'turn [1-9]') turns more"

echo "== taken back by Ctrl-C where the setting says so"
EPO_JOBS__CANCEL=true "$epo" --engine slurm --runs back "${only[@]}" "${long[@]}" cluster.epo > said 2>&1 &
watcher=$!
await "it trains" trains back
kill -INT $watcher
code=0
wait $watcher || code=$?
[ $code = 130 ] || fail "ends with $code"
said "were cancelled"
nothing_left() { [ -z "$(jobs_now)" ]; }
await "nothing is left" nothing_left
slurm --runs back "${only[@]}" "${long[@]}" cluster.epo || fail "ends with $?"
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
slurm --runs fails fails.epo || code=$?
[ $code = 2 ] || fail "ends with $code"
said 'stage `fails.bad` failed'
said 'fails.both: not run: `fails.bad` failed'
[ "$(grep -l '"state": *"finished"' fails/tasks/*/status.json | wc -l)" = 2 ] || fail "two tasks are finished"
await "nothing is left" nothing_left

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
EPO_JOBS__PROGRAM=$PWD/other-version slurm --runs version fails.epo || code=$?
[ $code = 2 ] || fail "ends with $code"
said "handed over by epo-run 0.0.9, and this is epo-run [0-9]"

echo "== no Slurm, and one that does not answer"
code=0
PATH=/nowhere slurm --runs none fails.epo || code=$?
[ $code = 2 ] || fail "ends with $code"
said 'there is no Slurm here: no `sbatch` on the `PATH`'
code=0
EPO_SLURM__OPTIONS=--partition=none slurm --runs none fails.epo || code=$?
[ $code = 2 ] || fail "ends with $code"
said "Slurm refuses: .*partition"
kill "$(cat "$place/slurm/slurmctld.pid")"
sleep 1
code=0
slurm --runs none fails.epo || code=$?
[ $code = 2 ] || fail "ends with $code"
said "Unable to contact slurm controller"
echo "all as it should be"
