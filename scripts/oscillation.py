#!/usr/bin/env python3
"""Does oscillation of the entropy tell which trainings fail? Over all trainings of some runs.

    scripts/oscillation.py RECORD… > docs/results/study/oscillation.md

RECORD is a pack, such as `docs/results/packs/rates.zip`, or the folder of a run. Of every training: the standard deviation of the steps that the entropy takes
from one iteration to the next, and the success of its last policy on the last panel that it is evaluated on. Pearson's r of the two, over trainings, with
the middle 95 % of 10,000 draws of them with replacement. A training that several records share counts once.
"""

import math
import random
import sys
from pathlib import Path
from statistics import StatisticsError, correlation, mean, stdev

from run_records import iterations, panels, pipelines

DRAWS = 10_000


def trainings(records):
    """Of each: the method, its settings without the seed, the swing, the success."""
    found = {}
    for record in records:
        for pipeline, stages in pipelines(record):
            task = {stage["kind"]: (stage["task"], folder) for stage, folder in stages}
            if not {"rl", "evaluate"} <= task.keys():
                continue
            digest, training = task["rl"]
            values, (_, results) = iterations(training), panels(task["evaluate"][1])
            entropy = [value["entropy"] for value in values]
            if len(entropy) < 3 or not results:
                continue
            panel = results[-1]
            labels = [label for label in pipeline["label"].split(", ") if label and not label.startswith("seed=")]
            found[digest] = (
                "with a critic (PPO)" if "critic_gradient_norm" in values[0] else "by groups (GRPO)",
                (record, pipeline["name"], *labels),
                stdev(b - a for a, b in zip(entropy, entropy[1:])),
                panel["successes"] / panel["episodes"],
            )
    return list(found.values())


def r(points):
    try:
        return correlation([x for x, _ in points], [y for _, y in points])
    except StatisticsError:
        return math.nan


def interval(points):
    draws = random.Random(0)
    values = (r(draws.choices(points, k=len(points))) for _ in range(DRAWS))
    values = sorted(value for value in values if not math.isnan(value))
    return (values[len(values) * 25 // 1000], values[len(values) * 975 // 1000 - 1]) if values else (math.nan, math.nan)


def row(name, points):
    if len(points) < 4:
        return f"| {name} | {len(points)} | | |"
    low, high = interval(points)
    return f"| {name} | {len(points)} | {r(points):.2f} | [{low:.2f}, {high:.2f}] |"


def within(group):
    """What is left when the mean of a method with one setting is taken away from its seeds: is it a matter of chance, or of the setting?"""
    cells = {}
    for _, cell, swing, success in group:
        cells.setdefault(cell, []).append((swing, success))
    return [
        (swing - mean(x for x, _ in cell), success - mean(y for _, y in cell))
        for cell in cells.values() if len(cell) > 1 for swing, success in cell
    ]


def main():
    records = sys.argv[1:]
    if not records:
        sys.exit(__doc__)
    all_of_them = trainings(records)
    if not all_of_them:
        sys.exit(f"no finished training in {', '.join(records)}")
    questions = [Path(record).stem if record.endswith(".zip") else Path(record).parent.name for record in records]
    print(f"<!-- Made by `scripts/oscillation.py {' '.join(records)}`; do not edit. -->\n")
    print("# Does oscillation of the entropy tell which trainings fail?\n")
    print(f"Over {len(all_of_them)} trainings of {', '.join(f'[{name}]({name}.md)' for name in questions)}: the standard deviation of the steps of the entropy from one")
    print("iteration to the next, against success on unseen rooms. Pearson's r, with an interval of 95 % over trainings (bootstrap).\n")
    print("| trainings | number | r | interval |\n|---|---|---|---|")
    groups = [("all", all_of_them)]
    groups += [(kind, [one for one in all_of_them if one[0] == kind]) for kind in sorted({one[0] for one in all_of_them})]
    for name, group in groups:
        print(row(name, [one[2:] for one in group]))
        print(row(f"{name}, within one setting: what its seeds differ by", within(group)))


main()
