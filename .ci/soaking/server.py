"""A server and kiln's commands on it; workers; what a build must hold."""

import pathlib
import signal
import subprocess
import tempfile
import time

from soaking.told import expect, say

DATABASE = "druginfo"
WATCHED = """
    create schema soak;
    create table soak.log (at timestamptz default clock_timestamp(), name text, attempt int, state text);
    create function soak.note() returns trigger language plpgsql security definer as $$
        begin
            insert into soak.log (name, attempt, state) values (new.name, new.attempt, new.state);
            return null;
        end $$;
    create trigger soak after update on kiln.task for each row execute function soak.note();
"""


class Server:
    """A Postgres server as one host sees it: the superuser's URL, and kiln's commands by their environment."""

    def __init__(self, soak, url, environment, before=()):
        self.soak, self.url, self.environment = soak, url, environment
        self.before = before  # what a command is put into: a network namespace

    def sql(self, database, sql):
        """Rows, as lists of texts."""
        url = self.url.replace("/postgres?", f"/{database}?")
        command = ["psql", "--no-psqlrc", "-qAt", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        expect(done.returncode == 0, f"psql: {done.stderr}")
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def kiln(self, *arguments, codes=(0,)):
        command = [*self.before, self.soak.kiln, *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        said = f"kiln {' '.join(map(str, arguments))}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        expect(done.returncode in codes, said)
        return done.stdout.strip()

    def begin(self):
        build = self.kiln("begin", DATABASE, "--full-refresh", "--quiet")
        self.watch(build)
        return build

    def watch(self, build):
        self.sql(build, WATCHED)

    def unwatch(self, build):
        """Every task was done once, and nothing of the soak's is left."""
        twice = self.sql(
            build,
            """select t.name, count(l.name) from kiln.task t
               left join soak.log l on l.name = t.name and l.state = 'done'
               where t.kind <> 'check' group by t.name having count(l.name) <> 1""",
        )
        expect(not twice, f"{build}: tasks that were not done once: {twice}")
        self.sql(build, "drop schema soak cascade")

    def truth(self, database):
        """What a build holds."""
        sources = self.sql(database, "select source, rows, rejected, digest from kiln.source order by 1")
        count = "(xpath('/row/c/text()', query_to_xml(format('select count(*) c from %s', oid::regclass), false, true, '')))[1]"
        tables = f"""select relname, {count} from pg_class
                     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1"""
        rejects = """select source, object, member, line, column_name, count(*) from kiln.reject
                     group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5"""
        return {"sources": sources, "tables": self.sql(database, tables), "rejects": self.sql(database, rejects)}

    # Tasks.

    def is_done(self, build):
        return self.sql(build, "select count(*) from kiln.task where state <> 'done' and kind <> 'check'") == [["0"]]

    def in_state(self, build, state):
        """The names of the tasks, without the checks, that are in a state."""
        rows = self.sql(build, f"select name from kiln.task where state = '{state}' and kind <> 'check'")
        return {row[0] for row in rows}

    def task_of(self, build, pid):
        """The task that a process has, by its row: name and attempt."""
        rows = self.sql(build, f"select name, attempt from kiln.task where state = 'running' and worker like '% {pid}'")
        return (rows[0][0], int(rows[0][1])) if rows else None

    def next_claim(self, build, lost):
        """When the next attempt of a task was begun, in seconds of the epoch."""
        name, attempt = lost
        rows = self.sql(
            build,
            f"""select extract(epoch from min(at)) from soak.log
                where name = '{name}' and attempt > {attempt} and state = 'running' having count(*) > 0""",
        )
        return float(rows[0][0]) if rows else None

    # The end of a build.

    def finish(self, build, what):
        """Finishes a build, holds it against the truth and makes it live."""
        self.unwatch(build)
        self.kiln("finish", build)
        self.hold(build, build, what)
        self.kiln("swap", DATABASE)
        self.kiln("prune")

    def hold(self, build, database, what):
        """Holds a sealed build, in a database of this name, against the truth."""
        open_ones = self.sql(database, "select name, state from kiln.task where state <> 'done'")
        expect(not open_ones, f"{build}: {open_ones}")
        here = self.truth(database)
        for part, rows in self.soak.true.items():
            differs = [row for row in here[part] if row not in rows] + [row for row in rows if row not in here[part]]
            expect(not differs and len(here[part]) == len(rows), f"{build}, {part}: {differs}")
        self.kiln("verify", database)
        attempts = self.sql(database, "select count(*), sum(attempt), max(attempt) from kiln.task where kind <> 'check'")[0]
        tasks, claims, most = attempts
        say(f"{build}: {what}; {tasks} tasks in {claims} claims, at most {most} for one; as the truth")


class Worker:
    """A `kiln work`."""

    def __init__(self, server, build, wrong=(), arguments=(), connections=1):
        self.server, self.build = server, build
        self.allowed = {0, 75, *wrong}
        self.log = tempfile.NamedTemporaryFile(mode="w+", dir=server.soak.logs, prefix="work-", delete=False)
        command = [*server.before, server.soak.kiln, "work", build, *arguments]
        environment = {**server.environment, "KILN_CONNECTIONS": str(connections)}
        self.began = time.monotonic()
        self.process = subprocess.Popen(command, env=environment, stdout=self.log, stderr=self.log)
        server.soak.processes.append(self.process)

    @property
    def pid(self):
        return self.process.pid

    def ended(self):
        """Whether it has ended, as it may."""
        code = self.process.poll()
        if code is None:
            return False
        self.log.close()
        said = pathlib.Path(self.log.name).read_text()
        expect(code in self.allowed or code == -signal.SIGKILL, f"a worker ended with {code}:\n{said}")
        return True

    def kill(self):
        """SIGKILL; when, in seconds of the epoch."""
        self.process.kill()
        at = time.time()
        self.process.wait()
        return at

    def sessions(self, purpose=""):
        """Ends sessions of this worker; how many there were."""
        run = self.server.sql(
            self.build, f"select distinct split_part(worker, ' ', 1) from kiln.task where worker like '% {self.pid}'"
        )
        if not run:
            return 0
        sql = f"""select count(pg_terminate_backend(pid)) from pg_stat_activity
                  where application_name like '%{run[0][0]}%' and pid <> pg_backend_pid() {purpose}"""
        return int(self.server.sql("postgres", sql)[0][0])


def until_ended(workers, build, patience):
    """Waits for workers to end by themselves; their exit codes."""
    until = time.monotonic() + patience
    while not all(worker.ended() for worker in workers):
        expect(time.monotonic() < until, f"workers at {build} have not ended after {patience} s")
        time.sleep(0.05)
    return [worker.process.returncode for worker in workers]
