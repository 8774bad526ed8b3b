"""The bench's command: see run.sh. Parts are rows of the table in RESULT.md.

a  zips in S3 → sealed, against shell.sh (with b, e, f and h, which come from the same runs)
c  load only, against other loaders
g  a wide table, a quoted file, a night of small files, against psql
"""

import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import machine
import peers
import report
from data import Release
from loads import Loads
from odd import Odd
from servers import Private, Rds
from whole import Whole

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SMALL_ROWS = 5_000


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--rows", type=int, default=6_000_000, help="network rows (the whole release has 307 million) [6000000]")
    add("--slow-rows", type=int, help="rows for dlt, sling and pgloader [a tenth]")
    add("--rounds", type=int, default=5, help="how often each contender runs, in turn [5]")
    add("--parts", default="acg", help="which of a, c and g to run [acg]")
    add("--servers", help="of rds-like, rds-lz4 (its WAL compressed by lz4 and not by pglz) and private, those wanted "
        "[rds-like,private; with --small rds-like]")
    add("--peers", default=",".join(peers.PEERS), help=f"for part c [{','.join(peers.PEERS)}]")
    add("--pbp", default=os.environ.get("BENCH_PBP"), help="CMS's PBP zip, for a real table of 840 columns [generated]")
    add("--kiln", default=os.environ.get("KILN"), help="the program [target/release/kiln, else target/debug/kiln]")
    add("--scratch", default="/var/tmp/kiln-bench", help="servers, data and peers [/var/tmp/kiln-bench]")
    add("--out", default=str(HERE), help="where RESULT.md, RESULT.json and chart.svg go [beside this file]")
    add("--small", action="store_true", help="few rows, one round, counts and digests only; writes nothing")
    asked = parser.parse_args()
    if asked.small:
        asked.rows, asked.rounds = min(asked.rows, SMALL_ROWS), 1
    asked.servers = asked.servers or ("rds-like" if asked.small else "rds-like,private")
    unknown = set(asked.servers.split(",")) - {"rds-like", "rds-lz4", "private"}
    if unknown:
        parser.error(f"no server {', '.join(sorted(unknown))}: there are rds-like, rds-lz4 and private")
    asked.slow_rows = asked.slow_rows or max(1, asked.rows // 10)
    asked.scratch = Path(asked.scratch).absolute()
    candidates = [asked.kiln] if asked.kiln else [ROOT / "target/release/kiln", ROOT / "target/debug/kiln"]
    asked.kiln = next((Path(c).absolute() for c in candidates if Path(c).exists()), None)
    if not asked.kiln:
        parser.error("no kiln: cargo build --release, or --kiln PATH")
    return asked


def main():
    asked = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the servers are stopped then, too
    venv = asked.scratch / "venv"
    work = asked.scratch / f"run-{os.getpid()}"
    os.umask(0o022)
    work.mkdir(parents=True)
    os.chmod(asked.scratch, 0o755)  # the servers are another user when this one is root
    started = []
    try:
        private = Private(asked.kiln, ROOT, work / "home")
        started.append(private)  # its S3 endpoint serves all of them
        servers = []
        for name in asked.servers.split(","):
            server = private
            if name != "private":
                server = Rds(private, work / name, "lz4" if name == "rds-lz4" else "on")
                started.append(server)
            servers.append(server)
        told = machine.facts(asked.kiln)
        result = {
            "made": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            "machine": told, "peers": peers.versions(venv),
            "options": {k: str(v) if isinstance(v, Path) else v for k, v in vars(asked).items()
                        if k not in ("scratch", "kiln", "out", "pbp")},
            "servers": {server.name: server.settings() for server in servers},
        }
        release = Release(asked.kiln, ROOT, private, work / "release", asked.rows)
        parts = {"a": lambda: Whole(asked, ROOT, private, release), "c": lambda: Loads(asked, ROOT, release, work / "c"),
                 "g": lambda: Odd(asked, private, work / "g")}
        for letter in asked.parts:
            part = parts[letter]()
            result[letter] = {server.name: part.run(server) for server in servers}
            if not asked.small:
                report.write(result, Path(asked.out))
        result["machine"]["load_after"] = machine.load()
    finally:
        for server in reversed(started):
            server.stop()
        shutil.rmtree(work, ignore_errors=True)
    if asked.small:
        print("counts and digests agree: " + ", ".join(f"part {letter}" for letter in asked.parts))
    else:
        report.write(result, Path(asked.out))
        print((Path(asked.out) / "RESULT.md").read_text())


if __name__ == "__main__":
    main()
