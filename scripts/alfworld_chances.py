#!/usr/bin/env python3
"""How often each kind of object lay in each kind of receptacle in ALFWorld's training games: what the searching expert goes by.

    scripts/alfworld_chances.py JSON_2.1.1 > src/env/alfworld/search/chances.tsv

`held` counts receptacles that hold at least one object of the kind at the beginning, `there` all receptacles of their kind, both in games in which such
an object lies in a receptacle. Pairs that never occurred have no line.
"""

import collections
import json
import pathlib
import re
import sys


def kind(name):
    """The word by which players know the kind of a thing: as `ClassNames` in `names.rs`."""
    name = name.lower()
    return name.split("_bar_")[0] + ("basin" if "basin" in name else "")


def main(root):
    held, there = collections.Counter(), collections.Counter()
    for path in sorted(pathlib.Path(root, "train").glob("*/*/game.tw-pddl")):
        problem = json.loads(path.read_text())["pddl_problem"].split("(:goal")[0]
        receptacles = {r.lower() for r in re.findall(r"\(receptacleAtLocation (\S+) \S+\)", problem)}
        pairs = {(kind(o), r.lower()) for o, r in re.findall(r"\(inReceptacle (\S+) (\S+)\)", problem)}
        pairs = {(o, r) for o, r in pairs if r in receptacles}
        held.update((o, kind(r)) for o, r in pairs)
        there.update((o, kind(r)) for o in {o for o, _ in pairs} for r in receptacles)
    print("object\treceptacle\theld\tthere")
    for (o, r), count in sorted(held.items()):
        print(o, r, count, there[o, r], sep="\t")


main(*sys.argv[1:])
