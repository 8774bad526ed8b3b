"""Hosts that are network namespaces, on a bridge of this host."""

import contextlib
import ctypes
import os
import shutil
import socket
import subprocess
import threading
import time

from soaking.told import expect

CLONE_NEWNET = 0x40000000


def is_there():
    """Whether namespaces can be made."""
    return os.geteuid() == 0 and shutil.which("ip")


class Net:
    """A bridge with this host's address, and hosts on it."""

    def __init__(self, soak, count):
        self.soak = soak
        self.bridge = f"sk{os.getpid()}"
        third = os.getpid() % 250
        self.address, self.network = f"10.213.{third}.1", f"10.213.{third}.0/24"
        self.made = []  # a link of a namespace goes by its name here: a socket in it can outlive the namespace's name
        soak.undo.append(self.remove)
        ip("link", "add", self.bridge, "type", "bridge")
        self.made.append(("link", self.bridge))
        ip("addr", "add", f"{self.address}/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")
        self.hosts = []
        for number in range(1, count + 1):
            self.hosts.append(Host(self, number, f"10.213.{third}.{number + 1}"))

    def remove(self):
        """All of it, once; another net may follow."""
        for kind, name in reversed(self.made):
            ip(kind, "del", name)
        self.made = []


class Host:
    """A network namespace with one link to the bridge, and what kiln needs in it."""

    def __init__(self, net, number, address):
        self.address = address
        self.name = f"{net.bridge}h{number}"
        self.inside = ("ip", "netns", "exec", self.name)
        self.near = f"{net.bridge}n{number}"
        self.far = far = f"{net.bridge}f{number}"
        ip("netns", "add", self.name)
        net.made.append(("netns", self.name))
        ip("link", "add", self.near, "type", "veth", "peer", "name", far, "netns", self.name)
        net.made.append(("link", self.near))
        ip("link", "set", self.near, "master", net.bridge, "up")
        ip("-n", self.name, "addr", "add", f"{address}/24", "dev", far)
        ip("-n", self.name, "link", "set", far, "up")
        ip("-n", self.name, "link", "set", "lo", "up")
        self.is_up = True
        self.forward(net.soak.s3_port)

    def link(self, state):
        self.is_up = state == "up"
        ip("link", "set", self.near, state)

    def slow_down(self, rate):
        """What leaves the host takes its time; without effect where the kernel has no token bucket."""
        shape = ("root", "tbf", "rate", rate, "burst", "64kb", "latency", "400ms")
        subprocess.run(["tc", "-n", self.name, "qdisc", "add", "dev", self.far, *shape], check=False)

    def forward(self, port):
        """The S3 endpoint of this host, at the same address in the namespace; as dead as the link."""
        listener = in_namespace(self.name, lambda: socket.create_server(("127.0.0.1", port)))
        threading.Thread(target=self.accept, args=(listener, port), daemon=True).start()

    def accept(self, listener, port):
        while True:
            inner, _ = listener.accept()
            outer = socket.create_connection(("127.0.0.1", port))
            for one, other in ((inner, outer), (outer, inner)):
                threading.Thread(target=self.pump, args=(one, other), daemon=True).start()

    def pump(self, one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(1 << 20):
                while not self.is_up:
                    time.sleep(0.1)
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


def in_namespace(name, do):
    """Does something in a thread that is in a network namespace; a socket stays there."""
    found = []

    def run():
        with open(f"/run/netns/{name}") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) != 0:
                found.append(OSError(ctypes.get_errno(), "setns"))
                return
        found.append(do())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    expect(found and not isinstance(found[0], OSError), f"no socket in the namespace: {found}")
    return found[0]
