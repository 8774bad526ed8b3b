"""How every bench that starts servers begins and ends: its common options, and where it works."""

import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
BUILT = ("target/release/kiln", "target/debug/kiln")


def add_options(parser, beside, takes, writes):
    """The program, the scratch folder and what it `takes`, the folder for what the bench `writes`."""
    add = parser.add_argument
    add("--kiln", default=os.environ.get("KILN"), help=f"the program [{', else '.join(BUILT)}]")
    add("--scratch", default="/var/tmp/kiln-bench", help=f"{takes} [/var/tmp/kiln-bench]")
    add("--out", default=str(beside), help=f"where {writes} go [beside this file]")


def parse(parser):
    """What was asked: a program that is there, and the scratch folder as a path."""
    asked = parser.parse_args()
    asked.scratch = Path(asked.scratch).absolute()
    candidates = [Path(asked.kiln)] if asked.kiln else [ROOT / built for built in BUILT]
    asked.kiln = next((path.absolute() for path in candidates if path.exists()), None)
    if not asked.kiln:
        parser.error("no kiln: cargo build --release, or --kiln PATH")
    return asked


@contextlib.contextmanager
def workplace(scratch, name):
    """A folder of this run's own, and a stack for what must be done when it ends, however it ends.

    What was put on the stack last is done first; the folder goes after all of it.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the servers are stopped then, too
    os.umask(0o022)
    work = scratch / f"{name}-{os.getpid()}"
    work.mkdir(parents=True)
    os.chmod(scratch, 0o755)  # the servers are another user when this one is root
    with contextlib.ExitStack() as at_end:
        at_end.callback(shutil.rmtree, work, ignore_errors=True)
        yield work, at_end
