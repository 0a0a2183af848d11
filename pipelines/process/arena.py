"""A game of TextArena for one player (`pip install textarena`): a task is a seed of the game."""

import contextlib
import random

import textarena

SAID = textarena.ObservationType.PLAYER_ACTION


class Arena:
    version = "1"
    splits = {"train": 1000, "test": 100}
    game = "GuessTheNumber-v0-raw"

    @contextlib.contextmanager
    def own_chance(self):
        """The games draw from the one generator that all of a process share: each goes on with its own."""
        if hasattr(self, "chance"):
            random.setstate(self.chance)
        yield
        self.chance = random.getstate()

    def reset(self, task, seed):
        self.guessed = set()
        with self.own_chance():
            self.inner = textarena.make(env_id=self.game)
            self.inner.reset(num_players=1, seed=2 * task.number + (task.split == "test"))
        return {"task": "Guess the number.", "observation": self.news()}

    def step(self, action):
        valid = action in self.admissible()
        self.guessed.add(action)
        with self.own_chance():
            done, _ = self.inner.step(action)
        observation, reward = self.news(), 0.0
        if done:
            rewards, info = self.inner.close()
            reward = float(rewards[0])
            observation = "\n".join(filter(None, [observation, info[0].get("reason")]))
        return {
            "observation": observation or "Nothing happens.",
            "reward": reward,
            "terminated": done,
            "success": done and reward == 1,
            "valid": valid,
        }

    def news(self):
        """What the game has said, without what the player has."""
        _, messages = self.inner.get_observation()
        return "\n".join(text for _, text, kind in messages if kind != SAID)

    def admissible(self):
        return [guess for guess in (f"[{number}]" for number in range(1, 21)) if guess not in self.guessed]
