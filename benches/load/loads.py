"""Row c: the network's rows, load only: kiln against psql \\copy and other loaders."""

import json
import re

import peers
import proof
from rounds import agree, in_turn, ratio, say
from watch import Failed, watch

TABLE = peers.TABLE


class Loads:
    """kiln loads from the zips in S3, with its checks; the peers from one file of plain text."""

    def __init__(self, asked, root, release, work):
        self.asked, self.root, self.work = asked, root, work
        work.mkdir()
        self.venv = asked.scratch / "venv"
        self.file = work / "network.txt"
        self.rows = release.network(self.file)
        self.slow_file = work / "network_slow.txt"
        self.slow_rows = release.network(self.slow_file, min(asked.slow_rows, self.rows))
        self.columns = None

    def run(self, server):
        self.server, self.walls, self.left_out, self.digests = server, [], {}, {}
        wanted = [name for name in self.asked.peers.split(",") if name in peers.PEERS]
        for name in wanted:
            if not peers.PEERS[name][3](self.venv):
                self.left_out[name] = "not installed"
        fast = {name: self.peer(name, self.file, self.rows)
                for name in wanted if name not in self.left_out and not peers.PEERS[name][2]}
        slow = {name: self.peer(name, self.slow_file, self.slow_rows)
                for name in wanted if name not in self.left_out and peers.PEERS[name][2]}
        where = f"c, {server.name}"
        seconds = in_turn({"kiln": self.kiln, **fast}, self.asked.rounds, where)
        rows = {name: self.rows for name in seconds}
        if slow:
            few = {"psql, as many rows": self.peer("psql", self.slow_file, self.slow_rows), **slow}
            found = in_turn(few, self.asked.rounds, where)
            seconds.update(found)
            rows.update({name: self.slow_rows for name in found})
        return {
            "seconds": seconds, "rows": rows, "left_out": self.left_out, "kiln_command_seconds": self.walls,
            "times_as_fast": {name: times(seconds["kiln"], self.rows, took, rows[name])
                              for name, took in seconds.items() if name != "kiln"},
            "goals": {name: peer[1] for name, peer in peers.PEERS.items()},
        }

    def kiln(self, no):
        """`kiln load`: a trial into a scratch build. The seconds are the source's own, from its first
        byte to the count of what COPY stored, the dictionaries' tables included."""
        server = self.server
        server.clear()
        command = [self.asked.kiln, "--root", self.root, "load", "druginfo", TABLE, "--json", "--quiet"]
        ran = watch(command, server.kiln_env())
        entry = json.loads(ran.output)
        agree("rows of the file and of kiln", self.rows, entry["counted"])
        self.walls.append(ran.seconds)
        return entry["seconds"]

    def peer(self, name, file, rows):
        def once(no):
            if name in self.left_out:
                return None
            url = self.server.fresh("peer")
            task = peers.Task(url, file, self.work / "peer", self.venv)
            try:
                took = peers.load(name, task)
            except Failed as error:
                if self.asked.small:
                    raise SystemExit(str(error)) from error
                self.left_out[name] = str(error).strip().split("\n")[-1][:200]
                say(f"c, {self.server.name}: without {error}")
                return None
            counted = int(self.server.ask(f"select count(*) from {TABLE}", "peer"))
            agree(f"rows of the file and of {name}", rows, counted)
            if no == 0:
                self.prove(name, rows)
            return took
        return once

    def prove(self, name, rows):
        """What a peer loaded is what psql loaded of the same file."""
        if self.columns is None:
            self.columns = kinds_of_cms()
        found = proof.digest(self.server, "peer", TABLE, self.columns, TABLE)
        agree(f"network of psql and of {name}, {rows} rows", self.digests.setdefault(rows, found), found)


def kinds_of_cms():
    """CMS's network columns, with the kinds of kiln's view (cms.sql has text where a full stop may stand)."""
    kinds = {}
    for name, kind in re.findall(r"^ {4}(\w+) +(\w+)", peers.typed_table(), re.M):
        number = kind == "numeric" or (TABLE, name) in proof.FULL_STOPS
        kinds[name] = "number" if number else "flag" if kind == "boolean" else "text"
    return kinds


def times(kiln, kiln_rows, peer, peer_rows):
    """How many times as fast kiln is, a row, in paired rounds."""
    found = ratio(peer, kiln)
    scale = kiln_rows / peer_rows
    return {"median": found["median"] * scale, "min": found["min"] * scale, "max": found["max"] * scale}
