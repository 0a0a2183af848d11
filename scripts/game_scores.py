#!/usr/bin/env python3
"""What the games of a run themselves count, as a table in Markdown: ScienceWorld's score, where a game that fails ends at −100.

    scripts/game_scores.py RECORD

RECORD is a pack, or the folder of a run. Of each evaluation, a line for each seed and one for all of them: the mean of the games' own score, with failed
games as 0 and as they are, and its 95 % interval over games (of several seeds, over the games' means).
"""

import sys
from statistics import mean, stdev

from run_records import panels, pipelines


def with_interval(scores):
    return f"{mean(scores):.1f} ± {1.96 * stdev(scores) / len(scores) ** 0.5:.1f}".replace("-", "−")


def line(name, split, seeds):
    """`seeds`: of each seed, the score of each task."""
    games = [score for scores in seeds for score in scores.values()]
    means = lambda least: [mean(max(scores[task], least) for scores in seeds) for task in seeds[0]]
    whole = sum(score >= 100 for score in games)
    cells = [name, split, len(games), with_interval(means(0)), with_interval(means(-100)), sum(score < 0 for score in games)]
    return "| " + " | ".join(map(str, [*cells, f"{whole}, {100 * whole / len(games):.1f} %"])) + " |"


def main():
    evaluations = {}
    for pipeline, stages in pipelines(sys.argv[1]):
        for stage, task in stages:
            if stage["kind"] != "evaluate":
                continue
            for panel in panels(task)[1]:
                scores = {game["id"]: game["figures"]["score"] for game in panel["tasks"]}
                evaluations.setdefault((pipeline["name"], stage["name"], panel["split"]), {})[pipeline["seed"]] = scores
    print("| evaluation | split | games | score, failed games as 0 | as they are | failed | score 100 |")
    print("|---|---|---|---|---|---|---|")
    for (pipeline, stage, split), seeds in evaluations.items():
        for seed, scores in seeds.items():
            print(line(f"{pipeline}, seed {seed}: {stage}", split, [scores]))
        if len(seeds) > 1:
            print(line(f"{pipeline}, {len(seeds)} seeds: {stage}", split, list(seeds.values())))


main()
