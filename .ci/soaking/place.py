"""Where all happens: a scratch folder, kiln's private servers, generated files, and what one process makes of them."""

import contextlib
import glob
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import zipfile

from soaking.server import DATABASE, Server
from soaking.told import expect, say

PROJECT = pathlib.Path(__file__).resolve().parents[2]
REFUSED = 20  # rows of each file that are made wrong; the sources' budgets have room for them


class Soak:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        kiln = pathlib.Path(os.environ.get("KILN", PROJECT / "target/debug/kiln")).resolve()
        expect(os.access(kiln, os.X_OK), f"no kiln at {kiln}: cargo build, or set KILN")
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="kiln-soak-"))
        self.scratch.chmod(0o755)
        self.logs = self.scratch / "log"
        self.logs.mkdir()
        self.kiln = self.scratch / "kiln-copy"
        shutil.copy(kiln, self.kiln)  # a build meanwhile does not change it
        self.clean = {k: v for k, v in os.environ.items() if not k.startswith(("KILN", "PG", "AWS_"))}
        self.environment = {**self.clean, "KILN_HOME": str(self.scratch / "home")}
        self.processes, self.undo = [], []
        self.true = None

    def servers(self):
        """kiln's private servers. Every host has their S3 endpoint."""
        command = [self.kiln, "up", "--json"]
        up = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True).stdout
        self.undo.append(lambda: subprocess.run([self.kiln, "down", "--quiet"], env=self.environment, check=False))
        told = json.loads(up)
        self.private = Server(self, told["postgres"], self.environment)
        self.s3, self.s3_pid = told["s3"], told["s3_pid"]
        self.s3_port = int(re.search(r":(\d+)$", self.s3).group(1))
        self.bucket = told["bucket"]

    def host(self, name, url):
        """The environment of a host that has nothing of the private servers but the bucket."""
        keys = json.loads((self.scratch / "home/s3.credentials").read_text())
        return {
            **self.clean,
            "KILN_HOME": str(self.scratch / name),
            "KILN_POSTGRES_URL": url,
            "KILN_S3_URL": f"s3://{self.bucket}",
            "AWS_ENDPOINT_URL": self.s3,
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": keys["access_key"],
            "AWS_SECRET_ACCESS_KEY": next(value for key, value in keys.items() if key.startswith("secret")),
        }

    def land(self, scale):
        """Generated files, some rows of which are refused."""
        files = self.scratch / f"files-{scale}"
        self.private.kiln("synth", DATABASE, "--scale", str(scale), "--to", files, "--quiet")
        spoil(next(files.glob("*/NPPES*.zip")), "npidata_pfile_", lambda line: re.sub(rb"^\"\d+", b'"12x', line))
        spoil(next(files.glob("*/ndctext.zip")), "package.txt", lambda line: re.sub(rb"\t(19|20)\d{6}\t", b"\t2026x\t", line))
        self.private.kiln("land", DATABASE, *sorted(glob.glob(f"{files}/{DATABASE}/*")), "--quiet")
        shutil.rmtree(files)

    def accept(self, server):
        lock = (PROJECT / "sql" / DATABASE / "schema.lock").read_text()
        version = re.search(r"^version = (\d+)", lock, re.MULTILINE).group(1)
        server.kiln("contract", "set", DATABASE, "--app", "soak", "--accepts", version, "--quiet")

    def learn(self, server):
        """What one process makes is the truth; how many rows its sources gave."""
        self.accept(server)
        server.kiln("run", DATABASE, "--full-refresh", "--quiet")
        self.true = server.truth(DATABASE)
        rows = sum(int(row[1]) for row in self.true["sources"])
        rejects = len(self.true["rejects"])
        expect(rejects > REFUSED, f"only {rejects} rejects")  # of two files; some of the rows are filtered
        say(f"the truth: {len(self.true['tables'])} tables of {rows} rows of files, {rejects} rejects")
        return rows

    def tear_down(self):
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
                process.wait()
        for undo in reversed(self.undo):
            undo()


def spoil(path, member, change):
    """Makes some lines of a zip's member such that they are refused."""
    with zipfile.ZipFile(path) as old:
        parts = [(info, old.read(info)) for info in old.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        for info, data in parts:
            if info.filename.startswith(member) and "fileheader" not in info.filename:
                lines, changed = data.split(b"\n"), 0
                for at in range(1, len(lines)):
                    line = change(lines[at])
                    if line != lines[at] and changed < REFUSED and at % 7 == 1:
                        lines[at], changed = line, changed + 1
                    elif changed == REFUSED:
                        break
                data = b"\n".join(lines)
            new.writestr(info, data, compress_type=zipfile.ZIP_DEFLATED)
