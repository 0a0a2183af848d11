#!/usr/bin/env bash
# A store in a bucket, served by `moto` of PyPI: two run folders share it, and the second computes nothing; 20 kills while a run pushes leave nothing that is taken; a
# changed byte is found and mended; a bucket that is not there, no server, keys without rights, a clock that is off by an hour and a store that is full are each a
# warning, and nothing is lost; no key stands in a record.
#
#     scripts/store-check.sh
#
# Needs an epo-run with the feature `cloud` (`PROGRAM`, or the release build), `faketime` (installed by root on Debian), and Python 3.9 with pip; `PYTHON` names one with
# moto[server], else it is installed below target/. That a disk is full is tried where a file system may be mounted, or with CI=true.
set -euo pipefail
cd "$(dirname "$0")/.."
epo=$(realpath "${PROGRAM:-target/release/epo-run}")
# shellcheck source=scripts/python.sh
. scripts/python.sh
python_with moto 'moto[server]'
if ! command -v faketime > /dev/null && command -v apt-get > /dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends faketime > /dev/null
fi
check=$PWD/scripts/store_check.py
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

"$PYTHON" "$check" serve > "$work/port" 2> "$work/said" &
server=$!
for _ in $(seq 600); do
    [ -s "$work/port" ] && break
    kill -0 "$server" || { cat "$work/said"; exit 1; }
    sleep 0.1
done
read -r port clocked full < "$work/port"
export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_ALLOW_HTTP=true AWS_REGION=us-east-1
export AWS_ACCESS_KEY_ID=a-key-for-the-check AWS_SECRET_ACCESS_KEY=a-secret-for-the-check
"$PYTHON" "$check" bucket team

