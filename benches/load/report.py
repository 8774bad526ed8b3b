"""RESULT.json, and RESULT.md and chart.svg made from it alone:  python3 report.py  makes those two anew."""

import json
import statistics
import sys
from pathlib import Path

import chart

WHAT = {
    "wide": "840 columns, gathered into jsonb as planinfo does, against 840 text columns",
    "wide_columns": "840 columns, each a text column on both sides",
    "quoted": "quoted CSV, typed",
    "small": "200 small files of one table",
}
NOTES = """
## What is compared

- **Rounds**: contenders run one after the other, each round beginning with another one; a ratio is the median of the
  ratios within rounds, its least and largest in parentheses. Before each run all databases are dropped and a
  checkpoint is made, outside of the clock.
- **kiln** runs at its defaults on druginfo's real schema, every check, count and digest on. In `a` and `b` its time is
  that of the command `kiln build druginfo` (database made, zips fetched from S3 over HTTP, loaded, keyed, indexed,
  derived tables made, frozen, analysed, checked, sealed), its five sources of other publishers left out.
- **shell script** (`shell.sh zip`): reads the zip from disk, `unzip -p` into `\\copy … freeze` in the transaction that
  made the table, one psql session, CMS's columns in plain types (`cms.sql`), then `keys.sql`: indexes one by one and
  ANALYZE. It makes no derived tables, checks nothing and keeps no account: what it does less counts for it.
- **bare \\copy** (`shell.sh text`): the same from text extracted before the clock starts, without any index.
- **Load only** (`c`): the network's rows. kiln: the seconds of the source in `kiln load`'s account, from its first byte to
  the count of what COPY stored, unzipping, checking, digests and the dictionaries' tables included; the command around it, which
  makes and drops a database, is in the last column. Peers read one text file, extracted beforehand; adbc, dlt: imports not counted.
  psql, adbc, dlt and pgloader load typed columns; ogr2ogr and sling text, which is what they do right and fastest. Peers
  marked * load fewer rows, and rows a second are compared.
- **The same rows**: counts of every table are compared in every round, and digests of CMS's own columns once a server
  (kiln's through its views); kiln's own digests in every round.
- **Odd files** (`g`): the same seconds of `kiln load` (files fetched from S3, checked, counted, digested) against psql's whole
  run, which reads from disk, in one session and one transaction.
- **Busy** (`f`): from the first COPY to the last, looked at every 50 ms in `pg_stat_activity`: backends that are active and do not
  wait for their client, against the cores that kiln's own CPU left over (rounded down, at least one); and what the whole
  machine's cores worked meanwhile (`/proc/stat`), the S3 server included. Another build than those of `a`, for looking costs
  something.
- **Memory** (`e`): VmHWM of the process of `kiln build`; the S3 endpoint and Postgres are processes of their own.
- **Bytes a row** (`h`): tables, dictionaries and keys by `pg_total_relation_size`. The three keys a row are made from kiln's
  arrays in a database of their own, as kiln had them before it packed rows.
"""


def write(result, out):
    out.mkdir(parents=True, exist_ok=True)
    (out / "RESULT.json").write_text(json.dumps(result, indent=1) + "\n")
    (out / "RESULT.md").write_text(markdown(result))
    (out / "chart.svg").write_text(chart.svg(result))


def markdown(result):
    machine, options = result["machine"], result["options"]
    lines = [
        "# The loader against what else there is", "",
        f"Written by `benches/load/run.sh` on {result['made']}: {options['rows']:,} network rows asked for, "
        f"in c {options['load_rows']:,}, {options['rounds']} rounds. Less is better where a goal says ≤.", "",
        "![Bar chart of the figures below](chart.svg)", "",
        *goals(result), "", *seconds(result), *stages(result), *sizes(result), NOTES.strip(), "",
        "## Machine, versions, settings", "",
        f"- {machine['cores']} cores, {machine['model']}, {machine['memory_gib']} GiB, Linux {machine['kernel']}; "
        f"load averages before {machine['load_before']}, after {machine.get('load_after', 'not yet known')}.",
        f"- {machine['kiln']}{' (a debug build: its times mean nothing)' if machine['debug_build'] else ''}; "
        + "; ".join(f"{name}: {said}" for name, said in result["peers"].items()) + ".",
        *[f"- **{name}**: " + ", ".join(f"{k} {v}" for k, v in told.items()) + "."
          for name, told in result["servers"].items()], "",
    ]
    return "\n".join(lines)


