"""What one change does: of `epo-run compare --all --json` (standard input) the pairs of methods that differ in one thing, as a table in Markdown.

A name is `after A + B, C · x=1, y=2`: parts, and numbers that were swept. Two methods differ in one thing if one has a part more, or another part in its place,
and what both sweep is the same; or if their parts are the same, and one number is another or is only in one of them.
"""

import json
import sys


def read(name):
    """Its parts, of which those behind a comma keep it, and its numbers."""
    parts, _, numbers = name.removeprefix("after ").partition(" · ")
    numbers = numbers.replace(" · ", ", ").split(", ") if numbers else []
    return parts.replace(", ", " + , ").split(" + "), dict(number.split("=", 1) for number in numbers)


def written(parts, numbers):
    words = " + ".join(parts).replace(" + , ", ", ").removeprefix(", ")
    return " · ".join([words] * bool(words) + [f"{name}={value}" for name, value in numbers.items()])


def change(before, after):
    """What changes from one to the other, and what stays; `None` if that is not one thing."""
    (old, numbers), (new, others) = read(before), read(after)
    gone, come = [part for part in old if part not in new], [part for part in new if part not in old]
    both = {name: value for name, value in numbers.items() if name in others}
    moved = [name for name in both if others[name] != numbers[name]]
    own = {name: value for name, value in {**numbers, **others}.items() if name not in both}
    if len(come) == 1 and len(gone) <= 1 and not moved:
        way = f"{written(gone, {})} → " if gone else "+ "
        return way + written(come, own), written([part for part in old if part in new], both)
    if not gone and not come and not moved and len(own) == 1 and own.items() <= others.items():
        return f"+ {written([], own)}", written(old, both)
    if not gone and not come and len(moved) == 1 and not own:
        [name] = moved
        return f"{name} {numbers[name]} → {others[name]}", written(old, {other: value for other, value in both.items() if other != name})
    return None


def points(pair, forward):
    def percent(share):
        return round(100 * share if forward else -100 * share, 1) + 0.0  # no -0.0

    low, high = sorted(percent(pair["interval"][end]) for end in ("low", "high"))
    return f"{percent(pair['difference']):+.1f} [{low:.1f}, {high:.1f}]".replace("-", "−")


def p(pair):
    test = pair["test"]
    return f"{next(iter(test.values()))['p']:.4f}" if isinstance(test, dict) else "–"


def rows(split):
    """By change and what stays: the difference and its p."""
    methods, found = split["methods"], {}
    # What was never trained has one seed, and comes before all, then what has fewer swept numbers; then in the order of the table.
    place = {method["name"]: (len(method["seeds"]) > 1, len(read(method["name"])[1]), at) for at, method in enumerate(methods)}
    for pair in sorted(split["pairs"], key=lambda pair: sorted(place[pair[side]] for side in ("first", "second"))):
        before, after = sorted((pair["first"], pair["second"]), key=place.get)
        changes = [(change(a, b), b == pair["first"]) for a, b in ((before, after), (after, before))]
        changes = sorted((one for one in changes if one[0]), key=lambda one: not one[0][0].startswith("+"))
        if changes:
            what, forward = changes[0]
            found[what] = (points(pair, forward), p(pair))
    return found


def main():
    splits = json.load(sys.stdin)
    tables = [rows(split) for split in splits]
    keys = list(dict.fromkeys(key for table in tables for key in table))
    changes = list(dict.fromkeys(key[0] for key in keys))
    keys.sort(key=lambda key: (not key[0].startswith("+"), changes.index(key[0])))
    if not keys:
        return
    print("## What one change does\n")
    print("Points of success, the interval over seeds and tasks, and p of a paired t test over seeds, not corrected for how many lines there are.\n")
    print("| change | of | " + " | ".join(f"{split['split'].split('.')[-1]} | p" for split in splits) + " |")
    print("|---|---|" + "---|---|" * len(splits))
    for key in keys:
        cells = [cell for table in tables for cell in table.get(key, ("", ""))]
        print("| " + " | ".join([*key, *cells]) + " |")


main()
