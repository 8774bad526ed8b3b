#!/usr/bin/env python3
"""What more workers could gain, and what a source in parts could: from the tasks of a build that is done.

    kiln plan druginfo_00007 --json | benches/workers/parts.py

Plays the tasks of the build in kiln's order (the longest path first) on 1, 2, 4 … workers, each task for as long
as it took; then the same with the largest source in as many parts as there are workers, which is the most that
parts can gain: as if rows split evenly, for nothing. Times are those of the build's own machine, with as many
tasks side by side as it had connections.
"""

import heapq
import json
import sys

COUNTS = (1, 2, 4, 8, 16)


def main():
    tasks = [task for task in json.load(sys.stdin)["tasks"] if task.get("took") is not None]
    names = {task["name"] for task in tasks}
    took = {task["name"]: task["took"] for task in tasks}
    needs = {task["name"]: [need for need in task["needs"] if need in names] for task in tasks}
    largest = max((name for name in names if name.startswith("rows:")), key=took.get)
    alone = longest_paths(took, needs)
    print(f"{len(tasks)} tasks, {sum(took.values()):.1f} s of work; the largest source is {largest} "
          f"({took[largest]:.1f} s), the longest path {max(alone.values()):.1f} s\n")
    print("| workers | seconds | seconds, the largest source in as many parts |")
    print("|---|---|---|")
    for count in COUNTS:
        whole = played(took, needs, count)
        parts = played(*in_parts(took, needs, largest, count), count)
        print(f"| {count} | {whole:.1f} | {parts:.1f} |")


def in_parts(took, needs, name, count):
    """The same tasks with one of them in equal parts; who needs it needs all of them."""
    parts = [f"{name} part {number}" for number in range(count)]
    took = {**{task: seconds for task, seconds in took.items() if task != name},
            **{part: took[name] / count for part in parts}}
    needs = {**{task: [more for need in all_needs for more in (parts if need == name else [need])]
                for task, all_needs in needs.items() if task != name},
             **{part: needs[name] for part in parts}}
    return took, needs


def longest_paths(took, needs):
    """Seconds from the beginning of each task to the end of all that waits for it."""
    waiting = {name: [] for name in took}
    for name, all_needs in needs.items():
        for need in all_needs:
            waiting[need].append(name)
    found = {}

    def longest(name):
        if name not in found:
            found[name] = took[name] + max((longest(next_one) for next_one in waiting[name]), default=0)
        return found[name]

    return {name: longest(name) for name in took}


def played(took, needs, workers):
    """Seconds until all is done."""
    path, done, running, now = longest_paths(took, needs), set(), [], 0.0
    left = set(took)
    while left or running:
        ready = sorted((name for name in left if all(need in done for need in needs[name])), key=lambda name: -path[name])
        for name in ready[: workers - len(running)]:
            left.discard(name)
            heapq.heappush(running, (now + took[name], name))
        now, name = heapq.heappop(running)
        done.add(name)
    return now


if __name__ == "__main__":
    main()
