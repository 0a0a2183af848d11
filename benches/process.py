"""A game that does nothing, for `cargo bench --bench process`: what a step takes here, without the pipe, is printed with `here`."""

import os
import sys
import time

sys.path.insert(0, sys.argv[1])
from epo_env import serve  # noqa: E402


class Nothing:
    splits = {"train": 100}

    def reset(self, task, seed):
        return "A room. There is a door to the east."

    def step(self, action):
        return "A room. There is a door to the east.", 0.0, False

    def admissible(self):
        return ["go east", "look", "wait"]


if len(sys.argv) > 2:
    game, count = Nothing(), 200_000
    begin = time.perf_counter()
    for _ in range(count):
        game.step("look")
        game.admissible()
    print((time.perf_counter() - begin) / count)
    os._exit(0)
serve(Nothing)
