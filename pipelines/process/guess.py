"""A number is guessed; the answer is where it still can be."""

import random


class Guess:
    version = "1"
    splits = {"train": 2000, "test": 300}
    limit = 30

    def reset(self, task, seed):
        self.number = random.Random(f"{task.split}/{task.number}").randint(1, self.limit)
        self.low, self.high = 1, self.limit
        return {"task": "Guess the number.", "observation": self.between()}

    def step(self, action):
        words = action.split()
        guess = int(words[1]) if len(words) == 2 and words[0] == "guess" and words[1].isdigit() else 0
        if not self.low <= guess <= self.high:
            return {"observation": "That is not possible.", "valid": False}
        if guess == self.number:
            return "That is it!", 1.0, True
        if guess < self.number:
            self.low = guess + 1
        else:
            self.high = guess - 1
        return self.between(), 0.0, False

    def between(self):
        return f"It is {self.low} to {self.high}."

    def admissible(self):
        return [f"guess {number}" for number in range(self.low, self.high + 1)]

    def expert(self):
        return f"guess {(self.low + self.high) // 2}"
