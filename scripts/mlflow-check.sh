#!/usr/bin/env bash
# What a run tells MLflow, read back from the real `mlflow server` of PyPI with MLflow's own client: parameters, metrics value for value, the report; also where the
# server is away for a while, and where a run goes on. Needs the release build (or `PROGRAM`, another one), and Python with pip; with `PYTHON`, one that has `mlflow`.
set -euo pipefail
cd "$(dirname "$0")/.."
epo=$(realpath "${PROGRAM:-target/release/epo-run}")
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

# shellcheck source=scripts/python.sh
. scripts/python.sh
python_with mlflow mlflow
export MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false
port=$("$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port
start() {
    "$PYTHON" -m mlflow server --host 127.0.0.1 --port "$port" --workers 1 --backend-store-uri "sqlite:///$work/mlflow.db" --artifacts-destination "$work/artifacts" > "$work/server" 2>&1 &
    server=$!
    for _ in $(seq 1200); do
        "$PYTHON" -c "import urllib.request; urllib.request.urlopen('$url/health')" 2>/dev/null && return
        kill -0 "$server" || { cat "$work/server"; exit 1; }
        sleep 0.2
    done
    cat "$work/server"
    exit 1
}
run() { EPO_TRACK__MLFLOW=$url EPO_TRACK__TENSORBOARD=$work/logs "$epo" --quiet --runs "$work/runs" tests/experiment/tiny.epo "$@"; }
start
run > /dev/null
# The same made anew: nothing is told twice.
run --fresh > /dev/null
"$PYTHON" scripts/mlflow_check.py "$url" "$work/runs"
ls "$work"/logs/tiny.train/*.epo > /dev/null

# Nobody is there: the run does not fail, and says so.
kill "$server"
wait "$server" || true
server=
run --set tiny.iterations=2 > /dev/null 2> "$work/said"
grep -q "MLflow is not told all" "$work/said"
echo "a run whose server is away ends well, with a warning"
