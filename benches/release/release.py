"""Row d of the loader's table: the whole release in one night, and what it took. See run.sh."""

import argparse
import json
import shutil
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "load"))

import begin  # noqa: E402  the other bench's modules
import machine  # noqa: E402
from begin import ROOT  # noqa: E402
from rounds import say  # noqa: E402
from servers import Private, Rds, run  # noqa: E402
from watch import watch  # noqa: E402

GIB = 2**30
NETWORK = "'{pharmacy_networks,network_plan,network_pharmacy,network_terms}'::regclass[]"


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--scale", type=float, default=1.0, help="share of CMS's whole release [1]")
    add("--small-scale", type=float, help="what its speed is compared with; 0: nothing [a hundredth of --scale]")
    add("--server", default="private", choices=["private", "rds-like"], help="[private]")
    begin.add_options(parser, HERE, "servers and data; some 50 GB at scale 1", "RESULT.md and RESULT.json")
    asked = begin.parse(parser)
    asked.small_scale = asked.scale / 100 if asked.small_scale is None else asked.small_scale
    return asked


def main():
    asked = options()
    with begin.workplace(asked.scratch, "release") as (work, at_end):
        server = private = Private(asked.kiln, ROOT, work / "home")
        at_end.callback(private.stop)
        if asked.server == "rds-like":
            server = Rds(private, work / "rds")
            at_end.callback(server.stop)
        result = {"made": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "machine": machine.facts(asked.kiln),
                  "server": server.name, "settings": server.settings(), "nights": []}
        for scale in sorted({asked.small_scale, asked.scale} - {0}):
            result["nights"].append(night(asked, private, server, scale))
            result["machine"]["load_after"] = machine.load()
            write(result, Path(asked.out))
    print((Path(asked.out) / "RESULT.md").read_text())


def night(asked, private, server, scale):
    """Generates a release, lands it, and runs the night on it: everything that it took."""
    kiln = [asked.kiln, "--root", ROOT]
    server.clear()
    shutil.rmtree(private.home / "s3" / "kiln" / "druginfo", ignore_errors=True)
    say(f"scale {scale:g}: generating into the S3 endpoint")
    began = time.monotonic()
    made = json.loads(run([*kiln, "synth", "druginfo", "--scale", f"{scale:.9f}", "--json", "--quiet"],
                          env=private.kiln_env()))
    synth_seconds = time.monotonic() - began
    landed = sum(f.stat().st_size for f in (private.home / "s3" / "kiln" / "druginfo").rglob("*") if f.is_file())
    version = version_of(ROOT / "sql/druginfo/schema.lock")
    environment = server.kiln_env()
    run([*kiln, "contract", "set", "druginfo", "--app", "bench", "--accepts", version], env=environment)
    say(f"scale {scale:g}: the night, {landed / GIB:.2f} GiB of zips")
    data = getattr(server, "data", None) or (private.home / "postgres").resolve()
    wal_before = server.ask("select pg_current_wal_lsn()")
    disk = Disk(data)
    ran = watch([*kiln, "run", "druginfo", "--json", "--quiet"], environment)
    peaks = disk.end()
    ledger = json.loads(ran.output)
    if not ledger["sealed"] or not ledger["promoted"]:
        raise SystemExit(f"the night did not end in a promoted build: {ran.output[-2000:]}")
    rows = {s["source"]: s["counted"] for s in ledger["sources"]}
    ask = lambda sql: server.ask(sql, "druginfo")  # noqa: E731
    took = {
        "scale": scale, "synth_seconds": synth_seconds, "synth": made, "zip_bytes": landed,
        "text_bytes": sum(f["bytes"] for s in ledger["sources"] for f in s["files"]),
        "rows": rows, "seconds": ran.seconds, "cpu_seconds": ran.cpu_seconds, "peak_mib": ran.peak_mib,
        "stages": {s["stage"]: s["seconds"] for s in ledger["stages"]},
        "source_seconds": {s["source"]: s["seconds"] for s in ledger["sources"]},
        "digests": {s["source"]: s["digest"] for s in ledger["sources"]},
        "swap_milliseconds": ledger["promoted"]["milliseconds"],
        "database_bytes": int(ask("select pg_database_size('druginfo')")),
        "network_bytes": int(ask(f"select sum(pg_total_relation_size(t)) from unnest({NETWORK}) as t")),
        "wal_bytes": int(ask(f"select (pg_current_wal_lsn() - '{wal_before}')::bigint")),
        "temp_bytes": int(ask("select temp_bytes from pg_stat_database where datname = 'druginfo'")),
        **peaks,
    }
    # Last, for what it writes to disk is not the night's.
    verified = watch([*kiln, "verify", "druginfo", "--json", "--quiet"], environment)
    # A part goes live and is rolled away from: the gate did not see sealed what it lets back.
    part = json.loads(run([*kiln, "subset", "druginfo", "--percent", "20", "--json", "--quiet"], env=environment))
    run([*kiln, "swap", "druginfo", part["build"], "--quiet"], env=environment)
    back = watch([*kiln, "rollback", "druginfo", "--why", "bench", "--json", "--quiet"], environment)
    return took | {"verify_seconds": verified.seconds, "verify_peak_mib": verified.peak_mib,
                   "rollback_seconds": back.seconds}


