"""FrozenLake of Gymnasium in words (`pip install gymnasium`)."""

import gymnasium
from epo_env import Gymnasium


class Lake(Gymnasium):
    splits = {"train": 1000, "test": 100}
    goal = "Cross the lake to the lower right corner, past the holes."
    actions = {"go left": 0, "go down": 1, "go right": 2, "go up": 3}

    def make(self):
        return gymnasium.make("FrozenLake-v1", is_slippery=False)

    def describe(self, observation, info):
        row, column = divmod(int(observation), 4)
        return f"You stand in row {row + 1}, column {column + 1}."
