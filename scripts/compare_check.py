#!/usr/bin/env python3
"""Compares what `epo-run compare --json` says with numpy and scipy. Written from the public descriptions of the statistics, not from the program:
only the generator and the order in which it is asked are the program's.

    compare_check.py RUNS JSON MEASURE
"""

import itertools
import json
import pathlib
import sys

import numpy as np
from scipy import stats

DRAWS = 5000
TOLERANCE = 1e-6


class SplitMix64:
    """Steele, Lea and Flood (2014), figure 17; all at once, since its state is a sum."""

    def __init__(self, seed=0):
        self.state = np.uint64(seed)

    def units(self, count):
        step = np.uint64(0x9E3779B97F4A7C15)
        with np.errstate(over="ignore"):
            z = self.state + step * np.arange(1, count + 1, dtype=np.uint64)
            self.state = z[-1]
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z = z ^ (z >> np.uint64(31))
        return (z >> np.uint64(11)).astype(np.float64) / 2.0**53


def read(runs, measure):
    """Method → seed → (ids, families, values), by the links of the run that compares them."""
    run = next(iter((runs / "compare").iterdir()))
    plan = json.loads((run / "plan.json").read_text())
    found = {}
    for pipeline in plan["pipelines"]:
        for stage in pipeline["stages"]:
            if stage["kind"] != "evaluate":
                continue
            task = runs / "tasks" / stage["task"]
            results = json.loads((task / "outputs/results/results.json").read_text())
            tasks = results["splits"][0]["tasks"]
            values = np.array([float(t[measure]) for t in tasks])
            families = np.array([t["family"] for t in tasks])
            found.setdefault(pipeline["name"], {})[pipeline["seed"]] = (families, values)
    return found


def matrix(method):
    families = next(iter(method.values()))[0]
    assert all((families == own).all() for own, _ in method.values())
    return np.stack([values for _, values in (method[seed] for seed in sorted(method))]), families


def draw_all(sizes_before, families):
    """For each draw: an index for each seed of each group in `sizes_before`, then the tasks, family by family in the order of their names."""
    places = [np.flatnonzero(families == name) for name in sorted(set(families))]
    per_draw = sum(sizes_before) + len(families)
    units = SplitMix64().units(DRAWS * per_draw).reshape(DRAWS, per_draw)
    at, seeds = 0, []
    for size in sizes_before:
        seeds.append((units[:, at : at + size] * size).astype(int))
        at += size
    tasks = []
    for own in places:
        tasks.append(own[(units[:, at : at + len(own)] * len(own)).astype(int)])
        at += len(own)
    return seeds, np.concatenate(tasks, axis=1)


def drawn_means(values, seeds, tasks):
    return np.stack([values[np.ix_(s, t)].mean(axis=1) for s, t in zip(seeds, tasks)])


def interval(values):
    return np.percentile(values, [2.5, 97.5])


def chance(a, b):
    u = stats.mannwhitneyu(a, b, alternative="two-sided", method="asymptotic").statistic
    return u / (len(a) * len(b))


def same(what, found, expected):
    off = abs(found - expected)
    assert off <= TOLERANCE, f"{what}: {found} here, {expected} by numpy and scipy"
    same.count += 1
    same.widest = max(same.widest, off)


same.count, same.widest = 0, 0.0


def check_method(name, said, values, families):
    means = values.mean(axis=1)
    for own, (_, theirs) in zip(means, said["seeds"]):
        same(f"{name}: a seed", theirs, own)
    same(f"{name}: mean", said["mean"], means.mean())
    same(f"{name}: deviation", said["deviation"], means.std(ddof=1))
    same(f"{name}: interquartile mean", said["interquartile"], stats.trim_mean(means, 0.25))
    (seeds,), tasks = draw_all([len(values)], families)
    drawn = drawn_means(values, seeds, tasks)
    for bound, theirs in zip(interval(drawn.mean(axis=1)), ("low", "high")):
        same(f"{name}: {theirs}", said["interval"][theirs], bound)
    middle = stats.trim_mean(drawn, 0.25, axis=1)
    for bound, theirs in zip(interval(middle), ("low", "high")):
        same(f"{name}: interquartile {theirs}", said["interquartile_interval"][theirs], bound)


