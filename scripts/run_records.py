"""What the record of a run says, for the scripts that make tables of runs: the run's folder (RUNS/NAME/ID), or a pack of it (NAME.zip)."""

import json
import zipfile
from pathlib import Path


def pipelines(record):
    """Of each pipeline of the run: its entry in the plan, and of its stages, in their order, the entry and the task's folder."""
    record = Path(record)
    if record.is_dir():
        place, folders = record, {}
        tasks = record.parent.parent / "tasks"
    else:
        tasks = place = zipfile.Path(record)
        folders = {task["digest"]: task["folder"] for task in json.loads((place / "pack.json").read_text())["tasks"]}
    for pipeline in json.loads((place / "plan.json").read_text())["pipelines"]:
        yield pipeline, [(stage, tasks / folders.get(stage["task"], stage["task"])) for stage in pipeline["stages"]]


def lines(file):
    """The values of a file with one in a line; none if it is not there."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []


def iterations(task):
    """What a training has measured in each iteration so far."""
    return [record["values"] for record in lines(task / "metrics.jsonl")]


def panels(task):
    """The results of an evaluation by split, and the stage that it evaluated; none before it is done."""
    file = task / "outputs/results/results.json"
    results = json.loads(file.read_text()) if file.is_file() else {"splits": []}
    return results.get("stage"), results["splits"]
