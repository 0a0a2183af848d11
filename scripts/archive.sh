#!/usr/bin/env bash
# Makes target/epo-VERSION-TARGET.tar.gz of a built program (PROGRAM, or the release build): the program, its manual pages and completions, licence and README.
# PYTHON names the interpreter, if not python3. The same program gives the same bytes, where tar is GNU's.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "${PROGRAM:-${CARGO_TARGET_DIR:-target}/release/epo-run}")

version=$("$program" --version | cut -d' ' -f2)
name=epo-$version-$(rustc -vV | sed -n 's/^host: //p')
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir -p "$place/$name/bin" target
cp "$program" "$place/$name/bin/"
strip "$place/$name/bin/epo-run"
cp LICENSE README.md python/epo_env.py "$place/$name/"
"${PYTHON:-python3}" python/describe.py "$program" "$place/$name"
same=()
tar --version | grep -q GNU && same=(--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner)
tar -C "$place" ${same[@]+"${same[@]}"} -cf - "$name" | gzip -n -9 > "target/$name.tar.gz"
echo "target/$name.tar.gz"