class Disk:
    """Looks at a cluster once a second while it is written: the most of WAL, of temporary files, of all."""

    def __init__(self, data):
        self.data, self.over = data, threading.Event()
        self.free = shutil.disk_usage(data).free
        self.most = {"wal_kept_peak_bytes": 0, "temp_peak_bytes": 0, "disk_peak_bytes": 0}
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self):
        while not self.over.wait(1):
            temporary = list(self.data.glob("base/pgsql_tmp/**/*")) + list(self.data.glob("base/*/t[0-9]*"))
            now = {"wal_kept_peak_bytes": size(self.data.glob("pg_wal/*")), "temp_peak_bytes": size(temporary),
                   "disk_peak_bytes": self.free - shutil.disk_usage(self.data).free}
            self.most = {key: max(most, now[key]) for key, most in self.most.items()}

    def end(self):
        self.over.set()
        self.thread.join()
        return self.most


def size(paths):
    """Bytes of these files; those that went away meanwhile count nothing."""
    total = 0
    for path in paths:
        try:
            total += path.stat().st_size
        except OSError:
            pass
    return total


def version_of(lock):
    line = next(line for line in lock.read_text().splitlines() if line.startswith("version"))
    return line.split("=")[1].strip()


def write(result, out):
    out.mkdir(parents=True, exist_ok=True)
    (out / "RESULT.json").write_text(json.dumps(result, indent=1) + "\n")
    (out / "RESULT.md").write_text(markdown(result))


