#!/usr/bin/env bash
# The wheel: `pip install .` in a fresh environment gives a program that makes a pipeline and runs it, `python -m epo`, the module for environments, manual pages
# and completions; it has less than 15 MB. And `cargo install --path .`. Needs Python 3.9 or later, Rust and a C compiler. A release build is made first, in CARGO_TARGET_DIR if that is set.
set -euo pipefail
cd "$(dirname "$0")/.."
most=15000000

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/with"
python=$place/with/bin/python
"$python" -m pip wheel --quiet --no-deps --wheel-dir "$place" .
size=$(wc -c < "$place"/epo-*.whl)
echo "$(basename "$place"/epo-*.whl): $size bytes"
[ "$size" -lt $most ] || { echo "the wheel has more than $most bytes" >&2; exit 1; }
"$python" -m pip install --quiet --no-deps .
cargo install --quiet --locked --path . --features parquet --root "$place/cargo"
[ "$("$place/cargo/bin/epo-run" --version)" = "$("$place/with/bin/epo-run" --version)" ]

cd "$place"
PATH=$place/with/bin:$PATH
epo-run new demo
epo-run --quiet demo.epo
epo-run --quiet demo.epo | grep -q report.html
[ "$("$python" -m epo --version)" = "$(epo-run --version)" ]
if "$python" -m epo check nothing.epo 2> said; then
    echo "python -m epo loses the exit code" >&2
    exit 1
fi
grep -q nothing.epo said
"$python" -c "import epo_env; epo_env.serve"
for file in share/man/man1/epo-run.1 share/man/man1/epo-run-check.1 share/bash-completion/completions/epo-run share/zsh/site-functions/_epo-run \
    share/fish/vendor_completions.d/epo-run.fish; do
    grep -q epo "with/$file"
done
"$python" -m pip uninstall --quiet --yes epo
[ ! -e with/bin/epo-run ]
echo "the wheel installs, runs and goes away"
