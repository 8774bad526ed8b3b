"""A Postgres server of the soak's own, with Postgres's own settings; it can crash."""

import glob
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from soaking.server import Server
from soaking.told import Wrong, expect


class Cluster:
    """On a socket, and on a network where it is given one (`address` and `network`, as pg_hba.conf has it)."""

    def __init__(self, soak, address="", network=None):
        self.soak, self.process = soak, None
        folder = pathlib.Path(tempfile.mkdtemp(prefix="postgres-", dir=soak.scratch))
        self.folder, self.data = folder, folder / "data"
        self.as_user = {"cwd": folder}
        if os.geteuid() == 0:
            known = {user.pw_name for user in pwd.getpwall()}
            user = next(pwd.getpwnam(name) for name in ("postgres", "nobody") if name in known)
            os.chown(folder, user.pw_uid, user.pw_gid)
            self.as_user.update(user=user.pw_uid, group=user.pw_gid, extra_groups=[])
        with socket.socket() as free:
            free.bind((address or "127.0.0.1", 0))
            self.port = free.getsockname()[1]
        newest = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
        path = os.pathsep.join([*reversed(newest), os.environ["PATH"]])
        initdb, postgres = (shutil.which(program, path=path) for program in ("initdb", "postgres"))
        self.log = open(soak.logs / folder.name, "w")
        command = [initdb, "-D", self.data, "-U", "kiln", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        subprocess.run(command, stdout=self.log, stderr=self.log, check=True, **self.as_user)
        if network:
            with open(self.data / "pg_hba.conf", "a") as hba:
                hba.write(f"host all all {network} trust\n")
        self.command = [postgres, "-D", self.data, "-k", folder, "-p", str(self.port), "-c", f"listen_addresses={address}"]
        self.url = f"postgresql:///postgres?host={folder}&port={self.port}&user=kiln"
        self.over_network = f"postgresql://kiln@{address}:{self.port}/postgres?sslmode=disable"
        soak.undo.append(self.stop)
        self.start()

    def server(self, name, over_network=False, before=()):
        """The server, as a host of this name sees it."""
        return Server(self.soak, self.url, self.soak.host(name, self.over_network if over_network else self.url), before)

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log, **self.as_user)
        server = Server(self.soak, self.url, self.soak.environment)
        until = time.monotonic() + 60
        while True:
            try:
                server.sql("postgres", "select")
                return
            except Wrong:
                expect(time.monotonic() < until, "Postgres does not start")
                time.sleep(0.1)

    def crash(self):
        """Every process of it ends at once, and writes nothing any more; the next start recovers."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGINT)
            self.process.wait()
            self.process = None
