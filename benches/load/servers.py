"""The two Postgres servers that the bench runs on: kiln's private one, and one set up as on RDS.

Both are started here and stopped at the end. A contender's database is made anew for each run, and
everything on the server is dropped between runs, kiln's history too, so that every build is a first one.
"""

import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

SCRATCH_DATABASE = "template template0 encoding 'UTF8' locale 'C'"

# As a db.m6g.large (2 vCPU, 8 GB) comes: RDS's default parameter group, with durability as it is there.
RDS_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "ssl": "on",
    "ssl_cert_file": "server.pem",
    "ssl_key_file": "server.key",
    "wal_level": "replica",
    "max_wal_senders": "10",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_compression": "on",
    "shared_buffers": "2GB",
    "effective_cache_size": "4GB",
    "maintenance_work_mem": "134MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "5min",
    "checkpoint_completion_target": "0.9",
}

TOLD = [
    "server_version", "shared_buffers", "maintenance_work_mem", "work_mem", "wal_level", "max_wal_senders",
    "fsync", "synchronous_commit", "full_page_writes", "wal_compression", "max_wal_size", "checkpoint_timeout",
    "checkpoint_completion_target", "autovacuum", "max_parallel_maintenance_workers", "ssl",
]


def run(argv, **options):
    """A command that must succeed; its output."""
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, argv))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Server:
    """A server, spoken to as its superuser over its socket (`ask`) and as clients do (`url`)."""

    name = ""
    admin = ""  # the superuser's URL, of database postgres

    def ask(self, sql, database="postgres"):
        return run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", self.at(self.admin, database), "-c", sql]).strip()

    @staticmethod
    def at(url, database):
        return re.sub(r"^(postgres(?:ql)?://[^/]*/)[^?]*", rf"\g<1>{database}", url)

    def url(self, database):
        raise NotImplementedError

    def fresh(self, database):
        """A contender's empty database, nothing else on the server, nothing left to write out."""
        self.clear()
        self.ask(f"create database {database} owner {self.role} {SCRATCH_DATABASE}")
        self.ask("checkpoint")
        return self.url(database)

    def clear(self):
        """Drops what earlier runs left, kiln's history too."""
        names = self.ask("select datname from pg_database where not datistemplate and datname <> 'postgres'")
        for name in names.split():
            self.ask(f'drop database "{name}" with (force)')
        self.ask("checkpoint")

    def builds(self, database):
        """kiln's builds of a database, the last first."""
        found = self.ask(f"select datname from pg_database where datname ~ '^{database}_[0-9]' order by 1 desc")
        return found.split()

    def settings(self):
        rows = self.ask("select name || '=' || current_setting(name) from pg_settings where name = any "
                        "('{" + ",".join(TOLD) + "}') order by 1")
        return dict(row.split("=", 1) for row in rows.split("\n"))


class Private(Server):
    """The server that kiln starts when nothing is configured; its S3 endpoint serves both servers."""

    name = "private"
    role = "kiln"

    def __init__(self, kiln, root, home):
        self.kiln, self.root, self.home = kiln, root, home
        home.mkdir(parents=True)
        said = run([kiln, "--root", root, "up"], env=self.kiln_env())
        self.admin = re.search(r"postgresql://\S+", said).group()
        self.kept = set(os.listdir(home)) | {"log"}

    def url(self, database):
        return self.at(self.admin, database)

    def kiln_env(self):
        return {**clean_environment(), "KILN_HOME": str(self.home)}

    def clear(self):
        super().clear()
        for name in set(os.listdir(self.home)) - self.kept:  # what a build keeps beside the servers
            path = self.home / name
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def s3_env(self):
        """How another kiln reaches the endpoint: the SDK's own variables."""
        keys = json.loads((self.home / "s3.credentials").read_text())
        state = json.loads((self.home / "s3.json").read_text())
        return {
            "AWS_ENDPOINT_URL": state["url"], "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": keys["access_key"],
            "AWS_SECRET_ACCESS_KEY": next(v for k, v in keys.items() if k.startswith("secret")),
            "KILN_S3_URL": f"s3://{state['bucket']}",
        }

    def stop(self):
        subprocess.run([self.kiln, "--root", self.root, "down"], env=self.kiln_env(), capture_output=True)


