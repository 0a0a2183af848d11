#!/usr/bin/env python3
"""What the games of a run themselves count, as a table in Markdown: ScienceWorld's score, where a game that fails ends at −100.

    scripts/game_scores.py RUNS/NAME/ID

Of each evaluation with `keep = all`: the mean of the games' own score, with failed games as they are and as 0, and its 95 % interval over games.
"""

import sys
from statistics import mean, stdev

from run_records import lines, pipelines


def with_interval(scores):
    return f"{mean(scores):.1f} ± {1.96 * stdev(scores) / len(scores) ** 0.5:.1f}".replace("-", "−")


def main():
    print("| evaluation | split | games | score, failed games as 0 | as they are | failed | score 100 |")
    print("|---|---|---|---|---|---|---|")
    for pipeline, stages in pipelines(sys.argv[1]):
        for stage, task in stages:
            if stage["kind"] != "evaluate":
                continue
            splits = {}
            for kept in lines(task / "episodes.jsonl"):
                splits.setdefault(kept["split"], []).append(dict(kept["episode"]["figures"])["score"])
            for split, scores in splits.items():
                failed, whole = sum(score < 0 for score in scores), sum(score >= 100 for score in scores)
                cells = [
                    f"{pipeline['name']}, seed {pipeline['seed']}: {stage['name']}",
                    split,
                    len(scores),
                    with_interval([max(score, 0) for score in scores]),
                    with_interval(scores),
                    failed,
                    f"{whole}, {100 * whole / len(scores):.1f} %",
                ]
                print("| " + " | ".join(map(str, cells)) + " |")


main()
