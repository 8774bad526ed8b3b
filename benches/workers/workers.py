"""One build by one process and by several workers: times, CPU, digests. See run.sh."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "load"))

import begin  # noqa: E402  the other bench's modules
import machine  # noqa: E402
from begin import ROOT  # noqa: E402
from rounds import say  # noqa: E402
from servers import Private, run  # noqa: E402

WORKERS = [1, 2, 4]
DIGESTS = "select string_agg(source || ' ' || rows || ' ' || digest, ', ' order by source) from kiln.source"
# Each task was claimed once: nobody did what another had done.
TWICE = "select count(*) from kiln.task where attempt <> 1 and state = 'done'"


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--scale", type=float, default=0.05, help="share of CMS's whole release [0.05]")
    add("--rounds", type=int, default=3, help="how often each is done, in turn [3]")
    begin.add_options(parser, HERE, "server and data; 5 GB at scale 0.05", "RESULT.md and RESULT.json")
    return begin.parse(parser)


def main():
    asked = options()
    with begin.workplace(asked.scratch, "workers") as (work, at_end):
        told = machine.facts(asked.kiln)
        server = Private(asked.kiln, ROOT, work / "home")
        at_end.callback(server.stop)
        result = {"made": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "scale": asked.scale,
                  "machine": told, "settings": server.settings(), **rounds(asked, server)}
        told["load_after"] = machine.load()
    out = Path(asked.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "RESULT.json").write_text(json.dumps(result, indent=1) + "\n")
    (out / "RESULT.md").write_text(markdown(result))
    print((out / "RESULT.md").read_text())


def rounds(asked, server):
    kiln = [asked.kiln, "--root", ROOT]
    env = server.kiln_env()
    run([*kiln, "synth", "druginfo", "--scale", f"{asked.scale:.9f}", "--quiet"], env=env)
    lock = (ROOT / "sql/druginfo/schema.lock").read_text().splitlines()
    version = next(line.split("=")[1].strip() for line in lock if line.startswith("version"))
    run([*kiln, "contract", "set", "druginfo", "--app", "bench", "--accepts", version], env=env)
    # The first reads what the disk has; it is not counted.
    whole(kiln, env)
    digests = server.ask(DIGESTS, "druginfo")
    rows = sum(int(part.split()[1]) for part in digests.split(", "))
    took = {"one process": []} | {f"{count} workers": [] for count in WORKERS}
    for number in range(asked.rounds):
        say(f"round {number + 1}")
        took["one process"].append(measured(lambda: whole(kiln, env)))
        same(server, digests)
        for count in WORKERS:
            took[f"{count} workers"].append(measured(lambda count=count: by_workers(kiln, env, count)))
            same(server, digests)
    return {"rows": rows, "took": took}


def whole(kiln, env):
    run([*kiln, "run", "druginfo", "--full-refresh", "--quiet"], env=env)


def by_workers(kiln, env, count):
    build = run([*kiln, "begin", "druginfo", "--full-refresh"], env=env).strip()
    # As many connections in all as one process has.
    each = {**env, "KILN_CONNECTIONS": str(max(1, (os.cpu_count() or 1) // count))}
    work = [subprocess.Popen([str(word) for word in (*kiln, "work", build, "--quiet")], env=each) for _ in range(count)]
    codes = [worker.wait() for worker in work]
    if any(codes):
        raise SystemExit(f"workers ended with {codes}")
    run([*kiln, "finish", build, "--quiet"], env=env)
    run([*kiln, "swap", "druginfo", "--quiet"], env=env)


def same(server, digests):
    if server.ask(DIGESTS, "druginfo") != digests:
        raise SystemExit("the digests of the sources are others than those of the first build")
    if server.ask(TWICE, "druginfo") != "0":
        raise SystemExit("a task was done twice")


def measured(work):
    cpu, began = machine_cpu(), time.monotonic()
    work()
    return {"seconds": time.monotonic() - began, "cpu_seconds": machine_cpu() - cpu}


def machine_cpu():
    """CPU seconds of the whole machine since it began, without idling and waiting."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _, _, irq, soft = (int(field) for field in fields[:7])
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


def markdown(result):
    millions = result["rows"] / 1e6
    told = result["machine"]
    base = statistics.median(one["cpu_seconds"] for one in result["took"]["one process"])
    lines = [
        "# One build, many processes", "",
        f"Written by `benches/workers/run.sh` on {result['made']}: druginfo at scale {result['scale']:g}, "
        f"{millions:.1f} million rows, from the files; {told['cores']} cores ({told['model']}), {told['kiln']}.",
        "",
        "Medians of the rounds, which were run in turn. Every build has the digests of the first one, and no task was done "
        "twice. CPU is the whole machine's: kiln, Postgres and the S3 endpoint.", "",
        "| | seconds | CPU seconds | CPU seconds a million rows | of one process |", "|---|---|---|---|---|",
    ]
    for name, all_rounds in result["took"].items():
        seconds = statistics.median(one["seconds"] for one in all_rounds)
        cpu = statistics.median(one["cpu_seconds"] for one in all_rounds)
        lines.append(f"| {name} | {seconds:.1f} | {cpu:.1f} | {cpu / millions:.2f} | {cpu / base:.2f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
