#!/usr/bin/env bash
# Pipelines through a real Slurm of two nodes on this machine, beside the same pipelines run here: the same bytes, whatever is killed, by one rank or two. Needs root on
# Debian, an epo-run without the feature `mpi` (PROGRAM, or the release build) and one with it (WITH_MPI, or what scripts/mpi-check.sh builds). Some ten minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
epo=$(realpath "${PROGRAM:-target/release/epo-run}")
ranked=$(realpath "${WITH_MPI:-target/with-mpi/release/epo-run}")
[ -x "$ranked" ] || { echo "there is no $ranked: scripts/mpi-check.sh builds it, or WITH_MPI names one" >&2; exit 1; }
here=$PWD
engine=slurm
# shellcheck source=scripts/slurm-cluster.sh
. scripts/slurm-cluster.sh
place=$(mktemp -d)
trap 'slurm_down "$place/slurm"; rm -rf "$place"' EXIT
mkdir "$place/slurm"
slurm_up "$place/slurm"
cd "$place"
export EPO_JOBS__TIME=30 NO_COLOR=1

given() {
    squeue --noheader --array --states=all --format=%i | sort
}
going() {
    squeue --noheader --states=pending,running,completing --format=%i | sort -u
}
trains() {
    grep -q '"done":[3-9],.*"unit":"iterations"' "$1"/cluster/*/jobs/*.jsonl 2> /dev/null && squeue --noheader --states=running --format=%j | grep -q train
}
troubled() {
    squeue --states=all
    tail -n 25 slurm/slurmctld.log ./*/*/*/jobs/slurm.log
}
# shellcheck source=scripts/engine-check.sh
. "$here/scripts/engine-check.sh"

# Each job of a run came round as often as it has asked for.
turns() {
    local log
    for log in "$1"/*/*/jobs/*.log; do
        [ "$(grep -c 'turn [1-9]' "$log")" = "$(grep -c 'another turn is asked for' "$log")" ] || fail "turns of $log"
    done
    holds "a job came round again" grep -q 'turn 1' <(logs "$1")
    echo "$(logs "$1" | grep -c 'turn [1-9]') turns more"
}

all_of_it
holds "a seed was an element of an array" grep -q '_2"' there/cluster/*/jobs.json
for node in one two; do
    holds "node $node did its part" grep -q "on $node," <(logs there)
done

how_long pace "${SECONDS_OF_A_RUN:-25}"
long=(--set "cluster.iterations=$iterations")
here --runs long-here "${only[@]}" "${long[@]}" cluster.epo
left_and_found

echo "== a node dies in the middle"
begins --runs killed "${only[@]}" "${long[@]}" cluster.epo
await "it trains" trains killed
node=$(squeue --noheader --states=running --format='%j %N' | awk '/train/ { print $2 }')
slurm_kill_node "$place/slurm" "$node"
ended 0
same long-here killed
holds "a job came round again" grep -q 'turn 1' <(logs killed)
said "going on at iteration"
slurm_node "$place/slurm" "$node"

echo "== a time limit that is too short: checkpoints, and another turn of the element that asks for it"
two=("${only[@]}" --only 'cluster[seed=1]' --set "cluster.iterations=$((iterations * 3 / 2))")
here --runs two-here "${two[@]}" cluster.epo
EPO_JOBS__TIME=1 EPO_SLURM__AHEAD=50 ends 0 --runs short "${two[@]}" cluster.epo
same two-here short
said "going on at iteration"
turns short

taken_back
what_fails

echo "== two ranks on two nodes: the bytes of one"
export EPO_JOBS__RANKS=2 EPO_SLURM__OPTIONS=--ntasks-per-node=1
nothing_given ends 2 --runs ranks "${only[@]}" "${twenty[@]}" cluster.epo
said "asks for 2 ranks, and this epo-run was built without them"
epo=$ranked
ends 0 --runs ranks "${only[@]}" "${twenty[@]}" cluster.epo
same pace ranks
holds "a job was on both nodes" grep -q "on one,two, turn" <(logs ranks)
how_long ranked-pace 40
same pace ranked-pace
long=(--set "cluster.iterations=$iterations")
here --runs ranked-here "${only[@]}" "${long[@]}" cluster.epo
EPO_JOBS__TIME=1 EPO_SLURM__AHEAD=50 ends 0 --runs ranks-short "${only[@]}" "${long[@]}" cluster.epo
same ranked-here ranks-short
turns ranks-short

echo "== a rank dies: another number of ranks goes on"
begins --runs ranks-killed "${only[@]}" "${long[@]}" cluster.epo
await "it trains" trains ranks-killed
for environ in /proc/[0-9]*/environ; do
    if grep -qzx "PMIX_RANK=1" "$environ" 2> /dev/null && grep -qzx "SLURM_CONF=$SLURM_CONF" "$environ"; then
        pid=${environ#/proc/}
        kill -KILL "${pid%/environ}"
    fi
done
ended 2
# The other rank is ended too, and may have the last word.
said "task [01]: Killed"
EPO_JOBS__RANKS=1 EPO_SLURM__OPTIONS='' ends 0 --runs ranks-killed "${only[@]}" "${long[@]}" cluster.epo
said "going on at iteration"
same ranked-here ranks-killed
unset EPO_JOBS__RANKS EPO_SLURM__OPTIONS

echo "== no Slurm, and one that does not answer"
PATH=/nowhere ends 2 --runs none fails.epo
said 'there is no Slurm here: no `sbatch` on the `PATH`'
EPO_SLURM__OPTIONS=--partition=none ends 2 --runs none fails.epo
said "Slurm refuses: .*partition"
kill "$(cat slurm/slurmctld.pid)"
sleep 1
ends 2 --runs none fails.epo
said "Unable to contact slurm controller"
finished none 0
all_holds
