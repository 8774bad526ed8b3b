"""What may happen to workers: they are killed, stopped and cut off, and Postgres crashes under them."""

import collections
import signal
import statistics
import time

from soaking import network
from soaking.cluster import Cluster
from soaking.server import Worker, until_ended
from soaking.told import Wrong, expect, say

PATIENCE = 600  # seconds for one build
TIME_LIMIT = 10  # seconds, of the workers that are stopped
# What becomes of a worker that is stopped: the keys are what is printed, the values which of its sessions are ended.
STOPPED = {
    "woken when another had its task, all its sessions ended": "",
    "woken when another had its task, its sessions in the build ended": "and datname <> 'kiln'",
    "woken after a while": None,
    "killed at its time limit, never woken": None,
    "woken after its time limit": None,
}


class Waits:
    """How long tasks waited that had lost their worker."""

    def __init__(self, soak):
        self.limit = soak.options.limit
        self.waits = []  # seconds, task, and whether nobody else was killed meanwhile
        self.moments = []  # when workers were killed

    def measure(self, server, build, lost):
        """Of the tasks of a build that may have lost their workers; how many did."""
        count = 0
        for task, at in lost:
            again = server.next_claim(build, task)
            if again is not None:  # else its commit was on its way
                count += 1
                is_alone = not any(at < moment < again for moment in self.moments)
                self.waits.append((again - at, task[0], is_alone))
        return count

    def result(self, what, count):
        if not self.waits:
            say(f"{what}: {count}; no task lost its worker")
            return
        say(f"{what}: {count}; tasks that lost their worker waited")
        for title, waits in (
            ("all", self.waits),
            ("while no other was killed", [wait for wait in self.waits if wait[2]]),
        ):
            if waits:
                seconds, name, _ = max(waits)
                median = statistics.median(wait[0] for wait in waits)
                say(f"  {title}: {len(waits)}; {median:.2f} s (median), {seconds:.2f} s at most ({name})")
        late = [wait for wait in self.waits if wait[2] and wait[0] > self.limit]
        expect(not late, f"waited above {self.limit} s: {late}")


def moment(soak):
    return soak.random.uniform(0.02, 2 * soak.options.every)


def kills(soak):
    if not soak.options.kills:
        return
    options, server, killed = soak.options, soak.private, 0
    waits = Waits(soak)
    while killed < options.kills:
        build = server.begin()
        workers, lost, here = [], [], 0
        until = time.monotonic() + PATIENCE
        due = time.monotonic() + moment(soak)
        restarts = [0.0] * options.workers  # when the next ones start
        while True:
            expect(time.monotonic() < until, f"{build} is not done in {PATIENCE} s")
            done = server.is_done(build)
            workers = [worker for worker in workers if not worker.ended()]
            if done and not workers:
                break
            while not done and restarts and restarts[0] <= time.monotonic():
                restarts.pop(0)
                workers.append(Worker(server, build))
            missing = options.workers - len(workers) - len(restarts)
            restarts += [time.monotonic() + soak.random.uniform(0, 0.5) for _ in range(missing)]
            restarts.sort()
            can_kill = killed < options.kills and here < options.each
            if can_kill and not done and workers and time.monotonic() >= due:
                worker = soak.random.choice(workers)
                at = worker.kill()
                waits.moments.append(at)
                killed, here = killed + 1, here + 1
                task = server.task_of(build, worker.pid)
                if task:
                    lost.append((task, at))
                due = time.monotonic() + moment(soak)
            time.sleep(0.02)
        with_task = waits.measure(server, build, lost)
        server.finish(build, f"{here} kills, {with_task} of them cost an attempt")
    waits.result("kills", killed)