def goals(result):
    """The issue's table, a row a goal, a column a server."""
    servers = list(result["servers"])
    lines = ["| | what | goal | " + " | ".join(servers) + " |", "|---|---|---|" + "---|" * len(servers)]

    def row(letter, what, goal, cell):
        cells = []
        for server in servers:
            try:
                cells.append(cell(server))
            except (KeyError, TypeError):
                cells.append("–")
        if any(said != "–" for said in cells):
            lines.append(f"| {letter} | {what} | {goal} | " + " | ".join(cells) + " |")

    def least(part, key, goal):
        return lambda server: judged(found := result[part][server][key], found["median"] <= goal)

    row("a", "zips in S3 → sealed, kiln / shell script", "≤ 0.33", least("a", "ratio_a", 0.33))
    row("b", "the same, kiln / bare `\\copy` of the text", "≤ 0.8", least("a", "ratio_b", 0.8))
    peers = {name: goal for server in servers for name, goal in result.get("c", {}).get(server, {}).get("goals", {}).items()}
    for name, goal in peers.items():
        def times(server, name=name, goal=goal):
            part = result["c"][server]
            if name in part["left_out"]:
                return "left out"
            found = part["times_as_fast"][name]
            return judged(found, found["median"] >= goal, 1)
        few = "*" if any(result["c"][s]["rows"].get(name) != result["c"][s]["rows"]["kiln"] for s in servers
                         if name in result["c"][s]["rows"]) else ""
        row("c", f"load only, kiln so many times as fast as {name}{few}", f"≥ {goal}", times)
    row("e", "peak memory of kiln, MiB (at a tenth of the rows; at all)", "≤ 256", lambda server: memory(result["a"][server]))
    row("f", "during the load, as many backends busy as cores are left", "≥ 95 %", lambda server: busy(result["a"][server]))
    row("f", "kiln's own CPU seconds a million rows (of all sources)", "written down",
        lambda server: f"{result['a'][server]['busy']['cpu_seconds_a_million_rows']:.2f}")
    for case, what in WHAT.items():
        row("g", f"{what}: kiln / psql", "≤ 1", lambda server, case=case: judged(
            found := result["g"][server][case]["ratio"], found["median"] <= 1))
    row("h", "bytes on disk a network row, key and dictionaries included", "≤ 66", lambda server: per_row(result["a"][server]["sizes"]))
    return lines


def judged(found, good, digits=2):
    return (f"{found['median']:.{digits}f} ({found['min']:.{digits}f}–{found['max']:.{digits}f})"
            f"{', met' if good else ', **missed**'}")


def memory(part):
    peaks = part["memory"]
    said = "; ".join(f"{peak['mib']:.0f}" for peak in peaks)
    return said + (", met" if max(peak["mib"] for peak in peaks) <= 256 else ", **missed**")


def busy(part):
    found = part["busy"]
    shares = ", ".join(f"{n} or more {share:.0%}" for n, share in found["share_by_backends"].items())
    return (f"{found['share']:.0%}{', met' if found['share'] >= 0.95 else ', **missed**'} ({shares}; on average "
            f"{found['mean_busy']:.2f} busy, kiln itself {found['kiln_cores']:.2f} cores; the whole machine "
            f"{found['machine_cores']:.2f} cores)")


