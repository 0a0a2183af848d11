"""What lies in the folder of a run, for the scripts that make tables of runs."""

import json


def pipelines(runs, run):
    """Of each pipeline of the run NAME/ID: its entry in the plan, and of its stages, in their order, the entry and the task's folder."""
    for pipeline in json.loads((runs / run / "plan.json").read_text())["pipelines"]:
        yield pipeline, [(stage, runs / "tasks" / stage["task"]) for stage in pipeline["stages"]]


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
