"""Called by scripts/mlflow-check.sh: URL RUNS. Compares what MLflow's own client reads with what lies in the folder of runs."""

import glob
import json
import math
import sys

from mlflow.tracking import MlflowClient

url, runs = sys.argv[1:]
client = MlflowClient(url)
[experiment] = [found for found in client.search_experiments() if found.name == "tiny"]
found = client.search_runs([experiment.experiment_id])
whole = [run for run in found if run.data.tags["epo_task"] == "-"]
assert len(whole) == 1 and whole[0].info.status == "FINISHED", whole
tasks = {run.info.run_name: run for run in found if run.data.tags.get("mlflow.parentRunId") == whole[0].info.run_id}
assert set(tasks) == {"tiny.warm", "tiny.train"}, set(tasks)


def close(read, written):
    if math.isnan(written):
        return math.isnan(read)
    # it keeps the largest number in the place of what is infinite
    return read == max(min(written, sys.float_info.max), -sys.float_info.max)


values = parameters = 0
for name, run in tasks.items():
    assert run.info.status == "FINISHED"
    [folder] = glob.glob(f"{runs}/tiny/*/tasks/{name}")
    expected = {}
    for line in open(f"{folder}/metrics.jsonl"):
        record = json.loads(line)
        for key, value in record["values"].items():
            expected.setdefault(key, []).append((record["iteration"], float(value)))
    assert set(run.data.metrics) == set(expected), set(run.data.metrics) ^ set(expected)
    for key, written in expected.items():
        read = sorted((metric.step, metric.value) for metric in client.get_metric_history(run.info.run_id, key))
        assert len(read) == len(written), (name, key, read, written)
        for (step, value), (iteration, number) in zip(read, written):
            assert step == iteration and close(value, number), (name, key, step, value, number)
        values += len(written)
    key = json.load(open(f"{folder}/status.json"))["key"]
    read = run.data.params

    def look(path, value):
        global parameters
        if isinstance(value, dict):
            for name, below in value.items():
                look(f"{path}.{name}" if path else name, below)
        elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
            for at, below in enumerate(value):
                look(f"{path}.{at}", below)
        elif value is not None:
            said = read[path]
            assert said == value if isinstance(value, str) else json.loads(said) == value, (path, said, value)
            parameters += 1

    look("", key["identity"])
    assert read["kind"] == key["kind"]

for name in ["report.html", "report.json"]:
    [page] = glob.glob(f"{runs}/tiny/*/{name}")
    read = open(client.download_artifacts(whole[0].info.run_id, name), "rb").read()
    assert read == open(page, "rb").read(), name
print(f"{values} values, {parameters} parameters and the report are read back as they were logged")
