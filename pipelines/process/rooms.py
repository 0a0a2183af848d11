"""Games that TextWorld generates (`pip install textworld`), with its own way through each as the expert: a task is a seed of the generator."""

import os

import textworld

INFOS = textworld.EnvInfos(admissible_commands=True, policy_commands=True, objective=True, won=True, lost=True)


def game_file(split, number):
    """Generated once by each process, in its own folder, which goes with it."""
    path = os.path.abspath(f"{split}-{number}.z8")
    if not os.path.exists(path):
        options = textworld.GameOptions()
        options.nb_rooms, options.nb_objects, options.quest_length = 3, 4, 3
        options.seeds = 2 * number + (split == "test")
        options.path = path
        textworld.make(options)
    return path


class Rooms:
    version = "1"
    splits = {"train": 100, "test": 20}
    inner = None

    def reset(self, task, seed):
        self.close()
        self.inner = textworld.start(game_file(task.split, task.number), INFOS)
        self.state = self.inner.reset()
        return {"observation": words(self.state.feedback), "task": self.state.objective}

    def step(self, action):
        valid = action in self.state.admissible_commands
        self.state, _, done = self.inner.step(action)
        won = bool(self.state.won)
        return {
            "observation": words(self.state.feedback),
            "reward": 1.0 if won else 0.0,
            "terminated": bool(done),
            "success": won,
            "valid": valid,
        }

    def admissible(self):
        return self.state.admissible_commands

    def expert(self):
        return next(iter(self.state.policy_commands), None)

    def close(self):
        if self.inner is not None:
            self.inner.close()


def words(text):
    """Without the banner and the status line."""
    lines = [line.rstrip() for line in text.split("\n") if not line.lstrip().startswith(">")]
    letters = [line for line in lines if any(letter.isalnum() for letter in line) and not set(line) & set("\\$")]
    return "\n".join(letters) or "Nothing happens."