class Stops:
    """One build, workers of which are stopped."""

    def __init__(self, soak, waits):
        self.soak, self.server, self.waits = soak, soak.private, waits
        self.build = self.server.begin()
        self.workers, self.lost = [], []

    def tend(self):
        """As many workers as there are to be, until all is done; whether it is, and all have ended."""
        done = self.server.is_done(self.build)
        self.workers = [worker for worker in self.workers if not worker.ended()]
        while not done and len(self.workers) < self.soak.options.workers:
            # 12: its sessions were ended.
            limit = ("--time-limit", f"{TIME_LIMIT}s")
            self.workers.append(Worker(self.server, self.build, wrong=(12,), arguments=limit))
        return done and not self.workers

    def wait(self, seconds, is_over=lambda: False):
        """Waits while others work; whether something was so before the time was over."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if is_over():
                return True
            self.tend()
            time.sleep(min(0.1, max(0.0, until - time.monotonic())))
        return False

    def stop(self, fate):
        """Stops a worker that has a task; what came of it, or nothing where none was found."""
        worker = self.soak.random.choice(self.workers)
        worker.process.send_signal(signal.SIGSTOP)
        task = self.server.task_of(self.build, worker.pid)
        if task is None:
            worker.process.send_signal(signal.SIGCONT)
            return None
        sessions = STOPPED[fate]
        if sessions is not None and worker.sessions(sessions):
            self.lost.append((task, time.time()))
            self.wait(self.soak.options.limit, lambda: self.server.next_claim(self.build, task))
            # Late enough, at times, that the other has done it.
            self.wait(self.soak.random.uniform(0, 3))
        elif "time limit" in fate:
            self.wait(worker.began + TIME_LIMIT + 1 - time.monotonic())
        else:
            self.wait(self.soak.random.uniform(0.5, 3))
        if fate.startswith("killed"):
            at = worker.kill()
            self.waits.moments.append(at)
            self.lost.append((task, at))
            return fate
        worker.process.send_signal(signal.SIGCONT)
        if "time limit" in fate:
            until_ended([worker], self.build, PATIENCE)
            return f"{fate}: it ended with {worker.process.returncode}"
        return fate


def stops(soak):
    if not soak.options.stops:
        return
    waits, fates, stopped = Waits(soak), collections.Counter(), 0
    while stopped < soak.options.stops:
        one, here = Stops(soak, waits), 0
        until = time.monotonic() + PATIENCE
        while not one.tend():
            expect(time.monotonic() < until, f"{one.build} is not done in {PATIENCE} s")
            time.sleep(moment(soak))
            if stopped >= soak.options.stops or one.tend() or not one.workers:
                continue
            came = one.stop(list(STOPPED)[stopped % len(STOPPED)])
            if came:
                fates[came] += 1
                stopped, here = stopped + 1, here + 1
        waits.measure(one.server, one.build, one.lost)
        one.server.finish(one.build, f"{here} stops")
    waits.result("stops", stopped)
    for fate, count in fates.items():
        say(f"  {count} {fate}")


def cuts(soak):
    if not soak.options.cuts:
        return
    if not network.is_there():
        say("cuts: left out; as root, with iproute2")
        return
    net = network.Net(soak, 2)
    far_host, near_host = net.hosts
    far_host.slow_down("20mbit")  # else a COPY can be over before its link goes down
    cluster = Cluster(soak, net.address, net.network)
    far_server = cluster.server("far", over_network=True, before=far_host.inside)
    server = cluster.server("near", over_network=True, before=near_host.inside)
    soak.accept(server)
    waits, cut, misses = Waits(soak), 0, 0
    while cut < soak.options.cuts:
        build = server.begin()
        source = "rows:" + ("nppes_pharmacy", "pharmacy_networks", "pricing")[cut % 3]
        far = Worker(far_server, build, wrong=(12,), arguments=("--task", source))
        task = in_copy(soak, server, build, far, source, far_host.address)
        far_host.link("down")
        at = time.time()
        until_ended([Worker(server, build) for _ in range(2)], build, PATIENCE)
        expect(server.is_done(build), f"{build}: workers have ended, and tasks are left")
        was_lost = waits.measure(server, build, [(task, at)])
        far_host.link("up")  # what it wakes up with must come to nothing
        until = time.monotonic() + 60
        while not far.ended() and time.monotonic() < until:
            time.sleep(0.1)
        code = far.process.poll()
        if code is None:
            far.kill()
        far_end = f"it ended with {code}" if code is not None else "it had not ended 60 s later"
        if was_lost:
            cut += 1
            expect(code != 0, "the worker that was cut off says that all is well")
            server.finish(build, f"cut off in {source}; {far_end} when the link was back")
        else:
            misses += 1
            expect(misses < 10, "sources are done before a link can go down; a larger --scale")
            server.finish(build, f"cut off behind the commit of {source}, which is not counted; {far_end} when the link was back")
    cluster.stop()
    net.remove()
    waits.result("cuts", soak.options.cuts)


def in_copy(soak, server, build, worker, source, address):
    """Waits until a worker is in the middle of a COPY."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        rows = server.sql("postgres", f"""select p.bytes_processed from pg_stat_progress_copy p
            join pg_stat_activity a using (pid) where p.datname = '{build}' and a.client_addr = '{address}'
            and p.bytes_processed > 0""")
        task = server.task_of(build, worker.pid)
        if rows and task:
            time.sleep(soak.random.uniform(0, 0.3))
            return task
        expect(not worker.ended(), f"{source} was done before its link could go down; a larger --scale")
        time.sleep(0.02)
    raise Wrong(f"{source} is not in COPY after 60 s")


def crashes(soak):
    if not soak.options.crashes:
        return
    cluster = Cluster(soak)
    server = cluster.server("crashed")
    soak.accept(server)
    for _ in range(soak.options.crashes):
        build = server.begin()
        tasks = len(server.in_state(build, "waiting"))
        # 12: Postgres is away.
        workers = [Worker(server, build, wrong=(12,)) for _ in range(soak.options.workers)]
        share, until = soak.random.uniform(0, 0.8), time.monotonic() + PATIENCE
        while len(before := server.in_state(build, "done")) < share * tasks or not server.in_state(build, "running"):
            expect(len(before) < tasks, f"{build} was done before the crash; a larger --scale")
            expect(time.monotonic() < until, f"{build}: it did not come to {share:.2f} of the tasks")
        cluster.crash()
        codes = until_ended(workers, build, PATIENCE)
        cluster.start()
        done, running = server.in_state(build, "done"), server.in_state(build, "running")
        expect(before <= done, f"{build}: tasks that were done are lost: {before - done}")
        expect(not server.is_done(build), f"{build} was done before the crash; a larger --scale")
        until_ended([Worker(server, build) for _ in range(soak.options.workers)], build, PATIENCE)
        expect(server.is_done(build), f"{build}: workers have ended, and tasks are left")
        ended = ", ".join(map(str, codes))
        server.finish(build, f"Postgres crashed with {len(done)} tasks done, {len(running)} at work; workers ended with {ended}")
    cluster.stop()
    say(f"crashes: {soak.options.crashes}; no task that was done before was lost")
