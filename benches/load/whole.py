"""Rows a, b, e, f and h: a release in S3 → a sealed druginfo, against a shell script."""

import json
import os
import shutil
from pathlib import Path

import proof
from data import WITHOUT, Release
from rounds import agree, in_turn, ratio, say
from servers import SCRATCH_DATABASE, clean_environment
from watch import busy_share, watch

HERE = Path(__file__).parent
TABLES = ["geographic_locator", "plan_information", "basic_drugs_formulary", "beneficiary_cost",
          "insulin_beneficiary_cost", "excluded_drugs_formulary", "indication_based_coverage", "pharmacy_networks",
          "pricing"]
NETWORK = "pharmacy_networks, network_plan, network_pharmacy, network_terms"


class Whole:
    """Builds of one release, and what the same text is to a script."""

    def __init__(self, asked, root, private, release):
        self.asked, self.root, self.private, self.release = asked, root, private, release
        self.ledger = None

    def run(self, server):
        self.server, self.runs, self.digests = server, [], {}
        contenders = {"kiln": self.kiln, "shell": self.shell, "copy": self.copy}
        seconds = in_turn(contenders, self.asked.rounds, f"a, {server.name}")
        found = {
            "seconds": seconds,
            "ratio_a": ratio(seconds["kiln"], seconds["shell"]), "ratio_b": ratio(seconds["kiln"], seconds["copy"]),
            "rows": {s["source"]: s["counted"] for s in self.ledger["sources"] if s["counted"]},
            "text_bytes": sum(f["bytes"] for s in self.ledger["sources"] for f in s["files"]),
            "zip_bytes": self.release.zip.stat().st_size,
            "stages": [{s["stage"]: s["seconds"] for s in run.ledger["stages"]} for run in self.runs],
            "cpu_seconds": [run.cpu_seconds for run in self.runs],
        }
        if not self.asked.small:
            found["busy"] = self.busy()
            found["sizes"] = self.sizes()
            found["memory"] = self.memory()
        return found

    def kiln(self, no, looked=False):
        """`kiln build`, everything on: its seconds, from the command to its end."""
        server = self.server
        server.clear()
        command = [self.asked.kiln, "--root", self.root, "build", "druginfo", "--json", "--quiet"]
        for source in WITHOUT:
            command += ["--without", source]
        ran = watch(command, server.kiln_env(), server if looked else None)
        ran.ledger = json.loads(ran.output)
        self.runs.append(ran)
        if not ran.ledger["sealed"]:
            raise SystemExit("the build is not sealed")
        digests = {s["source"]: (s["counted"], s["digest"]) for s in ran.ledger["sources"]}
        if self.ledger:
            agree("two builds of one release", digests, self.said)
        self.ledger, self.said = ran.ledger, digests
        if no == 0 and not looked:
            self.prove("kiln", server.builds("druginfo")[0], proof.VIEWS)
        return ran.seconds

    def shell(self, no):
        return self.script(no, "shell", "zip", self.release.zip)

    def copy(self, no):
        return self.script(no, "copy", "text", self.release.text)

    def script(self, no, name, how, source):
        url = self.server.fresh("peer")
        took = watch([HERE / "shell.sh", how, source, url], clean_environment()).seconds
        counts = " union all ".join(f"select '{t}', count(*) from {t}" for t in TABLES)
        rows = dict(row.split("|") for row in self.server.ask(counts, "peer").split("\n"))
        if self.ledger:
            counted = {t: str(self.said[t][0]) for t in TABLES}
            agree(f"rows of kiln and of {name}", counted, rows)
        if no == 0:
            self.prove(name, "peer", {})
        return took

    def prove(self, name, database, views):
        """Digests of CMS's own columns, of every table; they agree with those of the contender before."""
        if not hasattr(self, "columns"):  # CMS's columns with kiln's kinds, from the first build
            self.columns = {t: proof.kinds(self.server, database, proof.VIEWS.get(t, t)) for t in TABLES}
        known = {t: {c: kind for c, kind in self.columns[t].items() if c in cms_columns(t)} for t in TABLES}
        found = {t: proof.digest(self.server, database, views.get(t, t), known[t], t) for t in TABLES}
        for other, theirs in self.digests.items():
            agree(f"tables of {other} and {name}", theirs, found)
        self.digests[name] = found
        say(f"a, {self.server.name}: {name} holds what CMS said ({found['pharmacy_networks']})")

    def busy(self):
        """Row f: one more build, with the backends looked at."""
        self.kiln(0, looked=True)
        ran = self.runs[-1]
        rows = sum(s["counted"] for s in ran.ledger["sources"])
        return {**(busy_share(ran, os.cpu_count() or 1) or {}), "cpu_seconds_a_million_rows": ran.cpu_seconds / rows * 1e6}

    def sizes(self):
        """Row h: bytes a network row as kiln has it, as three keys a row, and as plain typed columns."""
        server, build = self.server, self.server.builds("druginfo")[0]
        rows = self.said["pharmacy_networks"][0]
        total = "select sum(pg_total_relation_size(t)) from unnest('{%s}'::regclass[]) as t"
        main = "select pg_table_size('pharmacy_networks'), pg_indexes_size('pharmacy_networks'), count(*) from pharmacy_networks"
        kiln, table = server.ask(total % NETWORK, build), server.ask(main, build)
        some = server.ask("select plan_key, array_lower(terms_keys, 1) from pharmacy_networks offset 1000 limit 1", build)
        plan, pharmacy = some.split("|")
        look_up = {
            "one": fastest(server, build, f"select terms_keys[{pharmacy}] from pharmacy_networks "
                           f"where plan_key = {plan} and block = {pharmacy} / 256"),
            "all": fastest(server, build, "select * from plan_pharmacy where (contract_id, plan_id, segment_id) = "
                           f"(select contract_id, plan_id, segment_id from network_plan where id = {plan})"),
        }
        keys = self.keys(server, build, plan, pharmacy)
        keys["bytes"] += int(kiln) - sum(int(n) for n in table.split("|")[:2])  # the dictionaries are the same
        server.ask("drop database if exists keys")
        url = server.fresh("peer")
        watch([HERE / "shell.sh", "zip", self.release.zip, url], clean_environment())
        plain = server.ask(total % "pharmacy_networks", "peer")
        return {"rows": rows, "kiln": int(kiln), "kiln_table_key_and_rows": [int(n) for n in table.split("|")],
                "plain": int(plain), "keys": keys, "look_up": look_up}

    def keys(self, server, build, plan, pharmacy):
        """What a row of three numbers a plan and pharmacy would take, with its unique key."""
        server.ask(f"create database keys {SCRATCH_DATABASE}")
        copy = ("copy (select plan_key, terms_key, pharmacy_key from (select plan_key, unnest(terms_keys) as terms_key, "
                "generate_subscripts(terms_keys, 1) as pharmacy_key from pharmacy_networks) as n where terms_key <> 0) "
                "to stdout (format binary)")
        server.ask("create table row (pharmacy_key integer, terms_key integer, plan_key smallint)", "keys")
        into = "copy row (plan_key, terms_key, pharmacy_key) from stdin (format binary)"
        pipe = (f"psql -Xq '{server.at(server.admin, build)}' -c '{copy}' | "
                f"psql -Xq '{server.at(server.admin, 'keys')}' -c '{into}'")
        watch(["bash", "-o", "pipefail", "-c", pipe], clean_environment())
        make = "create unique index row_key on row (plan_key, pharmacy_key) with (fillfactor = 100); analyze row"
        took = watch(["psql", "-Xq", server.at(server.admin, "keys"), "-c", make], clean_environment()).seconds
        look = fastest(server, "keys", f"select terms_key from row where plan_key = {plan} and pharmacy_key = {pharmacy}")
        size = server.ask("select pg_total_relation_size('row')", "keys")
        return {"bytes": int(size), "key_seconds": took, "look_up": look}

    def memory(self):
        """Row e: the most that kiln held, at this size and at a tenth of it."""
        here = max(run.peak_mib for run in self.runs)
        rows = self.asked.rows // 10
        small = Release(self.asked.kiln, self.root, self.private, self.release.folder / "tenth", rows)
        kept, self.ledger = self.ledger, None
        try:
            self.kiln(1)
        finally:
            self.release.land(self.asked.kiln, self.root, self.private)
            shutil.rmtree(small.folder, ignore_errors=True)
        peak = self.runs.pop().peak_mib
        self.ledger = kept
        self.said = {s["source"]: (s["counted"], s["digest"]) for s in kept["sources"]}
        return [{"rows": rows, "mib": peak}, {"rows": self.asked.rows, "mib": here}]


def cms_columns(table):
    """The columns of a table in cms.sql."""
    text = (HERE / "cms.sql").read_text()
    body = text.split(f"create table {table} (\n", 1)[1].split("\n);", 1)[0]
    return {line.split()[0] for line in body.splitlines()}


def fastest(server, database, query):
    """Milliseconds of a query, the best of ten: what it costs once its pages are in memory."""
    times = []
    for _ in range(10):
        plan = server.ask(f"explain (analyze, timing off, summary on) {query}", database)
        line = next(line for line in plan.split("\n") if line.startswith("Execution Time"))
        times.append(float(line.split()[2]))
    return min(times)
