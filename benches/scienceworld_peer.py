"""The Python package `scienceworld`, used as the papers' workers use it: one process for each environment, its own Java each,
`env.step` and then the three lists. Plays the episodes of a JSON file over and over and prints what it measured as one line of JSON.

    python scienceworld_peer.py EPISODES.json ENVIRONMENTS WARM_UP_SECONDS SECONDS

EPISODES.json: a list of {"task", "variation", "actions"}. Needs `pip install scienceworld==1.2.3`.
"""

import json
import multiprocessing
import sys
import time


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


def worker(episodes, first, ready, steps, stop, memory):
    from scienceworld import ScienceWorldEnv

    env = ScienceWorldEnv("", envStepLimit=100)
    java = env._gateway.java_process.pid
    env.load("boil", 0, "easy")
    env.reset()
    ready.wait()
    number = first
    while True:
        episode = episodes[number % len(episodes)]
        number += 1
        env.load(episode["task"], episode["variation"], "easy")
        env.reset()
        for action in episode["actions"]:
            if stop.is_set():
                import os

                memory[first] = resident(java) + resident(os.getpid())
                env.close()
                return
            env.step(action)
            env.get_valid_action_object_combinations()
            env.get_possible_actions()
            env.get_possible_objects()
            steps[first] += 1


def main():
    episodes = json.load(open(sys.argv[1]))
    count, warm_up, span = int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Barrier(count + 1), context.Event()
    steps, memory = context.Array("l", count, lock=False), context.Array("q", count, lock=False)
    arguments = [(episodes, number, ready, steps, stop, memory) for number in range(count)]
    workers = [context.Process(target=worker, args=each) for each in arguments]
    for each in workers:
        each.start()
    ready.wait()
    time.sleep(warm_up)
    before, start = sum(steps), time.perf_counter()
    time.sleep(span)
    taken, seconds = sum(steps) - before, time.perf_counter() - start
    stop.set()
    for each in workers:
        each.join()
    print(json.dumps({"environments": count, "steps": taken, "seconds": seconds, "resident": sum(memory)}))


if __name__ == "__main__":
    main()
