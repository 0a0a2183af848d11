#!/bin/sh
# The learning matrix on `household`: every method, those of the paper's comparison with three seeds, as a table.
#
#   scripts/matrix.sh               everything; within three hours on two cores; writes docs/results/household.md
#   scripts/matrix.sh --tiny FILE   a few episodes of each, in minutes, to see that all of it works; writes FILE
#
# Stopped, the same command goes on where it was. BINARY names a binary; otherwise a release build is made.
set -eu
cd "$(dirname "$0")/.."

file=pipelines/household/matrix.epo
page=docs/results/household.md
command=scripts/matrix.sh
tiny=
case "${1:-}" in
  "") ;;
  --tiny) tiny=yes page=${2:?where the table goes} command="scripts/matrix.sh --tiny $2" ;;
  *) echo "usage: scripts/matrix.sh [--tiny FILE]" >&2; exit 1 ;;
esac

if [ -z "${BINARY:-}" ]; then
  cargo build --release --quiet
  BINARY=target/release/epo-run
fi

# A small run is of a copy of the recipes, with a smaller house and less of everything beside them.
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
if [ -n "$tiny" ]; then
  mkdir "$place/lib"
  cp pipelines/household/*.epo "$place"
  sed -e 's/count = 2000/count = 40/; s/count = 300/count = 4/; s/episodes = 60/episodes = 6/; s/episodes = 300/episodes = 8/' \
    -e 's/epochs = 3/epochs = 1/; s/width = 64/width = 16/; s/iterations = 30/iterations = 2/; s/groups = 128/groups = 16/' \
    -e 's/train.groups     = 16/train.groups = 2/' pipelines/lib/household.epo > "$place/lib/household.epo"
  sed 's/2000/16/' pipelines/household/sft.epo > "$place/sft.epo"
  file=$place/matrix.epo
  export EPO_RUNS="$place/runs"
fi

began=$(date +%s)
"$BINARY" "$file" --only matrix > "$place/said"
cat "$place/said"
run=$(sed -n 's|.*\(matrix/[0-9a-f]*\)/report.*html$|\1|p' "$place/said" | head -n 1)
minutes=$((($(date +%s) - began + 59) / 60))

mkdir -p "$(dirname "$page")"
{
  echo "<!-- Made by \`$command\`; do not edit. -->"
  echo
  echo "# The learning matrix on household"
  echo
  echo "Made by \`$command\` from \`pipelines/household/matrix.epo\`."
  echo "The last call took $minutes minutes on $(getconf _NPROCESSORS_ONLN) cores."
  echo
  "$BINARY" report "$run" --markdown
} > "$page.new"
mv "$page.new" "$page"
echo "$page"
