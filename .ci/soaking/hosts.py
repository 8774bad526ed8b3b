"""One build by one process and by several workers on several hosts: the digests, who did what, and the CPU seconds."""

import collections
import os
import pathlib
import statistics
import time

from soaking import network
from soaking.cluster import Cluster
from soaking.server import DATABASE, Worker, until_ended
from soaking.told import expect, say

WORKERS = (1, 2, 4)
PATIENCE = 3600  # seconds for one build
TICKS = os.sysconf("SC_CLK_TCK")


def hosts(soak):
    options = soak.options
    if not options.hosts:
        return
    if not network.is_there():
        say("hosts: left out; as root, with iproute2")
        return
    net = network.Net(soak, options.hosts)
    cluster = Cluster(soak, net.address, net.network)
    servers = [
        cluster.server(f"host-{number}", over_network=True, before=host.inside)
        for number, host in enumerate(net.hosts, 1)
    ]
    soak.land(options.hosts_scale)
    rows = soak.learn(servers[0])  # it also reads what the disk has; it is not counted
    cores = os.cpu_count() or 1
    took = {"one process": []} | {several(count, "worker"): [] for count in WORKERS}
    connections = dict(zip(took, [cores, *(max(1, cores // count) * count for count in WORKERS)]))
    for _ in range(options.rounds):
        took["one process"].append(one_process(soak, servers[0], cores))
        for count, name in zip(WORKERS, list(took)[1:]):
            took[name].append(by_workers(soak, servers, count, connections[name] // count))
    cluster.stop()
    net.remove()
    table(options, rows, connections, took)


def one_process(soak, server, cores):
    took = Measured(soak)
    server.environment["KILN_CONNECTIONS"] = str(cores)
    with took:
        server.kiln("run", DATABASE, "--full-refresh", "--quiet")
    server.hold(DATABASE, DATABASE, f"one process; {took}")
    return took


def by_workers(soak, servers, count, connections):
    first, took = servers[0], Measured(soak)
    with took:
        build = first.kiln("begin", DATABASE, "--full-refresh", "--quiet")
    first.watch(build)
    at = [servers[number % len(servers)] for number in range(count)]
    with took:
        codes = until_ended([Worker(server, build, connections=connections) for server in at], build, PATIENCE)
    expect(not any(codes), f"{build}: workers ended with {codes}")
    first.unwatch(build)
    with took:
        first.kiln("finish", build)
        first.kiln("swap", DATABASE)
        first.kiln("prune")
    done = collections.Counter(row[0] for row in first.sql(DATABASE, "select worker from kiln.task where kind <> 'check'"))
    expect(first.sql(DATABASE, "select 1 from kiln.task where attempt <> 1 limit 1") == [], f"{build}: a task was done again")
    first.hold(
        build, DATABASE,
        f"{several(count, 'worker')} on {several(min(count, len(servers)), 'host')}; "
        f"{took}; they did {', '.join(map(str, sorted(done.values(), reverse=True)))} tasks",
    )
    return took


class Measured:
    """Seconds, and CPU seconds: those of the soak's own processes (kiln, Postgres, the S3 endpoint), and the machine's.
    Only what is done `with` it counts."""

    def __init__(self, soak):
        self.soak = soak
        self.took = [0.0, 0.0, 0.0]

    def __enter__(self):
        own = settled_cpu(self.soak)
        self.began = time.monotonic(), own, machine_cpu()

    def __exit__(self, *_):
        at, machine = time.monotonic(), machine_cpu()
        ended = at, settled_cpu(self.soak), machine
        self.took = [took + now - began for took, now, began in zip(self.took, ended, self.began)]

    def __str__(self):
        return f"{self.took[0]:.1f} s, {self.took[1]:.1f} CPU s"


def settled_cpu(soak):
    """`own_cpu`, looked at again: a session ends behind its command, and one that ends during a look is not in it."""
    looks = []
    for _ in range(4):
        looks.append(own_cpu(soak))
        time.sleep(0.1)
    return max(looks)


def own_cpu(soak):
    """Of all below this process, and of the S3 endpoint; of those that have ended, as their parents know it."""
    used, below = {}, collections.defaultdict(list)
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue  # it has ended
        # The name stands in parentheses and may hold anything.
        fields = text.rsplit(") ", 1)[1].split()
        pid = int(path.parent.name)
        below[int(fields[1])].append(pid)
        own, ended = sum(map(int, fields[11:13])), sum(map(int, fields[13:15]))
        used[pid] = ended if pid == os.getpid() else own + ended
    total, todo = 0, [os.getpid(), soak.s3_pid]
    while todo:
        pid = todo.pop()
        total += used.get(pid, 0)
        todo += below[pid]
    return total / TICKS


def machine_cpu():
    """CPU seconds of the whole machine since it began, without idling and waiting."""
    fields = pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _, _, irq, soft = (int(field) for field in fields[:7])
    return (user + nice + system + irq + soft) / TICKS


def table(options, rows, connections, took):
    """Medians; nothing passes or fails by them."""
    millions = rows / 1e6
    rounds = f"{several(options.rounds, 'round')} in turn"
    say(f"hosts: {options.hosts} namespaces, {millions:.1f} million rows, {rounds}, medians; the digests are those of the truth")
    print("| | connections in all | seconds | CPU seconds | CPU seconds a million rows | of one process | CPU seconds of the machine |")
    print("|---|---|---|---|---|---|---|")
    base = None
    for name, all_rounds in took.items():
        seconds, own, machine = (statistics.median(numbers) for numbers in zip(*(one.took for one in all_rounds)))
        base = base or own
        numbers = f"{seconds:.1f} | {own:.1f} | {own / millions:.2f} | {own / base:.2f} | {machine:.1f}"
        print(f"| {name} | {connections[name]} | {numbers} |", flush=True)


def several(count, what):
    return f"{count} {what}{'s'[:count > 1]}"
