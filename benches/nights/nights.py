"""Successive nights of druginfo, their plans, their times, and whether they did as planned. See run.sh."""

import argparse
import json
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
from watch import watch  # noqa: E402

POINTS = 40  # of a night's time left, or up to twice as many
PROMISE = 5  # seconds of a night in which nothing changed; told, not judged


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--scale", type=float, default=0.01, help="share of CMS's whole release [0.01]")
    add("--changed", default="pricing", metavar="SOURCE", help="the source that changes [pricing]")
    begin.add_options(parser, HERE, "server and data; 1 GB at scale 0.01", "RESULT.md and RESULT.json")
    return begin.parse(parser)


def main():
    asked = options()
    with begin.workplace(asked.scratch, "nights") as (work, at_end):
        told = machine.facts(asked.kiln)
        server = Private(asked.kiln, ROOT, work / "home")
        at_end.callback(server.stop)
        result = {"made": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "scale": asked.scale,
                  "changed": asked.changed, "machine": told, "settings": server.settings(),
                  "nights": nights(asked, server)}
        told["load_after"] = machine.load()
    check(result["nights"], asked.changed)
    out = Path(asked.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "RESULT.md").write_text(markdown(result))
    for night in result["nights"]:
        del night["ledger"]
        night["off"] = off(night)
        night["time_left"] = thinned(night["time_left"])
    (out / "RESULT.json").write_text(json.dumps(result, indent=1) + "\n")
    say(f"wrote {out / 'RESULT.md'}")


def nights(asked, server):
    """All nights, one after another: each is landed, planned and run."""
    changed = asked.changed
    version = next(line.split("=")[1].strip() for line in (ROOT / "sql/druginfo/schema.lock").read_text().splitlines()
                   if line.startswith("version"))
    kiln(asked, server, "contract", "set", "druginfo", "--app", "bench", "--accepts", version)
    return [
        night(asked, server, "the first", []),
        night(asked, server, f"{changed} changed", [changed]),
        night(asked, server, "nothing changed", [changed, "nothing"]),
        night(asked, server, f"{changed} changed again", [changed, "nothing", changed]),
        night(asked, server, "and once more", [changed, "nothing", changed, changed]),
        night(asked, server, "the same, --full-refresh", None, "--full-refresh"),
        night(asked, server, "once more, --full-refresh", None, "--full-refresh"),
    ]


def kiln(asked, server, *words):
    return run([asked.kiln, "--root", ROOT, *words], env=server.kiln_env())


def night(asked, server, name, then, *anew):
    """`then` is what changed in each night up to this one; None where nothing new is landed."""
    say(name)
    landed = "Nothing was landed since."
    if then is not None:
        after = [word for only in then for word in ("--then", only)]
        said = kiln(asked, server, "synth", "druginfo", "--scale", f"{asked.scale:.9f}", *after)
        # The last line says what changed; of the first release there is nothing to say.
        landed = said.strip().splitlines()[-1] + "." if then else "Generated: the first release."
    plan = kiln(asked, server, "plan", "druginfo", *anew)
    planned = json.loads(kiln(asked, server, "plan", "druginfo", "--json", *anew))
    print(f"\n{landed}\n{plan}", flush=True)
    environment = {**server.kiln_env(), "KILN_LOG": "info,kiln::progress=debug"}
    ran = watch([asked.kiln, "--root", ROOT, "run", "druginfo", "--json", "--quiet", *anew], environment)
    ledger = json.loads(ran.output)
    stages = {stage["stage"]: stage["seconds"] for stage in ledger["stages"]}
    seen = standing(server.home, ledger.get("run"))
    print("  ".join(f"{stage} {seconds:.2f} s" for stage, seconds in stages.items()) or ledger["nothing_to_do"])
    print(f"in all {ran.seconds:.2f} s\n", flush=True)
    return {
        "name": name, "landed": landed, "plan": plan.rstrip(), "build": ledger["build"],
        "actions": {line["source"]: line["action"] for line in planned["sources"]},
        "nothing_to_do": ledger.get("nothing_to_do"), "seconds": ran.seconds, "cpu_seconds": ran.cpu_seconds,
        "peak_mib": ran.peak_mib, "stages": stages,
        "swap_milliseconds": ledger["promoted"]["milliseconds"] if ledger["promoted"] else None,
        "time_left": time_left(seen), "ledger": ledger,
        "sources": {source["source"]: {
            "rows": source["counted"], "digest": source["digest"], "seconds": source["seconds"],
            "reused": source["reused"]["build"] if source.get("reused") else None,
        } for source in ledger["sources"]},
    }


def standing(home, run):
    """What the night's log has of how far it was."""
    lines = [json.loads(line) for log in sorted((home / "log").glob("*.jsonl")) for line in log.read_text().splitlines()]
    return [line for line in lines if line.get("message") == "standing" and line["run"] == run]


