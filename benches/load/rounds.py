"""Rounds: contenders in turn, so that what else the machine does meets all of them."""

import statistics
import sys
import time


def in_turn(contenders, rounds, where):
    """Runs each contender once a round, beginning with another one each time.

    A contender is a function of the round's number that answers with its seconds, or with None where it
    is out of the race. Answers with a summary by contender.
    """
    seconds = {name: [] for name in contenders}
    names = list(contenders)
    for no in range(rounds):
        shift = no % len(names)
        for name in names[shift:] + names[:shift]:
            took = contenders[name](no)
            if took is not None:
                seconds[name].append(took)
                say(f"{where}, round {no + 1} of {rounds}: {name} {took:.2f} s")
    return {name: summary(took) for name, took in seconds.items() if took}


def summary(took):
    return {"median": statistics.median(took), "min": min(took), "max": max(took), "all": took}


def ratio(one, other):
    """The median of the ratios of paired rounds, and their least and largest."""
    pairs = [a / b for a, b in zip(one["all"], other["all"])]
    return summary(pairs)


def agree(what, left, right):
    """Ends the bench where two contenders did not load the same."""
    if isinstance(left, dict) and isinstance(right, dict):
        differ = [key for key in {**left, **right} if left.get(key) != right.get(key)]
        left, right = ({key: side.get(key) for key in differ} for side in (left, right))
    if left != right:
        raise SystemExit(f"{what}: not the same\n  {left}\n  {right}")


def say(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)
