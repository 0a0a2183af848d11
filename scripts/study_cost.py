"""What a run cost: `study_cost.py RUNS NAME/ID`. The trainings of its plan, and how long tasks were at work, by the events of every run of the folder.

A task counts from its start, or from where it went on, to the last event before the next of its run.
"""

import sys
from datetime import datetime
from pathlib import Path

from run_records import lines, pipelines


def main():
    folder, run = Path(sys.argv[1]), sys.argv[2]
    stages = [stage for _, its in pipelines(folder / run) for stage, _ in its]
    trainings = {stage["task"] for stage in stages if stage["kind"] == "rl"}
    wanted, seconds = {stage["task"] for stage in stages}, {}
    for events in sorted(folder.glob("*/*/events.jsonl")):
        current, last = None, None
        for event in lines(events):
            time = datetime.fromisoformat(event["time"])
            if event["event"] in ("task_started", "task_resumed"):
                current = event.get("digest", current)
            elif current in wanted and event["event"] in ("progress", "task_finished"):
                seconds[current] = seconds.get(current, 0) + (time - last).total_seconds()
            if event["event"] in ("task_finished", "run_started"):
                current = None
            last = time
    missing = len(trainings - seconds.keys())
    rest = f"; of {missing} nothing is known here" if missing else ""
    print(f"{len(trainings)} trainings and what belongs to them were {sum(seconds.values()) / 60:.0f} minutes at work{rest}.")


main()
