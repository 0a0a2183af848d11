#!/usr/bin/env bash
# What a run copies for TensorBoard, read back by TensorBoard's own package and by Trackio's import, value for value. Needs the release build (or `PROGRAM`,
# another one), and Python with pip; with `PYTHON`, one that has `tensorboard`, `trackio` and `tbparse`.
set -euo pipefail
cd "$(dirname "$0")/.."
epo=$(realpath "${PROGRAM:-target/release/epo-run}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# shellcheck source=scripts/python.sh
. scripts/python.sh
python_with tensorboard tensorboard trackio tbparse

EPO_TRACK__TENSORBOARD="$work/logs" EPO_TRACK__GRADIENTS=true "$epo" --quiet --runs "$work/runs" tests/experiment/tiny.epo

TRACKIO_DIR=$work/trackio "$PYTHON" - "$work" <<'PY'
import glob, json, math, struct, sys

import trackio
from trackio.sqlite_storage import SQLiteStorage
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

work = sys.argv[1]
trackio.import_tf_events(f"{work}/logs", project="tiny")
total = histograms = 0
for stage in ["warm", "train"]:
    found = EventAccumulator(f"{work}/logs/tiny.{stage}").Reload()
    [task] = glob.glob(f"{work}/runs/tiny/*/tasks/tiny.{stage}")
    expected = {}
    for line in open(f"{task}/metrics.jsonl"):
        record = json.loads(line)
        for name, value in record["values"].items():
            expected.setdefault(name, []).append((record["iteration"], struct.unpack("f", struct.pack("f", float(value)))[0]))
    assert {name for name in found.Tags()["scalars"] if not name.startswith("gradient_norm/")} == set(expected), stage
    for name in found.Tags()["histograms"]:
        for event in found.Histograms(name):
            spread = event.histogram_value
            assert sum(spread.bucket) == spread.num and spread.min <= spread.sum / spread.num <= spread.max, (stage, name)
            if name.startswith("gradient/"):
                [norm] = [e.value for e in found.Scalars(name.replace("gradient/", "gradient_norm/")) if e.step == event.step]
                assert math.isclose(norm, math.sqrt(spread.sum_squares), rel_tol=1e-6), (stage, name)
            else:
                [mean] = [value for step, value in expected[name.replace("entropy_by_turn", "entropy/turn")] if step == event.step]
                assert math.isclose(mean, spread.sum / spread.num, rel_tol=1e-5), (stage, name)
            histograms += 1
    assert histograms
    for name, values in expected.items():
        read = [(event.step, event.value) for event in found.Scalars(name)]
        same = lambda a, b: a == b or (math.isnan(a[1]) and math.isnan(b[1]))
        assert len(read) == len(values) and all(map(same, read, values)), (stage, name)
        imported = sorted((log["step"], log[name]) for log in SQLiteStorage.get_logs("tiny", f"tiny.{stage}") if name in log)
        assert len(imported) == len(values) and all(map(same, imported, values)), (stage, name, imported)
        total += len(values)
print(f"{histograms} histograms and {total} values of two stages are read back as they were logged, the values by Trackio too")
PY
