"""An environment in Python, played by epo: one file, no dependencies, Python 3.9 or later.

    class Guess:
        version = "1"
        splits = {"train": 900, "test": 100}

        def reset(self, task, seed): ...      # the observation
        def step(self, action): ...           # (observation, reward, terminated)

    if __name__ == "__main__":
        serve(Guess)

or, without a word about it in the file: `python3 epo_env.py guess.py:Guess`. The page docs/process.md of epo has the rest.
"""

import functools
import json
import os
import re
import sys
import threading
import time
import traceback
from typing import NamedTuple

PROTOCOL = 1
MOST_BYTES = 1 << 20
NAMES = ("observation", "reward", "terminated", "truncated", "success", "valid")


class Task(NamedTuple):
    """What `reset` is given: a split's name and a number in it, from 0."""

    split: str
    number: int


def serve(make):
    """Plays until nobody asks any more. `make` is called without arguments for each of the episodes that run at once: a class, or a function."""
    asked, answers = _streams()
    games = {}
    hello = _hello(make)
    # Made once: `json.dumps` with words of its own makes one for every text, and `json.loads` guesses the encoding of every line.
    decode = json.JSONDecoder().decode
    encode = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=_plain).encode
    for line in asked:
        try:
            request = decode(line.decode("utf-8"))
            answer = _answer(make, hello, games, request)
            answer["episode"] = request.get("episode", 0)
            text = encode(answer)
            if len(text) > MOST_BYTES:
                raise ValueError(f"an answer of {len(text)} bytes is too long; a line has at most {MOST_BYTES}")
        except Exception as error:  # What goes wrong in one episode is no reason to end the others.
            traceback.print_exc()
            text = json.dumps({"episode": _episode(line), "error": _words(error)})
        answers.write(text.encode("utf-8") + b"\n")
        answers.flush()
    for game in games.values():
        _close(game)


@functools.lru_cache(maxsize=None)
def _streams():
    """The streams of the protocol. What else is printed goes to stderr, from libraries in C too, and nobody else reads the requests."""
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    sys.stdin, sys.stdout = open(os.devnull), sys.stderr
    # Also where a step never ends, nothing is left behind of a run that was killed.
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
    return asked, answers


def _watch(parent):
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _hello(make):
    return {
        "protocol": PROTOCOL,
        "version": str(getattr(make, "version", "1")),
        "splits": dict(getattr(make, "splits", {"train": 1000, "test": 100})),
        "admissible": hasattr(make, "admissible"),
        "expert": hasattr(make, "expert"),
        "placeholders": list(getattr(make, "placeholders", ())),
        "deterministic": bool(getattr(make, "deterministic", True)),
    }


def _answer(make, hello, games, request):
    do, number = request["do"], request.get("episode")
    if do == "hello":
        return dict(hello)
    if do == "reset":
        if number not in games:
            games[number] = make()
        game = games[number]
        task = Task(request["split"], request["task"])
        if not 0 <= task.number < hello["splits"].get(task.split, 0):
            raise ValueError(f"there is no task {task.number} in the split {task.split!r}")
        began = game.reset(task, request["seed"])
        answer = dict(began) if isinstance(began, dict) else {"observation": began}
        return _around(game, hello, answer)
    if do == "close":
        if number in games:
            _close(games.pop(number))
        return {}
    game = games.get(number)
    if game is None:
        raise ValueError("this episode has not begun")
    if do == "step":
        said = game.step(request["action"])
        answer = dict(said) if isinstance(said, dict) else dict(zip(NAMES, said))
        if "success" not in answer:
            answer["success"] = bool(answer.get("terminated")) and answer.get("reward", 0) > 0
        return _around(game, hello, answer)
    if do == "expert":
        return {"action": game.expert()}
    raise ValueError(f"nobody knows how to do {do!r}")


def _around(game, hello, answer):
    """What comes with every observation."""
    if hello["admissible"] and "admissible" not in answer:
        answer["admissible"] = list(game.admissible())
    if hello["placeholders"] and "placeholders" not in answer:
        answer["placeholders"] = {name: str(getattr(game, name)) for name in hello["placeholders"]}
    if hasattr(game, "figures") and "figures" not in answer:
        answer["figures"] = dict(game.figures())
    return answer


def _close(game):
    if hasattr(game, "close"):
        game.close()


def _plain(number):
    """Of a library's own numbers, Python's."""
    return number.item() if hasattr(number, "item") else str(number)


def _episode(line):
    try:
        return json.loads(line).get("episode", 0)
    except Exception:
        return 0


def _words(error):
    """The error, and where in the user's file it arose."""
    places = [place for place in traceback.extract_tb(error.__traceback__) if place.filename != __file__]
    where = f" ({os.path.basename(places[-1].filename)}:{places[-1].lineno})" if places else ""
    return f"{type(error).__name__}: {error}{where}"


class Gymnasium:
    """The adapter for environments of Gymnasium: a class of yours that says what the numbers mean.

        class Lake(Gymnasium):
            actions = {"left": 0, "down": 1, "right": 2, "up": 3}

            def make(self):
                return gymnasium.make("FrozenLake-v1", is_slippery=False)

            def describe(self, observation, info):
                return f"You stand on field {observation}."

    A task is a seed of its environment: the same task is the same level. `actions` maps words to what the environment takes; without it, the words themselves
    are passed on. Observations that are texts, or have one under `text` or `mission`, need no `describe`.
    """

    splits = {"train": 1000, "test": 100}
    actions = None
    goal = ""

    def make(self):
        raise NotImplementedError("make() returns an environment of Gymnasium")

    def describe(self, observation, info):
        if isinstance(observation, dict):
            for name in ("text", "mission"):
                if name in observation:
                    return str(observation[name])
        return str(observation)

    def possible(self, info):
        """The words for what can be done now."""
        return sorted(self.actions or ())

    def __init__(self):
        self.inner = self.make()
        self.info = {}

    def reset(self, task, seed):
        # No split shares a seed with another.
        first = 1_000_000 * list(self.splits).index(task.split)
        observation, self.info = self.inner.reset(seed=first + task.number)
        return {"observation": self.describe(observation, self.info), "task": self.goal}

    def step(self, action):
        known = self.actions is None or action in self.actions
        if not known:
            return {"observation": "That is not possible.", "valid": False}
        told = action if self.actions is None else self.actions[action]
        observation, reward, terminated, truncated, self.info = self.inner.step(told)
        terminated, reward = bool(terminated), float(reward)
        return {
            "observation": self.describe(observation, self.info),
            "reward": reward,
            "terminated": terminated,
            "truncated": bool(truncated),
            "success": terminated and reward > 0,
        }

    def admissible(self):
        return self.possible(self.info)

    def close(self):
        self.inner.close()


def _main(words):
    """FILE.py:CLASS"""
    import importlib.util

    found = re.fullmatch(r"(.+\.py):(\w+)", words[0]) if len(words) == 1 else None
    if not found:
        sys.exit("usage: python3 epo_env.py FILE.py:CLASS")
    file, name = found.groups()
    # What is printed while it is read is no answer either.
    _streams()
    sys.path.insert(0, os.path.dirname(os.path.abspath(file)))
    # The file may import this one: there it is the same.
    sys.modules["epo_env"] = sys.modules["__main__"]
    spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(file))[0], file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    if not hasattr(module, name):
        sys.exit(f"{file} has no {name}")
    serve(getattr(module, name))


if __name__ == "__main__":
    _main(sys.argv[1:])
