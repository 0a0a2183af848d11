# shellcheck shell=bash disable=SC2154
# What slurm-check.sh and ray-check.sh share: pipelines through an engine, beside the same pipelines here, compared byte by byte. To be sourced in an empty folder, with
#
#     epo, here     the program, and the root of the repository
#     engine        `slurm` or `ray`, as settings call it
#     given         a function: all that the engine knows to have been given, one a line, sorted
#     going         a function: that of it which is not over
#     trains RUNS   a function: whether a training goes on that has done some iterations
#     troubled      a function: what to look at where a check fails

checks=0
fail() {
    echo "FAILED: $*" >&2
    echo "-- said" >&2
    tail -n 25 said >&2 || true
    troubled >&2 || true
    exit 1
}
# holds WORDS COMMAND…: it succeeds.
holds() {
    local what=$1
    shift
    "$@" || fail "$what"
    checks=$((checks + 1))
}
# same FOLDER FOLDER: all tasks have the same bytes.
same() {
    diff -r --exclude=.lock "$1/tasks" "$2/tasks" > difference || fail "other bytes: $(head -c 600 difference)"
    checks=$((checks + 1))
}
said() {
    holds "\`$1\` is said" grep -q -- "$1" said
}
not_said() {
    ! grep -q -- "$1" said || fail "\`$1\` is said"
    checks=$((checks + 1))
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
# ends CODE WORDS…: the program, by the engine.
ends() {
    local wanted=$1 code=0
    shift
    "$epo" --engine "$engine" "$@" > said 2>&1 || code=$?
    holds "ends with $code instead of $wanted" [ "$code" = "$wanted" ]
}
# begins WORDS…: the same, watched while other things happen.
begins() {
    "$epo" --engine "$engine" "$@" > said 2>&1 &
    watcher=$!
}
ended() {
    local wanted=$1 code=0
    wait "$watcher" || code=$?
    holds "ends with $code instead of $wanted" [ "$code" = "$wanted" ]
}
here() {
    "$epo" "$@" > said 2>&1 || fail "not even here"
}
logs() {
    cat "$1"/*/*/jobs/*.log 2> /dev/null || true
}
# finished RUNS COUNT: so many tasks are.
finished() {
    holds "$2 finished tasks in $1" [ "$(grep -ls '"state": *"finished"' "$1"/tasks/*/status.json | wc -l)" = "$2" ]
}
nothing_goes_on() { [ -z "$(going)" ]; }
# nothing_given COMMAND…: the engine is given nothing by it.
nothing_given() {
    local before
    before=$(given)
    "$@"
    not_said "handed"
    # What it was given long ago, an engine may have forgotten.
    holds "nothing is handed over" [ -z "$(comm -13 <(echo "$before") <(given))" ]
}

cp "$here/scripts/cluster.epo" .
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

# Three seeds of two values, then the same command again. `here` is what comes of it without an engine.
all_of_it() {
    echo "== three seeds of two values: the bytes of a run here"
    here --runs here cluster.epo
    ends 0 --runs there cluster.epo
    same here there
    holds "the same report" cmp here/cluster/*/report.cluster.page.seed-0.weight-0.01.html there/cluster/*/report.cluster.page.seed-0.weight-0.01.html
    said "handed to ${engine^}"
    holds "events of 19 tasks" [ "$(grep -c '"event":"task_finished"' there/cluster/*/events.jsonl)" = 19 ]

    echo "== again: nothing is handed over"
    nothing_given ends 0 --runs there cluster.epo
}

# One training, long enough for the checks that interrupt it.
only=(--only 'cluster[seed=0]' --set cluster.weight=0.01)
twenty=(--set cluster.iterations=20)
# how_long RUNS SECONDS: `iterations` that take so long, by what twenty take here.
how_long() {
    echo "== how long an iteration takes here"
    local began pace
    began=$(date +%s%N)
    here --runs "$1" "${only[@]}" "${twenty[@]}" cluster.epo
    pace=$((($(date +%s%N) - began) / 20000000))
    iterations=$(($2 * 1000 / pace + 20))
    echo "$pace ms; $iterations in $2 s"
}

left_and_found() {
    echo "== left, found again, and watched to its end"
    begins --runs left "${only[@]}" "${long[@]}" cluster.epo
    await "it trains" trains left
    kill -INT "$watcher"
    ended 130
    said "run the same command again to watch them"
    holds "it goes on alone" [ -n "$(going)" ]
    nothing_given ends 0 --runs left "${only[@]}" "${long[@]}" cluster.epo
    said "is at work on . jobs already"
    same long-here left
    holds "no event stands there twice" [ -z "$(sed 's/"time":"[^"]*",//' left/cluster/*/events.jsonl | grep '"event":"progress".*train' | sort | uniq -d)" ]
}

taken_back() {
    echo "== taken back by Ctrl-C where the setting says so"
    EPO_JOBS__CANCEL=true begins --runs back "${only[@]}" "${long[@]}" cluster.epo
    await "it trains" trains back
    kill -INT "$watcher"
    ended 130
    said "were cancelled"
    await "nothing goes on" nothing_goes_on
    ends 0 --runs back "${only[@]}" "${long[@]}" cluster.epo
    said "going on at iteration"
    same long-here back
}

what_fails() {
    echo "== what fails fails what comes after it, and nothing else"
    ends 2 --runs fails fails.epo
    said 'stage `fails.bad` failed'
    said 'fails.both: not run: `fails.bad` failed'
    finished fails 2
    await "nothing goes on" nothing_goes_on

    echo "== another version on a node: both are said, and nothing is lost"
    # What a program of another version would find in its command line.
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
    EPO_JOBS__PROGRAM=$PWD/other-version ends 2 --runs version fails.epo
    said "handed over by epo-run 0.0.9, and this is epo-run $("$epo" --version | cut -d' ' -f2)"
    finished version 0
    ends 2 --runs version fails.epo
    finished version 2
}

all_holds() {
    echo "all as it should be: $checks checks in $SECONDS s"
}
