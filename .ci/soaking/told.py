"""What is said, and what must be."""

import time

BEGAN = time.monotonic()


class Wrong(Exception):
    """Something that must not be."""


def say(text):
    print(f"{time.monotonic() - BEGAN:6.0f} s  {text}", flush=True)


def expect(is_so, what):
    if not is_so:
        raise Wrong(what)
