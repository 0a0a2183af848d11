#!/usr/bin/env python3
"""How trainings went, finished or stopped, as a table in Markdown: of the success of an iteration's own games, and of what the last policy was evaluated on.

    scripts/tries.py RECORD[='what was tried'] …

RECORD is a pack, or the folder of a run (RUNS/NAME/ID); each of its trainings by reinforcement learning is a line, called by its pipeline's title if nothing is said.
Success is the mean of the first and of the last five iterations, entropy that of the first and the last.
"""

import sys
from statistics import mean

from run_records import iterations, panels, pipelines


def trainings(record):
    """Of each training that began: its title and seed, what its iterations measured, and the panels of the evaluation of what it learned."""
    for pipeline, stages in pipelines(record):
        results = [panels(task) for stage, task in stages if stage["kind"] == "evaluate"]
        for stage, task in stages:
            measured = iterations(task) if stage["kind"] == "rl" else []
            if measured:
                own = [panel for evaluated, splits in results if evaluated == stage["name"] for panel in splits]
                yield pipeline["title"], pipeline["seed"], measured, own


def span(values):
    low, high = int(min(values)), int(max(values))
    return f"{low}" if low == high else f"{low} to {high}"


def line(what, seed, measured, own):
    success = [values["success"] for values in measured]
    entropy = [values["entropy"] for values in measured]
    cells = [
        what,
        seed,
        f"{len(measured)}, {span([values['updates'] for values in measured])}",
        f"{100 * mean(success[:5]):.0f} and {100 * mean(success[-5:]):.0f} %",
        f"{entropy[0]:.2f}, {entropy[-1]:.2f}",
        f"{mean(values['kl'] for values in measured):.4f}",
        ", ".join(f"{panel['successes']} of {panel['episodes']}" for panel in own) or "not evaluated",
    ]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def main():
    print("| try | seed | iterations, updates in each | success, first five and last five | entropy, first and last | KL in an iteration | evaluated |")
    print("|---|---|---|---|---|---|---|")
    for wanted in sys.argv[1:]:
        record, _, what = wanted.partition("=")
        for title, seed, measured, own in trainings(record):
            print(line(what or title, seed, measured, own))


main()
