"""Guess a number: an environment for OpenEnv's server. `uvicorn guess:app` serves it; docs/openenv.md has the commands."""

import os
import random
from typing import List

from openenv.core.env_server import Action, Environment, Observation, State, create_fastapi_app
from openenv.core.env_server.types import EnvironmentMetadata


class Said(Action):
    words: str


class Between(Observation):
    said: str
    possible: List[str]


class Guess(Environment):
    SUPPORTS_CONCURRENT_SESSIONS = True
    LIMIT, GUESSES = 30, 5

    def reset(self, seed=None, episode_id=None, **kwargs):
        self.number = random.Random(seed).randint(1, self.LIMIT)
        self.low, self.high, self.guesses = 1, self.LIMIT, 0
        return self.between()

    def step(self, action, timeout_s=None, **kwargs):
        self.guesses += 1
        if action.words == f"guess {self.number}":
            return Between(said="That is it!", possible=[], reward=1.0, done=True)
        if action.words in self.between().possible:
            guess = int(action.words.split()[1])
            self.low, self.high = (guess + 1, self.high) if guess < self.number else (self.low, guess - 1)
        return self.between()

    def between(self):
        possible = [f"guess {number}" for number in range(self.low, self.high + 1)]
        return Between(said=f"It is {self.low} to {self.high}.", possible=possible, reward=0.0, done=self.guesses >= self.GUESSES)

    @property
    def state(self):
        return State(step_count=getattr(self, "guesses", 0))

    def get_metadata(self):
        return EnvironmentMetadata(name="guess", description="Guess a number", version="1")


app = create_fastapi_app(Guess, Said, Between, max_concurrent_envs=int(os.environ.get("SESSIONS", "64")))
