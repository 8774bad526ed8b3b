"""The data: a generated Part D release of the wanted size, and the files of row g."""

import csv
import io
import random
import subprocess
import zipfile
from pathlib import Path

from servers import run

# Network rows of the whole release (`kiln synth --scale 1`), which a scale is a share of.
NETWORK_ROWS = 307_272_000
# Sources that other publishers than CMS's Part D release feed.
WITHOUT = ["landscape", "ndc_product", "ndc_package", "nppes_pharmacy", "ssa_fips_county", "zip_county"]


class Release:
    """A landed release: its zip, its text extracted below `text`, and the network's rows as one file."""

    def __init__(self, kiln, root, server, folder, rows):
        self.folder, self.rows = folder, rows
        scale = min(1.0, rows / NETWORK_ROWS)
        run([kiln, "--root", root, "synth", "druginfo", "--quiet", "--scale", f"{scale:.9f}", "--to", folder],
            env=server.kiln_env())
        self.zip = next(Path(folder, "druginfo").glob("SPUF_*.zip"))
        self.text = Path(folder, "text")
        self.extract()
        self.land(kiln, root, server)

    def land(self, kiln, root, server):
        """Into the S3 endpoint, in place of what landed before."""
        for old in Path(server.home, "s3", "kiln", "druginfo").glob("*/SPUF_*"):
            old.unlink()
        run([kiln, "--root", root, "land", "druginfo", self.zip], env=server.kiln_env())

    def extract(self):
        """The text of every member; the inner zips are not kept."""
        self.text.mkdir()
        with zipfile.ZipFile(self.zip) as outer:
            for name in outer.namelist():
                with outer.open(name) as packed, zipfile.ZipFile(io.BytesIO(packed.read())) as inner:
                    inner.extractall(self.text)

    def network(self, path, rows=None):
        """The network's parts as one file under one header; the number of its rows."""
        parts = sorted(self.text.glob("pharmacy networks*"))
        limit = f"| head -n {rows + 1}" if rows else ""
        joined = " ".join(f"<(tail -n +2 '{part}')" for part in parts[1:])
        # head ends the pipe early, which is no failure
        subprocess.run(["bash", "-c", f"cat '{parts[0]}' {joined} {limit} >'{path}'"], check=True)
        with open(path, "rb") as lines:
            return sum(1 for _ in lines) - 1


def wide(path, rows, real=None):
    """A PBP table of 840 columns, most of them empty; a real one's lines over and over where one is given.

    Returns what was made of it, in words, and the header.
    """
    if real:
        with zipfile.ZipFile(real) as source:
            member = max(source.namelist(), key=lambda name: width(source, name))
            lines = source.read(member).decode("cp1252", "replace").splitlines()
        header, body = lines[0], lines[1:]
        said = f"CMS's own {member}, its {len(body)} rows over and over"
    else:
        draw = random.Random(840)
        names = ["pbp_a_hnumber", "pbp_a_plan_identifier", "segment_id"]
        names += [f"pbp_b{i // 40 + 1}_field_{i}_yn" for i in range(837)]
        header, body = "\t".join(names), []
        for no in range(700):
            values = [draw.choice(WIDE_TEXTS) if draw.random() < 1 / 27 else "" for _ in range(837)]
            body.append("\t".join([f"H{no:04}", f"{no % 900:03}", "0", *values]))
        said = "generated: 840 columns, one field in 27 filled, as in CMS's own of 2026"
    with open(path, "w", encoding="cp1252", errors="replace", newline="\n") as out:
        out.write(header + "\n")
        for no in range(rows):
            out.write(body[no % len(body)] + "\n")
    return said, header.split("\t")


# The shapes of text in it.
WIDE_TEXTS = ["1", "2", "01", "0.00", "10.00", "7a;7j;", "7d;7e1;7e2;7f;7h1;7h2;7j;8a1;", "00000000001000", "Package 1"]


def width(archive, name):
    with archive.open(name) as member:
        return member.readline().count(b"\t") if name.endswith(".txt") else 0


def quoted(path, rows):
    """A comma-separated file whose names and notes need quotes, some with quotes and line ends inside."""
    draw = random.Random(10)
    with open(path, "w", newline="") as out:
        write = csv.writer(out, lineterminator="\n").writerow
        write(QUOTED)
        for no in range(rows):
            name = f"Plan {no % 977}, \"{draw.choice(['Gold', 'Silver', 'Choice'])}\" (HMO)"
            note = draw.choice(["", "in network, see note", "deductible \"waived\"", "two lines\nof it", "none"])
            write([f"H{no % 7000:04}", f"{no % 900:03}", name, draw.choice(["CA", "NY", "PR"]), no % 5,
                   f"{no % 20000 / 100:.2f}", draw.choice(["Y", "N"]), note])


QUOTED = ["contract_id", "plan_id", "plan_name", "state", "tier", "premium", "snp", "note"]


def small(folder, files, rows):
    """Many small files of one family, as an interval's county reports come."""
    folder.mkdir(parents=True)
    for file in range(files):
        with open(folder / f"county_{file:03}.csv", "w", newline="") as out:
            write = csv.writer(out, lineterminator="\n").writerow
            write(["county", "contract_id", "plan_id", "enrolled"])
            for no in range(rows):
                write([f"{file:05}", f"H{no % 7000:04}", f"{no % 900:03}", (no * 7919 + file) % 5000])
    return sorted(folder.iterdir())
