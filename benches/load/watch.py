"""Runs a contender and watches it: seconds, CPU, peak memory, and what the server's backends do."""

import os
import subprocess
import threading
import time

PAUSE = 0.05  # seconds between two looks
TICKS = os.sysconf("SC_CLK_TCK")

# A backend is busy unless it waits for its client; a COPY that waits for rows is "active" too.
LOOK = """select count(*) filter (where state = 'active' and wait_event_type is distinct from 'Client'),
    count(*) filter (where query ilike 'copy %' and state = 'active')
    from pg_stat_activity
    where backend_type in ('client backend', 'parallel worker') and pid <> pg_backend_pid();"""


class Ran:
    """What one run took."""

    def __init__(self):
        self.seconds = self.cpu_seconds = 0.0
        self.peak_mib = 0.0
        self.output = ""
        self.looks = []  # (time, CPU seconds of the process, busy backends, COPYs, CPU seconds of the machine)


def watch(argv, environment, server=None, cwd=None):
    """Runs a command to its end; it must succeed. With a server its backends are looked at as well."""
    ran = Ran()
    over = threading.Event()
    began = time.monotonic()
    child = subprocess.Popen([str(a) for a in argv], env=environment, cwd=cwd, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    threads = [threading.Thread(target=look_on, args=(ran, child.pid, server, over)),
               threading.Thread(target=lambda: setattr(ran, "output", child.stdout.read()))]
    said = []
    threads.append(threading.Thread(target=lambda: said.append(child.stderr.read())))
    for thread in threads:
        thread.start()
    try:
        _, status, usage = os.wait4(child.pid, 0)
    except BaseException:  # a signal: the contender is not left behind
        child.terminate()
        os.waitpid(child.pid, 0)
        raise
    finally:
        ran.seconds = time.monotonic() - began
        over.set()
    for thread in threads:
        thread.join()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise Failed(f"{' '.join(map(str, argv))}: exit code {child.returncode}\n{ran.output[-2000:]}{said[0][-4000:]}")
    ran.cpu_seconds = usage.ru_utime + usage.ru_stime
    return ran


class Failed(Exception):
    """A contender that did not succeed; peers are then left out, kiln ends the bench."""


def look_on(ran, pid, server, over):
    """Peak memory from /proc (getrusage's would begin with this Python's), and the backends."""
    psql = None
    if server:
        psql = subprocess.Popen(["psql", "-XAtq", "-F", " ", server.admin], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
    while not over.wait(PAUSE):
        try:
            with open(f"/proc/{pid}/status") as status:
                peak = [line for line in status if line.startswith("VmHWM")]
            with open(f"/proc/{pid}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            break
        if peak:
            ran.peak_mib = max(ran.peak_mib, int(peak[0].split()[1]) / 1024)
        if psql:
            psql.stdin.write(LOOK + "\n")
            psql.stdin.flush()
            busy, copies = psql.stdout.readline().split()
            cpu = (int(fields[11]) + int(fields[12])) / TICKS
            ran.looks.append((time.monotonic(), cpu, int(busy), int(copies), machine_seconds()))
    if psql:
        psql.stdin.close()
        psql.wait()


def machine_seconds():
    """CPU seconds that all cores have worked: all that is neither idle nor waiting for a disk (proc(5))."""
    with open("/proc/stat") as stat:
        user, nice, system, _idle, _wait, irq, softirq, _steal = (int(n) for n in stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq) / TICKS


def busy_share(ran, cores):
    """Row f, over the time from the first COPY to the last: how many backends were busy, against the
    cores that kiln itself left over (its CPU seconds a second taken off, rounded down, at least one)."""
    at = [i for i, look in enumerate(ran.looks) if look[3] > 0]
    if len(at) < 2:
        return None
    window = ran.looks[at[0]:at[-1] + 1]
    seconds = window[-1][0] - window[0][0]
    own = (window[-1][1] - window[0][1]) / seconds if seconds else 0.0
    left = max(1, int(cores - own))
    counts = [look[2] for look in window]
    share = {n: sum(c >= n for c in counts) / len(counts) for n in range(1, cores + 1)}
    worked = (window[-1][4] - window[0][4]) / seconds if seconds else 0.0
    return {"seconds": seconds, "looks": len(window), "kiln_cores": own, "cores_left": left, "machine_cores": worked,
            "share": share[left], "share_by_backends": share, "mean_busy": sum(counts) / len(counts)}
