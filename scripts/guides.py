#!/usr/bin/env python3
"""Walks through the guides that add something, as they are written, each in a fresh copy of the tree.

    scripts/guides.py [GUIDE...]        all of docs/guides/add-*.md without arguments

Blocks that say their file are done in their order, others are for reading:

    ```rust src/x.rs      the text is a new file
    ```diff src/x.rs      lines with `-` go and lines with `+` come; what stands in the file, the other lines included, occurs there once
    ```console            what stands after `$` is run and says what follows, on either stream; `…` alone stands for any lines, within a line for any text

Needs Python 3.9. Copies are built in target/guides, without optimisation; the first builds the dependencies, which takes minutes.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "target" / "guides"
COPY = PLACE / "tree"
# What others have in common, and nothing by itself.
READING = {"add-a-kind.md"}


def copy():
    """What git knows or could know, with the time of now: cargo looks at times only."""
    shutil.rmtree(COPY, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True)
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, COPY / name)
            shutil.copymode(ROOT / name, COPY / name)


def blocks(guide):
    """Line, words after the fence, text."""
    found = re.finditer(r"^( *)```(\S.*)\n((?:.*\n)*?)\1```$", guide, re.MULTILINE)
    for match in found:
        text = "".join(line.removeprefix(match[1]) for line in match[3].splitlines(keepends=True))
        yield guide.count("\n", 0, match.start()) + 1, match[2].split(), text


def create(name, text):
    if (COPY / name).exists():
        raise Failure(f"{name} is there already")
    (COPY / name).parent.mkdir(parents=True, exist_ok=True)
    (COPY / name).write_text(text)


def change(name, text):
    lines = text.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] != "+")
    after = "".join(line[1:] for line in lines if line[0] != "-")
    file = (COPY / name).read_text() if (COPY / name).exists() else ""
    # whole lines, also the first
    count = ("\n" + file).count("\n" + before)
    if not before or count != 1:
        raise Failure(f"{name} has these lines {count} times, not once:\n{before}")
    (COPY / name).write_text(("\n" + file).replace("\n" + before, "\n" + after)[1:])


def console(text):
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        environment = dict(os.environ, CARGO_TARGET_DIR=str(PLACE / "build"), CARGO_PROFILE_TEST_OPT_LEVEL="0", NO_COLOR="1", CARGO_TERM_COLOR="never")
        done = subprocess.run(["bash", "-c", command], cwd=COPY, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if not says(done.stdout, expected):
            raise Failure(f"$ {command}\n{done.stdout}---- where the guide says\n{expected}")


def says(found, expected):
    lines = [r"(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + r"\n" for line in expected.splitlines()]
    return re.fullmatch("".join(lines), found if found.endswith("\n") or not found else found + "\n") is not None


class Failure(Exception):
    pass


def walk(guide):
    copy()
    steps = 0
    for line, words, text in blocks(guide.read_text()):
        try:
            if words == ["console"]:
                console(text)
            elif len(words) == 2 and "." in words[1]:
                (change if words[0] == "diff" else create)(words[1], text)
            else:
                continue
        except Failure as failure:
            raise Failure(f"{guide.relative_to(ROOT)}:{line}: {failure}") from None
        steps += 1
    if steps == 0 and guide.name not in READING:
        raise Failure(f"{guide.relative_to(ROOT)}: no block says its file")
    print(f"{guide.relative_to(ROOT)}: {steps or 'no'} steps", flush=True)


failures = []
for guide in [Path(name).resolve() for name in sys.argv[1:]] or sorted((ROOT / "docs/guides").glob("add-*.md")):
    try:
        walk(guide)
    except Failure as failure:
        failures.append(str(failure))
        print(failure, file=sys.stderr, flush=True)
sys.exit(1 if failures else 0)
