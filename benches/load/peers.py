"""The peers of row c: each loads the same file of network rows into an empty database.

A function a peer: it gets a `Task` and answers with the seconds that it took, making the table itself
where it can (for that is its fastest way) and filling CMS's typed table where it cannot. The slow ones get
fewer rows; rows a second are compared then.
"""

import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from servers import clean_environment, run
from watch import Failed, watch

HERE = Path(__file__).parent
TABLE = "pharmacy_networks"


@dataclass
class Task:
    """What a peer is to load, and where to."""

    url: str  # libpq's
    file: Path  # network rows under one header, `|` between fields
    folder: Path  # scratch, made anew
    venv: Path


def timed(argv, **environment):
    return watch(argv, {**clean_environment(), **environment}).seconds


def typed_table(table=TABLE):
    """CMS's typed columns of a table, as row a's peer has them."""
    text = (HERE / "cms.sql").read_text()
    return re.search(rf"^create table {table} \(.*?^\);", text, re.M | re.S).group()


def psql(task):
    script = task.folder / "psql.sql"
    copy = f"\\copy {TABLE} from '{task.file}' with (format text, header, delimiter '|', null ' ', freeze)"
    script.write_text(f"begin;\n{typed_table()}\n{copy}\ncommit;\n")
    return timed(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", task.url, "-f", script])


def adbc(task):
    said = watch([task.venv / "bin/python", HERE / "peer_adbc.py", task.file, task.url], clean_environment())
    return float(said.output.split()[-1])


def dlt(task):
    said = watch([task.venv / "bin/python", HERE / "peer_dlt.py", task.file, task.url, task.folder], clean_environment())
    return float(said.output.split()[-1])


def ogr2ogr(task):
    """All columns as text, which is what it makes of them fastest; its serial key cannot be left out.
    GDAL 3.6 does not know `|`, so that it gets tabs, which is done before the clock starts."""
    file = task.file.with_suffix(".csv")
    if not file.exists():
        run(["bash", "-c", f"tr '|' '\\t' <'{task.file}' >'{file}'"])
    parts = parse_url(task.url)
    target = "PG:" + " ".join(f"{key}='{value}'" for key, value in parts.items())
    return timed(["ogr2ogr", "-f", "PostgreSQL", target, file, "-nln", TABLE, "-nlt", "NONE", "-gt", "unlimited",
                  "-oo", "AUTODETECT_TYPE=NO", "--config", "PG_USE_COPY", "YES", "-lco", "LAUNDER=YES"])


def sling(task):
    """All columns as text: left to itself it takes 003 for 3, and types given a column are mixed up."""
    return timed([sling_binary(task.venv), "run", "--src-stream", f"file://{task.file}", "--src-options",
                  "{format: csv, delimiter: '|', header: true, columns: {'*': string}}",
                  "--tgt-conn", "TARGET", "--tgt-object", f"public.{TABLE}", "--mode", "full-refresh",
                  "--tgt-options", "{use_bulk: true, column_casing: lower}"],
                 TARGET=task.url, SLING_DISABLE_TELEMETRY="TRUE", SLING_HOME_DIR=str(task.folder))


def sling_binary(venv):
    return next(venv.glob("lib/python3*/site-packages/sling_linux_*/bin/sling-linux-*"), None)


def pgloader(task):
    parts = parse_url(task.url)
    host = f"unix:{parts['host']}:{parts['port']}" if parts["host"].startswith("/") else f"{parts['host']}:{parts['port']}"
    tls = "" if parts["host"].startswith("/") else "?sslmode=require"
    run(["psql", "-Xq", task.url, "-c", typed_table()])
    names = ", ".join(re.findall(r"^ {4}(\w+) ", typed_table(), re.M))
    script = task.folder / "network.load"
    script.write_text(f"""
load csv from '{task.file}' ({names})
into pgsql://{parts['user']}@{host}/{parts['dbname']}{tls}
target table public.{TABLE} ({names})
with skip header = 1, fields not enclosed, fields terminated by '|', batch rows = 50000, prefetch rows = 100000
set client_encoding to 'utf8', work_mem to '64MB';
""")
    return timed(["pgloader", "--root-dir", task.folder, "--on-error-stop", script],
                 **({"SSL_CERT_FILE": parts["sslrootcert"]} if tls else {}))


def parse_url(url):
    """A URL's parts in libpq's words."""
    split = urlsplit(url)
    parts = {key: values[0] for key, values in parse_qs(split.query).items()}
    parts["dbname"] = split.path.lstrip("/")
    for key, value in (("user", split.username), ("host", split.hostname), ("port", split.port)):
        if value:
            parts[key] = str(value)
    return parts


# name: how, goal (kiln so many times as fast), whether it gets fewer rows, what must be there
PEERS = {
    "psql": (psql, 4, False, lambda venv: shutil.which("psql")),
    "adbc": (adbc, 8, False, lambda venv: next(venv.glob("lib/python3*/site-packages/adbc_driver_postgresql"), None)),
    "ogr2ogr": (ogr2ogr, 12, False, lambda venv: shutil.which("ogr2ogr")),
    "dlt": (dlt, 20, True, lambda venv: next(venv.glob("lib/python3*/site-packages/dlt"), None)),
    "sling": (sling, 30, True, sling_binary),
    "pgloader": (pgloader, 60, True, lambda venv: shutil.which("pgloader")),
}


def versions(venv):
    """What each peer says that it is, for those that are there."""
    def ask(*argv):
        try:
            return run(argv).strip().split("\n")[0]
        except (SystemExit, OSError):
            return "unknown"

    def python(package):
        code = f"import importlib.metadata as m; print(m.version('{package}'))"
        return ask(venv / "bin/python", "-c", code)

    said = {
        "psql": lambda: ask("psql", "--version"),
        "adbc": lambda: f"adbc-driver-postgresql {python('adbc-driver-postgresql')}, pyarrow {python('pyarrow')}",
        "ogr2ogr": lambda: ask("ogr2ogr", "--version"),
        "dlt": lambda: f"dlt {python('dlt')}",
        "sling": lambda: f"sling {ask(sling_binary(venv), '--version').removeprefix('Version: ')}",
        "pgloader": lambda: ask("pgloader", "--version"),
    }
    return {name: said[name]() for name, peer in PEERS.items() if peer[3](venv)}


def load(name, task):
    """Runs a peer in a scratch folder of its own."""
    shutil.rmtree(task.folder, ignore_errors=True)
    task.folder.mkdir(parents=True)
    began = time.monotonic()
    try:
        return PEERS[name][0](task)
    except (Failed, SystemExit) as error:
        raise Failed(f"{name}, after {time.monotonic() - began:.1f} s: {error}") from error
