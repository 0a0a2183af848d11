#!/usr/bin/env python3
"""A file of chats of some megabytes goes through `dataset` and `sft`: says how long that takes, and the most memory that the program has. It may have what
`sft` holds of rows (256 MiB), an index of every row, and what is the same for every file; more is a failure. The disk needs five times the size.

    scripts/long_sft.py [MEGABYTES] [--binary target/release/epo-run] [--folder FOLDER]
"""
import argparse
import os
import pathlib
import random
import re
import resource
import subprocess
import sys
import tempfile
import time

PIPELINE = """
import "lib/household.epo"

pipeline long {
  policy = decoder {
    tokenizer = words, layers = 1, width = 16, heads = 2, context = 256, decode = sample { max_tokens = 60 }
  }
  stages {
    words = tokenizer { on = house.train, vocabulary = 600, episodes = 60 }
    talks = dataset { from = "data:talks", hash = "HASH", form = messages, max_tokens = 190 }
    warm  = sft { episodes = talks, minibatch = 256, optimizer = adamw { lr = 3e-3 } }
    page  = report { of = [warm] }
  }
}
"""
WORDS = "go to shelf 1 2 3 open close drawer take put mug book lamp from in on you see a the is nothing look task your".split()
MIB = 1 << 20
# Held rows; what a small run has without them.
ROWS, REST = 256, 250
# Of a row: where it comes from, its episode and task, its weight, its place in the order of an epoch; lists grow by doubling.
INDEX = 200


def write(path, size):
    """Chats of two questions and answers, about 700 bytes each; how many answers there are."""
    draw, written, answers = random.Random(0), 0, 0
    said = lambda least, most: " ".join(draw.choices(WORDS, k=draw.randint(least, most)))
    with open(path, "w", encoding="ascii") as file:
        while written < size:
            turns = ((role, said(*lengths)) for _ in range(2) for role, lengths in [("user", (30, 55)), ("assistant", (5, 30))])
            messages = ", ".join(f'{{"role": "{role}", "content": "{content}"}}' for role, content in turns)
            written += file.write(f'{{"messages": [{messages}]}}\n')
            answers += 2
    return answers


def main():
    options = argparse.ArgumentParser()
    options.add_argument("megabytes", nargs="?", type=int, default=1000)
    options.add_argument("--binary", default="target/release/epo-run")
    options.add_argument("--folder", help="where files are written; left out, a temporary one")
    options = options.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        folder = pathlib.Path(folder)
        talks, file = folder / "talks.jsonl", folder / "long.epo"
        answers = write(talks, options.megabytes * 1_000_000)
        surroundings = dict(os.environ, EPO_DATA__TALKS=str(talks), XDG_CONFIG_HOME="/nowhere")
        run = lambda *args, **more: subprocess.run([options.binary, *args, file, "--runs", folder / "runs"], env=surroundings, **more)
        file.write_text(PIPELINE.replace("HASH", "blake3:?"))
        found = re.search(r"blake3:[0-9a-f]{64}", run("plan", capture_output=True, text=True).stdout)
        if not found:
            sys.exit("`plan` does not say the hash")
        file.write_text(PIPELINE.replace("HASH", found[0]))
        began = time.monotonic()
        if run().returncode:
            sys.exit("the run failed")
        seconds = time.monotonic() - began
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        most = ROWS + REST + answers * INDEX / MIB
        print(f"{talks.stat().st_size / 1e6:.0f} MB, {answers} answers: {seconds:.0f} s, at most {peak:.0f} MiB of memory ({most:.0f} MiB are fine)")
        if peak > most:
            sys.exit("that is too much memory")


main()
