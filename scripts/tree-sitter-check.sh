#!/usr/bin/env bash
# The grammar for editors: src/parser.c is what grammar.js comes to, and the trees in test/corpus are the grammar's. That it reads what the parser reads
# is a test of the crate: `cargo test --test tree_sitter`. `scripts/tree-sitter-check.sh generate` writes src/parser.c anew.
#
# Needs Node. The program `tree-sitter` of this version is TREE_SITTER, or is built into target/tmp/tree-sitter (some minutes, once).
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.26.10

if [ -z "${TREE_SITTER:-}" ]; then
    cargo install --quiet --locked --no-default-features --version "$version" --root target/tmp/tree-sitter tree-sitter-cli
    TREE_SITTER=$PWD/target/tmp/tree-sitter/bin/tree-sitter
fi
"$TREE_SITTER" --version | grep -Fq "$version" || { echo "$TREE_SITTER is not tree-sitter $version" >&2; exit 1; }

# Version 14 of the tables is what editors of the last years read: Emacs 29 with the library of its time reads no later one.
generate() { "$TREE_SITTER" generate --abi 14; }

cd editors/tree-sitter-epo
if [ "${1:-}" = generate ]; then
    generate
    exit
fi
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cp -r . "$place/again"
(cd "$place/again" && generate)
diff -r src "$place/again/src"
# Its caches lie in the home folder, which is not ours to write into.
HOME=$place "$TREE_SITTER" test
echo "the generated parser is that of the grammar, and its trees are as written"
