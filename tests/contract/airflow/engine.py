"""Stands for Airflow, which takes 300 MB: gives a file of DAGs the names that it imports, and runs a task of it.

engine.py DAGS list                the lines, in JSON
engine.py DAGS run ID [SLOT [TRY]] runs the task of a DAG as Airflow does; prints the task's log, and its end
"""

import json
import logging
import signal
import sys
from dataclasses import asdict
from datetime import datetime
from runpy import run_path
from types import ModuleType, SimpleNamespace


class Skip(Exception):
    pass


class Fail(Exception):
    pass


OPENED = {}


class Dag:
    def __init__(self, dag_id, **settings):
        self.settings, self.tasks = settings, []
        OPENED[dag_id] = self

    def __enter__(self):
        Dag.current = self

    def __exit__(self, *_):
        pass


class Operator:
    def __init__(self, **settings):
        self.settings, self.log = settings, logging.getLogger("task")
        Dag.current.tasks.append(self)


class Timetable:
    def __init__(self, *expressions, timezone):
        self.expressions, self.timezone = expressions, timezone


def main(path, action, dag_id="", slot="", number="1"):
    sdk = ModuleType("airflow.sdk")
    sdk.DAG, sdk.BaseOperator = Dag, Operator
    sdk.MultipleCronTriggerTimetable = Timetable
    sdk.exceptions = ModuleType("airflow.sdk.exceptions")
    sdk.exceptions.AirflowSkipException, sdk.exceptions.AirflowFailException = (
        Skip,
        Fail,
    )
    modules = {"airflow": ModuleType("airflow"), "airflow.sdk": sdk}
    sys.modules.update({**modules, "airflow.sdk.exceptions": sdk.exceptions})
    found = run_path(path)
    if action == "list":
        lines = [asdict(line) for line in found["LINES"]]
        return print(json.dumps({"lines": lines, "dags": list(OPENED)}, default=str))
    logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
    (task,) = OPENED[dag_id].tasks
    signal.signal(signal.SIGTERM, lambda *_: task.on_kill())
    run = SimpleNamespace(run_type="manual", run_after=None)
    if slot:
        run = SimpleNamespace(
            run_type="scheduled", run_after=datetime.fromisoformat(slot)
        )
    try:
        instance = SimpleNamespace(try_number=int(number), max_tries=0)
        task.execute({"dag_run": run, "ti": instance})
        print("success")
    except Skip as skip:
        print("skipped:", skip)
    except Fail as failure:
        print("failed:", failure)


main(*sys.argv[1:])