cat > "$work/pipeline.epo" <<'EPO'
prompt look = "{observation}"
house = household { prompt = windowed { then = look }, seen = games { split = "seen", count = 10 } }
pipeline shared {
  seeds = [1, 2, 3]
  stages {
    chance = evaluate { actor = random, on = house.seen }
    expert = evaluate { actor = expert, on = house.seen }
    page   = report { of = [chance, expert] }
  }
}
EPO
# Of the run in a folder of runs: how often an event happened.
events() { cat "$1"/shared/*/events.jsonl | grep -c "\"event\":\"$2\"" || true; }
before=()
run() { "${before[@]}" "$epo" --runs "$work/$1" --device cpu --quiet "$work/pipeline.epo" > "$work/$1.out" 2> "$work/$1.err"; }
same() { diff -r --exclude .lock --exclude checkpoints "$work/alone/tasks" "$work/$1/tasks"; }
# Without a word of warning, to the same bytes.
clean() {
    run "$1"
    [ ! -s "$work/$1.err" ] || { cat "$work/$1.err" >&2; exit 1; }
    same "$1"
}

echo "-- without a store, to compare with"
run alone
total=$(events "$work/alone" task_finished)

export EPO_STORE=s3://team/epo
echo "-- two run folders"
clean one
clean two
[ "$(events "$work/one" task_finished) $(events "$work/two" task_started) $(events "$work/two" task_taken)" = "$total 0 $total" ]
echo "$total tasks: the first made them, the second took them, the same bytes"

echo "-- 20 kills while pushing"
half=0
for n in $(seq 20); do
    # Another time where it was too quick to be killed.
    for try in 1 2 3 4 5 6; do
        place=kills$n-$try
        export EPO_STORE=s3://team/$place
        rm -rf "$work/pusher" "$work/taker"
        cp -r "$work/alone" "$work/pusher"
        "$PYTHON" "$check" kill team "$place" "$n" "$epo" --runs "$work/pusher" --device cpu --quiet "$work/pipeline.epo" && break
        [ $try -lt 6 ]
    done
    read -r entries blobs orphans < <("$PYTHON" "$check" count team "$place")
    # Every entry that is there is whole, so it is taken, and the rest is computed: no warning, the same bytes.
    clean taker
    [ "$(events "$work/taker" task_taken) $(events "$work/taker" task_finished)" = "$entries $((total - entries))" ]
    [ "$orphans" = 0 ] || half=$((half + 1))
    echo "$n: killed with $entries of $total tasks and $blobs files there, $orphans of them of no task; then completed"
    # And the next push has completed it.
    [ "$("$PYTHON" "$check" count team "$place" | cut -d' ' -f1,3)" = "$total 0" ]
done
[ $half -ge 5 ] || { echo "only $half of the kills were in the middle of a task" >&2; exit 1; }
echo "$half of the 20 were in the middle of a task"

echo "-- a changed byte"
export EPO_STORE=s3://team/epo
object=$("$PYTHON" "$check" change team epo)
run three
same three
grep -q "\`s3://team/$object\` is damaged: its content does not have the hash in its name; the task is computed" "$work/three.err"
clean four
[ "$(events "$work/four" task_started)" = 0 ]
echo "$object: found, computed, mended"

echo "-- what cannot be used is said once, and the run goes on"
try() {
    local name=$1
    (export "$2"; run "$name")
    same "$name"
    cat "$work/$name.err"
    [ "$(wc -l < "$work/$name.err")" = 1 ]
}
try bucket EPO_STORE=s3://nowhere/epo
grep -q "there is no such bucket" "$work/bucket.err"
try server AWS_ENDPOINT_URL=http://127.0.0.1:9
grep -q "nobody answers at its address" "$work/server.err"


echo "-- a clock that is off by an hour"
export EPO_STORE=s3://team/clock
(export AWS_ENDPOINT_URL=http://127.0.0.1:$clocked; clean on-time)
before=(env DONT_FAKE_MONOTONIC=1 faketime -f +1h)
try clock AWS_ENDPOINT_URL="http://127.0.0.1:$clocked"
grep -q "this machine's clock is off (the server says \`RequestTimeTooSkewed\`); set it" "$work/clock.err"
# In one run folder clocks are not compared: machines at other times wait for each other, and each task is done once.
unset EPO_STORE
workers=()
for hours in -1 +0 +1; do
    EPO_TEST_HOST=node$hours DONT_FAKE_MONOTONIC=1 faketime -f "${hours}h" \
        "$epo" --runs "$work/times" --device cpu --quiet "$work/pipeline.epo" > /dev/null 2>> "$work/times.err" &
    workers+=($!)
done
for worker in "${workers[@]}"; do
    wait "$worker"
done
before=()
same times
[ "$(events "$work/times" task_finished)" = "$total" ]
echo "$total tasks by three machines at three times, each done once"

echo "-- keys that may not put"
export EPO_STORE=s3://team/rights
read -r AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY < <("$PYTHON" "$check" reader)
"$PYTHON" "$check" ask 0
try may-not-put EPO_STORE=s3://team/rights
grep -q "cannot write \`s3://team/rights/.*access denied: the keys of the environment may not do that.*; nothing more is put there, and the next run puts what is missing" \
    "$work/may-not-put.err"
# What others have put there is taken all the same.
EPO_STORE=s3://team/epo clean reads
[ "$(events "$work/reads" task_started)" = 0 ]
AWS_SECRET_ACCESS_KEY=another try wrong-keys EPO_STORE=s3://team/rights
grep -q "the keys of the environment are not known there, or wrong" "$work/wrong-keys.err"
! grep -rqF -e "$AWS_ACCESS_KEY_ID" -e "$AWS_SECRET_ACCESS_KEY" "$work" || { echo "a key stands in a record" >&2; exit 1; }
"$PYTHON" "$check" ask inf

echo "-- a store that is full, and has room again"
export EPO_STORE=s3://team/full
try full AWS_ENDPOINT_URL="http://127.0.0.1:$full"
grep -q "cannot write \`s3://team/full/.*the store is full .*; nothing more is put there, and the next run puts what is missing" "$work/full.err"
[ "$("$PYTHON" "$check" count team full)" = "0 0 0" ]
clean full
[ "$("$PYTHON" "$check" count team full | cut -d' ' -f1,3)" = "$total 0" ]
if [ "${CI:-}" = true ] || unshare -m true 2> /dev/null; then
    # A store of three pages.
    unshare -m bash -euo pipefail -c '
        mkdir "$1/disk"
        mount -t tmpfs -o size=12k tmpfs "$1/disk"
        export EPO_STORE=file:$1/disk/team
        code=0
        "$2" --runs "$1/disk-full" --device cpu --quiet "$1/pipeline.epo" > /dev/null 2> "$1/disk.err" || code=$?
        mount -o remount,size=20m "$1/disk"
        "$2" --runs "$1/disk-full" --device cpu --quiet "$1/pipeline.epo" > /dev/null 2> "$1/room.err"
        "$2" --runs "$1/disk-taker" --device cpu --quiet "$1/pipeline.epo" > /dev/null 2> "$1/taker.err"
        "$2" runs verify --store
        exit $code' bash "$work" "$epo"
    cat "$work/disk.err"
    grep -q "cannot write \`file:$work/disk/team/.*: the disk is full; nothing more is put there, and the next run puts what is missing" "$work/disk.err"
    [ "$(wc -l < "$work/disk.err")" = 1 ]
    [ ! -s "$work/room.err" ]
    [ ! -s "$work/taker.err" ]
    same disk-full
    same disk-taker
    [ "$(events "$work/disk-taker" task_started)" = 0 ]
fi

! grep -rqE "a-(key|secret)-for-the-check" "$work" || { echo "a key stands in a record" >&2; exit 1; }
echo "the shared store holds what it promises"
