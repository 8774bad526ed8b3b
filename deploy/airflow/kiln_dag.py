"""One DAG for each database, under Airflow 3: a build by many workers.

    begin -> plan -> source (one group for each: rows, keys) -> rest (workers) -> finish -> swap

Each source is two nodes, taken from `kiln plan BUILD --json`: its rows, and the keys behind them. They
can run at once, on any hosts, as many as max_active_tasks allows. What joins sources (derived tables,
statistics) is left to workers, each of which takes what is free.

Airflow's workers need deploy/on-host and what it needs: the project's folder, kiln, and the settings in
/etc/kiln/env. The Airflow Variable `kiln_root` names the folder, where it is not /opt/kiln.
"""

import json
import os
import signal
import subprocess
from datetime import datetime, timedelta

from airflow.sdk import DAG, BaseOperator, task_group
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

DATABASES = ("druginfo", "planinfo", "beneinfo")
WORKERS = 2

# kiln's exit codes after which a retry may succeed: input or Postgres unavailable, swap not possible now, lock
# held by another run (or a task that this one needs is not done). Also those after a signal: the host was lost,
# or somebody stopped kiln.
AGAIN = {10, 12, 15, 75, 130, 143}


class Kiln(BaseOperator):
    """Runs one kiln command; what it prints is the node's XCom, what it logs goes to the node's log.

    A code of AGAIN is retried, any other fails at once: 2, 11, 13 and 14 need a person, 1 is a bug.
    """

    template_fields = ("arguments", "root")
    ui_color = "#e8d9c5"

    def __init__(self, *, arguments, root="{{ var.value.get('kiln_root', '/opt/kiln') }}", **rest):
        super().__init__(**rest)
        self.arguments = arguments
        self.root = root
        self.process = None

    def execute(self, context):
        command = [os.path.join(self.root, "deploy", "on-host"), *self.arguments]
        self.log.info("%s", " ".join(command))
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        output, _ = self.process.communicate()
        code = self.process.returncode
        if code == 0:
            return output.strip()
        what = f"kiln {' '.join(self.arguments)} ended with {code}"
        # A negative code is the signal that killed it.
        if code in AGAIN or code < 0:
            raise AirflowException(what)
        raise AirflowFailException(what)

    def on_kill(self):
        """kiln gives its task back at SIGTERM."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait()


class Begin(Kiln):
    """Begins the build, and gives its name. Where nothing is to be done, it and all that follows is skipped."""

    def execute(self, context):
        build = super().execute(context)
        if not build:
            raise AirflowSkipException("all that has landed is live")
        return build


class Plan(Kiln):
    """The sources of the build, each with the arguments of its two nodes."""

    def execute(self, context):
        tasks = json.loads(super().execute(context))["tasks"]
        keys = {task["subject"] for task in tasks if task["kind"] == "index"}
        rows = [task for task in tasks if task["kind"] in ("load", "copy")]
        # The longest first, so that it is not the last.
        rows.sort(key=lambda task: -task["seconds"])
        build = self.arguments[1]
        work = ["work", build, "--quiet", "--task"]
        return [
            {
                "rows": [*work, task["name"]],
                # A table without keys has no such node; then this is the first one again, which is done.
                "keys": [*work, f"index:{task['subject']}" if task["subject"] in keys else task["name"]],
            }
            for task in rows
        ]


def nightly(database):
    with DAG(
        dag_id=f"kiln_{database}",
        schedule="30 2 * * *",
        start_date=datetime(2026, 1, 1),
        catchup=False,
        # A second run at the same time would exit with 75, because the first one holds the lock.
        max_active_runs=1,
        # Each running node has a connection to Postgres.
        max_active_tasks=8,
        default_args={
            "retries": 4,
            "retry_delay": timedelta(minutes=1),
            "retry_exponential_backoff": 2,
            "max_retry_delay": timedelta(minutes=15),
        },
        tags=["kiln"],
    ) as dag:
        begin = Begin(task_id="begin", arguments=["begin", database, "--deadline", "12h", "--quiet"])
        build = "{{ ti.xcom_pull(task_ids='begin') }}"
        plan = Plan(task_id="plan", arguments=["plan", build, "--json"])

        @task_group
        def source(rows, keys):
            Kiln(task_id="rows", arguments=rows) >> Kiln(task_id="keys", arguments=keys)

        sources = source.expand_kwargs(plan.output)
        rest = Kiln.partial(task_id="rest").expand(arguments=[["work", build, "--quiet"]] * WORKERS)
        finish = Kiln(task_id="finish", arguments=["finish", build, "--quiet"])
        # A node of its own, so that a retry repeats only the swap.
        swap = Kiln(task_id="swap", arguments=["swap", database, build, "--quiet"])

        begin >> plan >> sources >> rest >> finish >> swap
    return dag


for name in DATABASES:
    globals()[f"kiln_{name}"] = nightly(name)
