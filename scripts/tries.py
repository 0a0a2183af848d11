#!/usr/bin/env python3
"""How trainings went, finished or stopped, as a table in Markdown: of the success of an iteration's own games, and of what the last policy was evaluated on.

    scripts/tries.py RUNS NAME/ID[='what was tried'] …

RUNS is a folder of runs, NAME/ID a run in it; each of its trainings by reinforcement learning is a line, called by its pipeline's title if nothing is said.
Success is the mean of the first and of the last five iterations, entropy that of the first and the last.
"""

import json
import sys
from pathlib import Path
from statistics import mean


def trainings(runs, run):
    """Of each training that began: its title and seed, what its iterations measured, and the panels of the evaluation of what it learned."""
    for pipeline in json.loads((runs / run / "plan.json").read_text())["pipelines"]:
        folders = {stage["name"]: (stage["kind"], runs / "tasks" / stage["task"]) for stage in pipeline["stages"]}
        for name, (kind, folder) in folders.items():
            metrics = folder / "metrics.jsonl"
            if kind != "rl" or not metrics.is_file():
                continue
            results = [other / "outputs/results/results.json" for kind, other in folders.values() if kind == "evaluate"]
            results = [json.loads(file.read_text()) for file in results if file.is_file()]
            panels = [panel for one in results if one.get("stage") == name for panel in one["splits"]]
            yield pipeline["title"], pipeline["seed"], [json.loads(line)["values"] for line in metrics.read_text().splitlines()], panels


def span(values):
    low, high = int(min(values)), int(max(values))
    return f"{low}" if low == high else f"{low} to {high}"


def line(what, seed, iterations, panels):
    success = [values["success"] for values in iterations]
    entropy = [values["entropy"] for values in iterations]
    cells = [
        what,
        seed,
        f"{len(iterations)}, {span([values['updates'] for values in iterations])}",
        f"{100 * mean(success[:5]):.0f} and {100 * mean(success[-5:]):.0f} %",
        f"{entropy[0]:.2f}, {entropy[-1]:.2f}",
        f"{mean(values['kl'] for values in iterations):.4f}",
        ", ".join(f"{panel['successes']} of {panel['episodes']}" for panel in panels) or "not evaluated",
    ]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def main():
    runs = Path(sys.argv[1])
    print("| try | seed | iterations, updates in each | success, first five and last five | entropy, first and last | KL in an iteration | evaluated |")
    print("|---|---|---|---|---|---|---|")
    for wanted in sys.argv[2:]:
        run, _, what = wanted.partition("=")
        for title, seed, iterations, panels in trainings(runs, run):
            print(line(what or title, seed, iterations, panels))


main()
