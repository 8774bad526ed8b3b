"""The bench's command: see run.sh. Parts are rows of the table in RESULT.md.

a  zips in S3 → sealed, against shell.sh (with b, e, f and h, which come from the same runs)
c  load only, against other loaders
g  a wide table, a quoted file, a night of small files, against psql
"""

import argparse
import os
import time
from pathlib import Path

import begin
import machine
import peers
import report
from begin import ROOT
from data import Release
from loads import Loads
from odd import Odd
from servers import Private, Rds
from whole import Whole

HERE = Path(__file__).parent
SMALL_ROWS = 5_000
LOAD_ROWS_MAX = 6_000_000  # the slower peers take a minute for so many


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--rows", type=int, default=30_000_000, help="network rows (the whole release has 307 million) [30000000]")
    add("--load-rows", type=int, help="network rows of part c, and what the rows of g are a share of [--rows, at most 6000000]")
    add("--slow-rows", type=int, help="rows for dlt, sling and pgloader [a tenth of --load-rows]")
    add("--rounds", type=int, default=5, help="how often each contender runs, in turn [5]")
    add("--parts", default="acg", help="which of a, c and g to run [acg]")
    add("--servers", help="of rds-like, rds-lz4 (its WAL compressed by lz4 and not by pglz) and private, those wanted "
        "[rds-like,private; with --small rds-like]")
    add("--peers", default=",".join(peers.PEERS), help=f"for part c [{','.join(peers.PEERS)}]")
    add("--pbp", default=os.environ.get("BENCH_PBP"), help="CMS's PBP zip, for a real table of 840 columns [generated]")
    begin.add_options(parser, HERE, "servers, data and peers", "RESULT.md, RESULT.json and chart.svg")
    add("--small", action="store_true", help="few rows, one round, counts and digests only; writes nothing")
    asked = begin.parse(parser)
    if asked.small:
        asked.rows, asked.rounds = min(asked.rows, SMALL_ROWS), 1
    asked.servers = asked.servers or ("rds-like" if asked.small else "rds-like,private")
    unknown = set(asked.servers.split(",")) - {"rds-like", "rds-lz4", "private"}
    if unknown:
        parser.error(f"no server {', '.join(sorted(unknown))}: there are rds-like, rds-lz4 and private")
    asked.load_rows = asked.load_rows or min(asked.rows, LOAD_ROWS_MAX)
    asked.slow_rows = asked.slow_rows or max(1, asked.load_rows // 10)
    return asked


def main():
    asked = options()
    venv = asked.scratch / "venv"
    with begin.workplace(asked.scratch, "run") as (work, at_end):
        private = Private(asked.kiln, ROOT, work / "home")
        at_end.callback(private.stop)  # its S3 endpoint serves all of them
        servers = []
        for name in asked.servers.split(","):
            server = private
            if name != "private":
                server = Rds(private, work / name, "lz4" if name == "rds-lz4" else "on")
                at_end.callback(server.stop)
            servers.append(server)
        told = machine.facts(asked.kiln)
        result = {
            "made": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            "machine": told, "peers": peers.versions(venv),
            "options": {k: str(v) if isinstance(v, Path) else v for k, v in vars(asked).items()
                        if k not in ("scratch", "kiln", "out", "pbp")},
            "servers": {server.name: server.settings() for server in servers},
        }
        def release(part, rows):
            """Landed, in place of the one before."""
            return Release(asked.kiln, ROOT, private, work / f"release-{part}", rows)

        parts = {"a": lambda: Whole(asked, ROOT, private, release("a", asked.rows)),
                 "c": lambda: Loads(asked, ROOT, release("c", asked.load_rows), work / "c"),
                 "g": lambda: Odd(asked, private, work / "g")}
        for letter in asked.parts:
            part = parts[letter]()
            result[letter] = {server.name: part.run(server) for server in servers}
            if not asked.small:
                report.write(result, Path(asked.out))
        result["machine"]["load_after"] = machine.load()
    if asked.small:
        print("counts and digests agree: " + ", ".join(f"part {letter}" for letter in asked.parts))
    else:
        report.write(result, Path(asked.out))
        print((Path(asked.out) / "RESULT.md").read_text())


if __name__ == "__main__":
    main()
