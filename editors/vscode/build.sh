#!/usr/bin/env bash
# Builds target/epo.vsix. Needs Node 18 or later with npm.
set -euo pipefail
cd "$(dirname "$0")"

npm ci --silent --no-audit --no-fund
npm run --silent build
cp ../../LICENSE LICENSE
trap 'rm -f LICENSE' EXIT
mkdir -p ../../target
npx --no-install vsce package --no-dependencies --allow-missing-repository --out ../../target/epo.vsix
