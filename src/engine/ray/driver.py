"""Makes each task of a plan a task of Ray, behind those that it needs. epo-run starts it as a job of a cluster; its argument is a file that says what to do."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time

import ray

PR_SET_PDEATHSIG = 1


def end_with_worker():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def run(task, folder, *_before):
    """On a node, when those before it have ended well: the program, which does not outlive the worker."""
    with open(task["log"], "a") as log:
        print(f"node {ray.get_runtime_context().get_node_id()}", file=log, flush=True)
        code = subprocess.call(task["words"], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=end_with_worker)
    if code:
        raise RuntimeError(f"exit code {code}")


def finished(store, digest):
    """Whether a task of another driver is; `None`: not yet."""
    try:
        with open(os.path.join(store, digest, "status.json")) as file:
            state = json.load(file)["state"]
    except (OSError, ValueError, KeyError):
        return None
    return {"finished": True, "failed": False}.get(state)


def why(error):
    """The last line, which names the cause; a task that comes after one that failed has its error."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1] if lines else ''}"


def main(plan):
    states = open(plan["states"], "a")

    def say(digest, state, reason=""):
        states.write(json.dumps({"task": digest, "state": state, "why": reason}) + "\n")
        states.flush()

    ray.init(log_to_driver=False)
    remote = ray.remote(run)
    references, waiting, failed = {}, {}, set()
    held = plan["tasks"]
    while held or waiting:
        later = []
        for task in held:
            digest, elsewhere = task["task"], [finished(plan["store"], digest) for digest in task["elsewhere"]]
            if False in elsewhere or any(before in failed and before not in references for before in task["after"]):
                failed.add(digest)
                say(digest, "failed", "what it needs failed")
            elif None in elsewhere or any(before not in references for before in task["after"]):
                later.append(task)
            else:
                asked = {"num_cpus": task["cpus"], "num_gpus": task["gpus"], "max_retries": plan["retries"], "name": task["name"]}
                if task["memory"] is not None:
                    asked["memory"] = task["memory"]
                before = [references[before] for before in task["after"]]
                references[digest] = remote.options(**asked).remote(task, plan["folder"], *before)
                waiting[references[digest]] = digest
        held = later
        if not waiting:
            time.sleep(2 if held else 0)
            continue
        done, _ = ray.wait(list(waiting), timeout=2)
        for reference in done:
            digest = waiting.pop(reference)
            try:
                ray.get(reference)
                say(digest, "done")
            except Exception as error:  # whatever ended it
                failed.add(digest)
                say(digest, "failed", why(error))


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        main(json.load(file))
