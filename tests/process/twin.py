"""The environment of twin.rs in Python, with ways to misbehave: python3 twin.py FOLDER-OF-EPO_ENV [WAY FOLDER]."""

import os
import sys
import time

sys.path.insert(0, sys.argv[1])
from epo_env import serve  # noqa: E402

WAY, FOLDER = sys.argv[2:4] if len(sys.argv) > 2 else ("", "")
STEPS = []
ACTIONS = ["left", "right", "stay"]


class Twin:
    version = "3"
    splits = {"train": 40, "test": 20}
    placeholders = ["far"]
    deterministic = WAY != "chance"

    def reset(self, task, seed):
        print("a print breaks nothing")
        self.task, self.place, self.steps, self.draws = task, seed % 10, 0, seed
        self.goal = (task.number * 7 + (3 if task.split == "train" else 4)) % 10
        return {"task": f"Geh nach {self.goal}.", "observation": self.scene()}

    def scene(self):
        self.draws = (self.draws * 6364136223846793005 + 1442695040888963407) % 2**64
        wind = time.time_ns() if WAY == "chance" else self.draws >> 60
        return f"Du stehst auf {self.place}. Wind: {wind} \u2013 \U0001f343"

    def step(self, action):
        self.steps += 1
        misbehave(self)
        known = action in ACTIONS
        if known:
            self.place = (self.place + {"left": 9, "right": 1, "stay": 0}[action]) % 10
        there = self.place == self.goal
        return {
            "observation": self.scene(),
            "reward": 1.0 if there else -0.1 * self.steps,
            "terminated": there,
            "truncated": self.steps >= 15,
            "success": there,
            "valid": known,
        }

    def admissible(self):
        return ["stay", "right", "left"]

    def expert(self):
        right = (self.goal - self.place) % 10
        return "stay" if right == 0 else "right" if right <= 5 else "left"

    @property
    def far(self):
        return abs(self.goal - self.place)

    def figures(self):
        return {"steps": self.steps}


def misbehave(game):
    """In the third step of some tasks; `deaths` of each process in its sixtieth, which is more than one episode has."""
    if WAY == "slow":
        time.sleep(0.002)
    if WAY == "deaths":
        STEPS.append(game.steps)
        if len(STEPS) == 60:
            open(os.path.join(FOLDER, f"dead-{os.getpid()}"), "w").close()
            os.kill(os.getpid(), 9)
    if game.steps != 3 or game.task.number % 5 != 2:
        return
    if WAY == "hang":
        time.sleep(1000)
    if WAY == "end":
        print("there is no way", file=sys.stderr)
        sys.stderr.flush()
        os._exit(3)
    if WAY == "nonsense":
        os.write(ANSWERS, b"\x1b[31mSegmentation fault\n")
        time.sleep(1000)
    if WAY == "long":
        os.write(ANSWERS, b"x" * 3_000_000)
    if WAY == "error":
        raise ValueError("no third step here")
    if WAY == "reward":
        game.steps = "many"


# Before it becomes stderr.
ANSWERS = os.dup(1)
serve(Twin)