def per_row(sizes):
    size = sizes["kiln"] / sizes["rows"]
    table, key = (part / sizes["rows"] for part in sizes["kiln_table_key_and_rows"][:2])
    return f"{size:.1f}{', met' if size <= 66 else ', **missed**'} (table {table:.1f}, key {key:.1f}, dictionaries {size - table - key:.1f})"


def seconds(result):
    """Every contender's seconds."""
    lines = ["## Seconds", "", "| | server | contender | rows | median | least | most | million rows/s | whole command |",
             "|---|---|---|---|---|---|---|---|---|"]

    def add(part, server, name, rows, took, commands=None):
        whole = f"{statistics.median(commands):.2f}" if commands and name == "kiln" else ""
        lines.append(f"| {part} | {server} | {name} | {rows:,} | {took['median']:.2f} | {took['min']:.2f} | "
                     f"{took['max']:.2f} | {rows / took['median'] / 1e6:.3f} | {whole} |")

    names = {"shell": "shell script", "copy": "bare \\copy"}
    for server, part in result.get("a", {}).items():
        rows = sum(part["rows"].values())
        for name, took in part["seconds"].items():
            add("a, b", server, names.get(name, name), rows, took)
    for server, part in result.get("c", {}).items():
        for name, took in part["seconds"].items():
            add("c", server, name, part["rows"][name], took, part["kiln_command_seconds"])
        for name, why in part["left_out"].items():
            lines.append(f"| c | {server} | {name} | | left out: {why.replace('|', '/')} | | | | |")
    for server, part in result.get("g", {}).items():
        for case in WHAT:
            for name, took in part[case]["seconds"].items():
                add(f"g, {case}", server, name, part[case]["rows"], took, part[case]["kiln_command_seconds"])
    if result.get("g"):
        lines += ["", f"The wide table: {next(iter(result['g'].values()))['data']}."]
    return [*lines, ""]


def stages(result):
    """Where a build's time goes."""
    parts = result.get("a", {})
    if not parts:
        return []
    names = list(next(iter(parts.values()))["stages"][0])
    lines = ["## A build's stages", "", "Seconds, medians over the builds; `all` is the whole command.", "",
             "| server | " + " | ".join(names) + " | all | kiln's CPU |", "|---|" + "---|" * (len(names) + 2)]
    for server, part in parts.items():
        medians = [statistics.median(build.get(name, 0) for build in part["stages"]) for name in names]
        lines.append(f"| {server} | " + " | ".join(f"{m:.2f}" for m in medians)
                     + f" | {part['seconds']['kiln']['median']:.2f} | {statistics.median(part['cpu_seconds']):.2f} |")
    return [*lines, ""]


def sizes(result):
    """Row h in full."""
    lines = ["## Bytes a network row", "", "| server | rows | kiln: arrays of terms, dictionaries, key | rows of the table | three keys a row, "
             "dictionaries, key | that key took | plain typed columns and key | one pharmacy of a plan, ms: kiln | three keys | "
             "a plan's pharmacies in CMS's columns, ms: kiln |",
             "|---|---|---|---|---|---|---|---|---|---|"]
    for server, part in result.get("a", {}).items():
        if "sizes" in part:
            s = part["sizes"]
            lines.append(f"| {server} | {s['rows']:,} | {s['kiln'] / s['rows']:.1f} | {s['kiln_table_key_and_rows'][2]:,} | "
                         f"{s['keys']['bytes'] / s['rows']:.1f} | {s['keys']['key_seconds']:.1f} s | {s['plain'] / s['rows']:.1f} | "
                         f"{s['look_up']['one']:.3f} | {s['keys']['look_up']:.3f} | {s['look_up']['all']:.0f} |")
    return [*lines, ""] if len(lines) > 4 else []


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else __file__).absolute()
    folder = folder if folder.is_dir() else folder.parent
    told = json.loads((folder / "RESULT.json").read_text())
    (folder / "RESULT.md").write_text(markdown(told))
    (folder / "chart.svg").write_text(chart.svg(told))