def thinned(points):
    every = max(1, len(points) // POINTS)
    return points[:-1:every] + points[-1:]


def time_left(seen):
    """What the night said of its own time left: seconds since it began, seconds left."""
    return [[line["elapsed"], line["left"]] for line in seen]


def check(found, changed):
    """What must hold whatever the clock says."""
    first, second, idle, again, third, anew, once_more = found

    def must(truth, words):
        if not truth:
            raise SystemExit(f"this must not be: {words}")

    def content(of, source):
        return of["sources"][source]["rows"], of["sources"][source]["digest"]

    every = set(first["sources"])
    must(every and changed in every, f"the first night has no source {changed}")
    for of in (first, second, again, third, anew, once_more):
        must(set(of["sources"]) == every, f"{of['name']}: other sources than the first night")
        done = {source: "reuse" if entry["reused"] else "load" for source, entry in of["sources"].items()}
        must(done == of["actions"], f"{of['name']}: planned {of['actions']}, done {done}")
        loaded = {source for source, action in done.items() if action == "load"}
        wanted = every if of in (first, anew, once_more) else {changed}
        must(loaded == wanted, f"{of['name']}: loaded {sorted(loaded)}, not {sorted(wanted)}")
        for source in every - {changed}:
            must(content(of, source) == content(first, source),
                 f"{of['name']}: {source} has {content(of, source)}, the first night {content(first, source)}")
    must(len({content(of, changed) for of in (first, second, again, third)}) == 4, f"{changed} did not change")
    must(content(third, changed) == content(anew, changed), f"{changed}: --full-refresh gives other rows")
    must(idle["nothing_to_do"] and idle["build"] == second["build"] and not idle["sources"],
         f"a night in which nothing changed did something: {idle}")
    must(set(idle["actions"].values()) == {"skip"}, f"nothing changed, and the plan was {idle['actions']}")


def markdown(result):
    found, told, changed = result["nights"], result["machine"], result["changed"]
    lines = ["# Nights one after another", "",
             f"Written by `benches/nights/run.sh` on {result['made']}: `kiln run druginfo` on generated releases "
             f"(`kiln synth druginfo --scale {result['scale']:g}`, then `--then {changed}` and so on), each posted a day "
             "after the one before. What was copied has the digests and counts of the first night, and every "
             "night did what its plan had said: the bench fails otherwise.", "",
             "| | " + " | ".join(night["name"] for night in found) + " |", "|---|" + "---|" * len(found)]

    def row(name, cell, having="name"):
        lines.append(f"| {name} | " + " | ".join(cell(night) for night in found if night[having]) + " |")

    def rows(night, reused):
        return sum(entry["rows"] for entry in night["sources"].values() if bool(entry["reused"]) is reused)

    row("**the night, seconds from the command to its end**", lambda night: f"**{night['seconds']:.2f}**")
    for stage in found[0]["stages"]:
        row(f"— {stage}", lambda night, stage=stage: seconds(night["stages"].get(stage)))
    row("— before and between them", lambda night: seconds(night["seconds"] - sum(night["stages"].values())))
    row("rows loaded", lambda night: f"{rows(night, False):,}")
    row("rows copied", lambda night: f"{rows(night, True):,}")
    row(f"{changed}, seconds", lambda night: source_seconds(night, changed))
    largest = max((name for name in found[0]["sources"] if name != changed),
                  key=lambda name: found[0]["sources"][name]["rows"])
    row(f"{largest}, seconds", lambda night: source_seconds(night, largest))
    row("kiln's CPU seconds", lambda night: f"{night['cpu_seconds']:.2f}")
    row("kiln's peak memory, MiB", lambda night: f"{night['peak_mib']:.0f}")
    row("readers wait at the swap, ms", lambda night: str(night["swap_milliseconds"] or "–"))
    idle = next(night for night in found if night["nothing_to_do"])
    kept = "kept" if idle["seconds"] <= PROMISE else "not kept"
    lines += ["", f"The promise that a night in which nothing changed ends in {PROMISE} seconds: {kept} ({idle['seconds']:.2f})."]
    lines += ["", "## Time left", "", "What each night said was left of it when so much of it was over, in brackets what "
              "then came, in seconds; the first has no night before it to go by.", "",
              "| over | " + " | ".join(night["name"] for night in found if night["time_left"]) + " |",
              "|---|" + "---|" * sum(bool(night["time_left"]) for night in found)]
    for tenth in range(1, 10):
        row(f"{tenth} tenth" + "s" * (tenth > 1), lambda night, tenth=tenth: at(night, tenth / 10), "time_left")
    row("off by more than a fifth, of all moments after the first tenth", off, "time_left")
    for night in found:
        lines += ["", f"## {night['name'][0].upper()}{night['name'][1:]}", "", night["landed"], "", "```", night["plan"], "```"]
        if night["nothing_to_do"]:
            lines += ["", f"The night said: nothing to do: {night['nothing_to_do']}."]
    lines += ["", "## Where", "",
              f"- {told['cores']} cores, {told['model']}, {told['memory_gib']} GiB, Linux {told['kernel']}; load averages "
              f"before {told['load_before']}, after {told['load_after']}.",
              f"- {told['kiln']}{' (a debug build: its times mean nothing)' if told['debug_build'] else ''}.",
              "- Postgres: " + ", ".join(f"{key} {value}" for key, value in result["settings"].items()) + ".", ""]
    return "\n".join(lines)


def moments(night):
    """The share of the night that was over, what was said to be left, and what came."""
    whole = sum(night["stages"].values())
    return [(elapsed / whole, left, whole - elapsed) for elapsed, left in night["time_left"] if elapsed < whole]


def at(night, share):
    moment = next((moment for moment in moments(night) if moment[0] >= share), None)
    return f"{moment[1]:.1f} ({moment[2]:.1f})" if moment else "–"


def off(night):
    """Of the last moments a fifth is less than a stage's own chance: two hundredths of the night are allowed."""
    whole = sum(night["stages"].values())
    after = [moment for moment in moments(night) if moment[0] >= 0.1]
    wrong = [left for _, left, came in after if abs(left - came) > max(0.2 * came, 0.02 * whole)]
    return f"{len(wrong)} of {len(after)}"


def seconds(found):
    return "–" if found is None else f"{found:.2f}"


def source_seconds(night, source):
    entry = night["sources"].get(source)
    if not entry:
        return "–"
    return f"{entry['seconds']:.2f}, {'copied' if entry['reused'] else 'loaded'}"


main()
