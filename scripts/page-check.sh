#!/usr/bin/env bash
# The page of a run that goes on, and a finished report, in a real Chromium without a screen: they draw, the first is brought up to date while one looks, both can
# be used with the keyboard, on a narrow window and in dark mode; no error in the console, nothing asked of anybody else, and nothing told to a stranger's page.
# Screenshots are left in target/page-check.
#
# Needs the release build (or `PROGRAM`, another one), Node with npm, and Chromium (`CHROMIUM`; where there is none and apt-get may be used, it is installed).
set -euo pipefail
cd "$(dirname "$0")/.."
epo=$(realpath "${PROGRAM:-target/release/epo-run}")
out=$PWD/target/page-check
tools=$PWD/target/tmp/page-check
work=$(mktemp -d)
started=()
trap 'for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done; rm -rf "$work"' EXIT

CHROMIUM=${CHROMIUM:-$(command -v chromium || true)}
if [ -z "$CHROMIUM" ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
    CHROMIUM=$(command -v chromium)
fi
mkdir -p "$out" "$tools"
[ -d "$tools/node_modules/playwright-core" ] || npm install --silent --no-fund --no-audit --prefix "$tools" playwright-core
cp scripts/page_check.mjs "$tools/"

# A finished run of three seeds, with its report; and one that goes on for longer than the check.
recipe=tests/watch/corridor.epo
"$epo" --quiet --runs "$work/finished" "$recipe" --set corridor.iterations=12 > /dev/null
report=$(ls "$work"/finished/corridor/*/report.html)
"$epo" --quiet --runs "$work/going" "$recipe" --set corridor.iterations=4000 > /dev/null 2>&1 &
run=$!
started+=("$run")
for _ in $(seq 1200); do
    cat "$work"/going/tasks/*/episodes.jsonl 2>/dev/null | grep -q '"iteration":2' && break
    kill -0 "$run"
    sleep 0.1
done

address() {
    for _ in $(seq 300); do
        [ -s "$1" ] && break
        sleep 0.1
    done
    sed 's/.* at //' "$1"
}
"$epo" watch --port 0 --runs "$work/going" > "$work/a" 2> "$work/said" &
started+=($!)
"$epo" watch --port 0 --runs "$work/finished" > "$work/b" 2>> "$work/said" &
started+=($!)

(cd "$tools" && CHROMIUM=$CHROMIUM node page_check.mjs "$(address "$work/a")" "$(address "$work/b")" "$report" "$run" "$out")