def markdown(result):
    nights, told = result["nights"], result["machine"]
    head = "| | " + " | ".join(f"scale {n['scale']:g}" for n in nights) + " |"
    lines = ["# The whole release in one night", "",
             f"Written by `benches/release/run.sh` on {result['made']}: `kiln run druginfo` on a generated release, "
             f"nothing left out, server {result['server']}. The goals at scale 1 on two cores: 15 minutes, at 0.9 or more of "
             "the rows a second of 3 million network rows; at most 30 s for the gate to look at a build that it did not "
             "see sealed (before a rollback it counts every row and asks its age); at most 90 s for `kiln verify`.", "", head, "|---|" + "---|" * len(nights)]

    def row(name, cell):
        lines.append(f"| {name} | " + " | ".join(cell(n) for n in nights) + " |")

    def per_second(n, seconds):
        return sum(n["rows"].values()) / seconds / 1e6

    row("rows", lambda n: f"{sum(n['rows'].values()):,}")
    row("of them network rows", lambda n: f"{n['rows']['pharmacy_networks']:,}")
    row("zips, GiB", lambda n: f"{n['zip_bytes'] / GIB:.2f}")
    row("text, GiB", lambda n: f"{n['text_bytes'] / GIB:.2f}")
    row("**the night, from the command to its end**", lambda n: f"**{clock(n['seconds'])}**")
    for stage in nights[-1]["stages"]:
        row(f"— {stage}", lambda n, stage=stage: clock(n["stages"].get(stage, 0)))
    row("million rows a second, the night", lambda n: f"{per_second(n, n['seconds']):.3f}")
    row("million rows a second, tasks", lambda n: f"{per_second(n, n['stages']['tasks']):.3f}")
    row("million rows a second, copy to freeze", lambda n: f"{per_second(n, building(n)):.3f}")
    row("kiln's CPU seconds a million rows", lambda n: f"{n['cpu_seconds'] / sum(n['rows'].values()) * 1e6:.2f}")
    row("kiln's peak memory, MiB", lambda n: f"{n['peak_mib']:.0f}")
    row("database, GiB", lambda n: f"{n['database_bytes'] / GIB:.2f}")
    row("network, dictionaries and keys, GiB", lambda n: f"{n['network_bytes'] / GIB:.2f}")
    row("bytes a network row", lambda n: f"{n['network_bytes'] / n['rows']['pharmacy_networks']:.1f}")
    row("WAL written, GiB", lambda n: f"{n['wal_bytes'] / GIB:.2f}")
    row("WAL on disk at most, GiB", lambda n: f"{n['wal_kept_peak_bytes'] / GIB:.2f}")
    row("temporary files written, GiB", lambda n: f"{n['temp_bytes'] / GIB:.2f}")
    row("temporary files at most, GiB", lambda n: f"{n['temp_peak_bytes'] / GIB:.2f}")
    row("disk taken at most, GiB", lambda n: f"{n['disk_peak_bytes'] / GIB:.2f}")
    row("readers wait at the swap, ms", lambda n: f"{n['swap_milliseconds']}")
    row("**`kiln rollback` to it, the gate counting all rows**", lambda n: f"**{clock(n['rollback_seconds'])}**")
    row("**`kiln verify` of the build that is live**", lambda n: f"**{clock(n['verify_seconds'])}**")
    row("its peak memory, MiB", lambda n: f"{n['verify_peak_mib']:.0f}")
    if len(nights) > 1:
        small, large = nights[0], nights[-1]
        lines += ["", "Rows a second at the large scale against the small one: "
                  f"the night {per_second(large, large['seconds']) / per_second(small, small['seconds']):.2f}, "
                  f"tasks {per_second(large, large['stages']['tasks']) / per_second(small, small['stages']['tasks']):.2f}, "
                  f"copy to freeze {per_second(large, building(large)) / per_second(small, building(small)):.2f}."]
    lines += ["", "## Sources", "", "| source | rows | seconds |", "|---|---|---|"]
    last = nights[-1]
    for source, rows in sorted(last["rows"].items(), key=lambda item: -item[1]):
        lines.append(f"| {source} | {rows:,} | {last['source_seconds'][source]:.1f} |")
    lines += ["", f"- {told['cores']} cores, {told['model']}, {told['memory_gib']} GiB, Linux {told['kernel']}; load averages "
              f"before {told['load_before']}, after {told['load_after']}.",
              f"- {told['kiln']}{' (a debug build: its times mean nothing)' if told['debug_build'] else ''}. Generating took "
              + ", ".join(f"{clock(n['synth_seconds'])} at scale {n['scale']:g}" for n in nights) + ".",
              "- Postgres: " + ", ".join(f"{k} {v}" for k, v in result["settings"].items()) + ".",
              "- Disk, WAL and temporary files on disk: looked at once a second. Written: Postgres's own counts.", ""]
    return "\n".join(lines)


def building(n):
    """Seconds of the stages that grow with the rows."""
    return sum(n["stages"].get(stage, 0) for stage in ("tasks",))


def clock(seconds):
    return f"{seconds:.1f} s" if seconds < 120 else f"{int(seconds // 60)} min {seconds % 60:.0f} s"


if __name__ == "__main__":
    main()
