#!/bin/sh
# The study of EPO: every question is a file of `pipelines/study`, its table a page of `docs/results/study`, the
# record of its run a pack of `docs/results/packs`.
#
#   scripts/study.sh                  all questions, one after another; hours on two cores
#   scripts/study.sh rates floor      these
#   scripts/study.sh --tiny FOLDER    a few episodes of each, in minutes, to see that all of it works; pages go into FOLDER
#
# Stopped, the same command goes on where it was. BINARY names a binary; otherwise a release build is made.
set -eu
cd "$(dirname "$0")/.."

sources=pipelines/study
pages=docs/results/study
packs=docs/results/packs
tiny=
case "${1:-}" in
  --tiny) tiny=yes pages=${2:?where the pages go}; shift 2 ;;
  -*) echo "usage: scripts/study.sh [--tiny FOLDER] [QUESTION…]" >&2; exit 1 ;;
esac
if [ $# -eq 0 ]; then
  for file in "$sources"/*.epo; do
    name=$(basename "$file" .epo)
    [ "$name" = house ] || set -- "$@" "$name"
  done
fi

if [ -z "${BINARY:-}" ]; then
  cargo build --release --quiet
  BINARY=target/release/epo-run
fi

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
if [ -n "$tiny" ]; then
  cp "$sources"/*.epo "$place"
  sed -e 's/count = 4000/count = 40/; s/count = 300/count = 4/; s/episodes = 60/episodes = 6/; s/episodes = 400/episodes = 8/' \
    -e 's/epochs = 4/epochs = 1/; s/layers = 2, width = 64/layers = 1, width = 16/; s/thought = 16/thought = 3/; s/iterations = 40/iterations = 2/' \
    -e 's/groups = 256/groups = 8/; s/train.groups     = 32/train.groups = 2/; s/train.group_size = 8/train.group_size = 4/' \
    -e 's/max_turns = 15/max_turns = 6/; s/\[0, 1, 2, 3, 4\]/[0, 1]/' "$sources/house.epo" > "$place/house.epo"
  sed 's/at(20)/at(1)/' "$sources/middle.epo" > "$place/middle.epo"
  sources=$place
  export EPO_RUNS="$place/runs"
fi

mkdir -p "$pages"
for name; do
  "$BINARY" "$sources/$name.epo" --only "$name" > "$place/said"
  run=$(sed -n "s|.*\($name/[0-9a-f]*\)/report.*html\$|\1|p" "$place/said" | head -n 1)
  {
    echo "<!-- Made by \`scripts/study.sh $name\`; do not edit. -->"
    echo
    sed -n 's/^ *title *= "\(.*\)"$/# \1/p' "$sources/$name.epo" | tail -n 1
    echo
    sed -n '/^#/!q; s/^# //p' "$sources/$name.epo"
    echo
    echo "Made by \`scripts/study.sh $name\` from \`pipelines/study/$name.epo\`. $(python3 scripts/study_cost.py "${EPO_RUNS:-runs}" "$run")"
    echo
    "$BINARY" report "$run" --markdown
    echo
    echo '```text'
    "$BINARY" compare "$run"
    echo '```'
    echo
    "$BINARY" compare "$run" --all --json | python3 scripts/study_pairs.py
  } > "$place/page"
  cp "$place/page" "$pages/$name.md"
  echo "$pages/$name.md"
  if [ -z "$tiny" ]; then
    mkdir -p "$packs"
    rm -f "$packs/$name.zip"
    "$BINARY" pack "$run" -o "$packs/$name.zip"
  fi
done