class Rds(Server):
    """A cluster of the bench's own as RDS runs one: another login than the superuser, TLS, replica WAL."""

    name = "rds-like"
    role = "loader"

    def __init__(self, private, folder, wal_compression="on"):
        self.private, self.folder = private, folder
        if wal_compression != "on":
            self.name = f"{self.name}, {wal_compression}"
        self.owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self.programs = programs()
        self.data = folder / "data"
        folder.mkdir(parents=True)
        self.sockets = Path(tempfile.mkdtemp(prefix="kiln-rds-", dir="/tmp"))
        for path in (folder, self.sockets):
            self.give(path)
        self.as_owner([self.programs / "initdb", "--auth=trust", "--no-locale", "--encoding=UTF8", "-U", "postgres",
                       "-D", self.data])
        self.certify()
        self.port = free_port()
        with open(self.data / "postgresql.conf", "a") as conf:
            for key, value in {**RDS_SETTINGS, "wal_compression": wal_compression, "port": str(self.port),
                               "unix_socket_directories": str(self.sockets)}.items():
                conf.write(f"{key} = '{value}'\n")
        (self.data / "pg_hba.conf").write_text("local all postgres trust\nhostssl all all 127.0.0.1/32 trust\n")
        self.as_owner([self.programs / "pg_ctl", "-s", "-w", "-D", self.data, "-l", self.data / "server.log", "start"],
                      quiet=True)
        self.admin = f"postgresql:///postgres?host={self.sockets}&port={self.port}&user=postgres"
        for sql in ("create role kiln_owner nologin", "create role kiln_app nologin",
                    "create role loader login createdb", "grant kiln_owner, pg_signal_backend to loader"):
            self.ask(sql)

    def give(self, path):
        if self.owner:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def as_owner(self, argv, quiet=False):
        who = {"user": self.owner.pw_uid, "group": self.owner.pw_gid, "extra_groups": []} if self.owner else {}
        if quiet:  # pg_ctl's server would hold the pipes open
            nothing = subprocess.DEVNULL
            subprocess.run([str(a) for a in argv], check=True, stdin=nothing, stdout=nothing, stderr=nothing,
                           cwd="/", **who)
        else:
            run(argv, cwd="/", **who)

    def certify(self):
        """A root of our own, and a certificate of it for this machine."""
        tls = self.folder / "tls"
        tls.mkdir()
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        run(["openssl", "req", "-x509", *curve, "-keyout", tls / "ca.key", "-out", tls / "ca.pem",
             "-subj", "/CN=kiln bench", "-days", "3"])
        run(["openssl", "req", *curve, "-keyout", tls / "server.key", "-out", tls / "server.csr", "-subj", "/CN=localhost"])
        (tls / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        run(["openssl", "x509", "-req", "-in", tls / "server.csr", "-CA", tls / "ca.pem", "-CAkey", tls / "ca.key",
             "-CAcreateserial", "-days", "3", "-extfile", tls / "names", "-out", tls / "server.pem"])
        for name in ("server.pem", "server.key"):
            shutil.copy(tls / name, self.data / name)
            os.chmod(self.data / name, 0o600)
            self.give(self.data / name)
        self.ca = tls / "ca.pem"

    def url(self, database):
        """For clients of libpq: verified, as kiln does always."""
        return (f"postgresql://loader@localhost:{self.port}/{database}"
                f"?sslmode=verify-full&sslrootcert={self.ca}")

    def kiln_env(self):
        home = self.folder / "home"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        return {**clean_environment(), **self.private.s3_env(), "KILN_HOME": str(home),
                "KILN_POSTGRES_URL": f"postgresql://loader@localhost:{self.port}/postgres?sslmode=require",
                "KILN_POSTGRES_CA": str(self.ca)}

    def stop(self):
        self.as_owner([self.programs / "pg_ctl", "-s", "-w", "-m", "fast", "-D", self.data, "stop"], quiet=True)
        shutil.rmtree(self.sockets, ignore_errors=True)


def programs():
    """Where initdb and pg_ctl are: PATH, or Debian's newest."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    if not folders:
        raise SystemExit("no initdb: install postgresql")
    return folders[-1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def clean_environment():
    """This environment without settings that would reach kiln or psql from outside."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("KILN_", "AWS_", "PG"))}
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true"}