def check_pair(said, first, second, paired, family):
    name = f"{said['first']} - {said['second']}"
    (a, families), (b, _) = first, second
    means_a, means_b = a.mean(axis=1), b.mean(axis=1)
    assert said["paired"] == paired, name
    same(f"{name}: difference", said["difference"], means_a.mean() - means_b.mean())
    same(f"{name}: chance", said["chance"], chance(means_a, means_b))
    seeds, tasks = draw_all([len(a)] if paired else [len(a), len(b)], families)
    drawn_a, drawn_b = drawn_means(a, seeds[0], tasks), drawn_means(b, seeds[-1], tasks)
    for bound, theirs in zip(interval(drawn_a.mean(axis=1) - drawn_b.mean(axis=1)), ("low", "high")):
        same(f"{name}: {theirs}", said["interval"][theirs], bound)
    above = (drawn_a[:, :, None] > drawn_b[:, None, :]) + 0.5 * (drawn_a[:, :, None] == drawn_b[:, None, :])
    for bound, theirs in zip(interval(above.mean(axis=(1, 2))), ("low", "high")):
        same(f"{name}: chance {theirs}", said["chance_interval"][theirs], bound)
    if paired:
        expected = stats.ttest_rel(means_a, means_b)
        test = said["test"]["paired_seeds"]
        test_of_signs = stats.permutation_test(
            (means_a - means_b,), np.sum, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
        )
        same(f"{name}: signs", said["signs"], test_of_signs.pvalue)
        error = (means_a - means_b).std(ddof=1) / np.sqrt(len(means_a))
    else:
        expected = stats.ttest_ind(means_a, means_b, equal_var=False)
        test = said["test"]["seeds"]
        error = np.sqrt(means_a.var(ddof=1) / len(means_a) + means_b.var(ddof=1) / len(means_b))
    same(f"{name}: t", test["t"], expected.statistic)
    same(f"{name}: degrees of freedom", test["df"], expected.df)
    same(f"{name}: p", test["p"], expected.pvalue)
    quantiles = stats.t.ppf(1 - 0.05 / family / 2, expected.df) + stats.t.ppf(0.8, expected.df)
    same(f"{name}: smallest", said["smallest"], quantiles * error)
    return expected.pvalue


def holm(p):
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate([(len(p) - rank) * p[place] for rank, place in enumerate(order)])
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def main():
    runs, said, measure = pathlib.Path(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text()), sys.argv[3]
    methods = read(runs, measure)
    (split,) = said
    rows = {next(name for name in methods if m["name"].endswith(name)): m for m in split["methods"]}
    assert set(rows) == set(methods), (set(rows), set(methods))
    data = {name: matrix(method) for name, method in methods.items()}
    for name, row in rows.items():
        assert [int(seed) for seed, _ in row["seeds"]] == sorted(methods[name])
        check_method(name, row, *data[name])
    of = {row["name"]: name for name, row in rows.items()}
    p = []
    for pair in split["pairs"]:
        first, second = of[pair["first"]], of[pair["second"]]
        paired = sorted(methods[first]) == sorted(methods[second])
        p.append(check_pair(pair, data[first], data[second], paired, split["family"]))
    assert len(p) == len(list(itertools.combinations(methods, 2))) == split["family"]
    for adjusted, pair in zip(holm(np.array(p)), split["pairs"]):
        same("holm", pair["holm"], adjusted)
    print(f"{measure}: {same.count} numbers agree, the farthest to {same.widest:.1e}")


if __name__ == "__main__":
    main()
