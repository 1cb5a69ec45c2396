"""Makes test data for `--generate airflow`: when the real Airflow starts the lines of tests/data/cron and cron_second.

    VENV/bin/python tests/vectors/airflow.py target/debug/remoteexe

VENV has apache-airflow. For each line there is the schedule that remoteexe has written, the days that the run itself
looks at, and the minutes: `=` where they are those of the real cron, else the minutes of Airflow. It is Airflow's own
timetable that is asked, and the operator in the file of DAGs; neither a database nor a scheduler is needed.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

DATA = Path(__file__).parents[1] / "data"


def main(remoteexe):
    with tempfile.TemporaryDirectory() as home:
        os.environ["AIRFLOW_HOME"] = home
        files = sorted([*DATA.glob("cron/*.txt"), *DATA.glob("cron_second/*.txt")])
        for file in files:
            # The lines of cronie are those of Debian's cron, but for a zone of their own.
            if "cronie-" not in file.name or "zone" in file.name:
                name = f"second-{file.name}" if "second" in str(file) else file.name
                text = "\n".join(vectors(remoteexe, file, Path(home)))
                (DATA / "airflow" / name).write_text(f"{text}\n")


def vectors(remoteexe, file, home):
    rows = file.read_text().splitlines()
    head = dict(row.split(" ", 1) for row in rows if "\t" not in row)
    lines = dict(row.split("\t") for row in rows if "\t" in row)
    lines = {line: runs for line, runs in lines.items() if line != "@reboot"}
    # The number of a line is its command. A line that never comes is left out.
    crontab = home / "crontab"
    crontab.write_text("".join(f"{line} {n}\n" for n, line in enumerate(lines)))
    zone = head.get("cron_tz", head["zone"])
    dags = dags_of(remoteexe, crontab, zone)
    versions = [f"{name} {version(name)}" for name in ("apache-airflow", "croniter")]
    yield f"# tests/vectors/airflow.py, {', '.join(versions)}"
    yield f"of {file.relative_to(DATA)}"
    by_number = {int(line.command): line for line in dags.LINES}
    for number, (line, runs) in enumerate(lines.items()):
        if number in by_number:
            found = by_number[number]
            minutes = minutes_of(dags, found, int(head["start"]), int(head["minutes"]))
            days = ",".join(map(str, found.days or found.weekdays))
            same = minutes == sorted({int(run) for run in runs.split()})
            minutes = "=" if same else " ".join(map(str, minutes))
            yield f"{line}\t{found.cron}\t{days}\t{minutes}"


def dags_of(remoteexe, crontab, zone):
    """The file of DAGs, imported."""
    command = [remoteexe, "--generate", "airflow", "--user-crontab", crontab]
    run = subprocess.run(command, env={"TZ": zone}, capture_output=True, check=False)
    path = crontab.with_name("dags.py")
    path.write_bytes(run.stdout)
    spec = importlib.util.spec_from_file_location("dags", path)
    dags = importlib.util.module_from_spec(spec)
    sys.modules["dags"] = dags
    spec.loader.exec_module(dags)
    # All of this was due long ago.
    dags.LATEST_START = timedelta.max
    return dags


def minutes_of(dags, line, start, minutes):
    """The minutes after `start` in which Airflow starts a line."""
    import pendulum
    from airflow.sdk.exceptions import AirflowSkipException
    from airflow.timetables.base import DataInterval, TimeRestriction
    from airflow.timetables.trigger import MultipleCronTriggerTimetable

    timetable = MultipleCronTriggerTimetable(
        *line.cron.split(" | "), timezone=line.zone
    )
    task = dags.CronLine(task_id="run", line=line)
    restriction = TimeRestriction(earliest=None, latest=None, catchup=True)
    time, found = pendulum.from_timestamp(start), []
    while True:
        last = DataInterval.exact(time)
        time = timetable.next_dagrun_info(
            last_automated_data_interval=last, restriction=restriction
        ).run_after
        minute = (time.timestamp() - start) / 60
        if minute >= minutes:
            return found
        try:
            run = SimpleNamespace(run_type="scheduled", run_after=time)
            first = SimpleNamespace(try_number=1, max_tries=0)
            task.check_slot({"dag_run": run, "ti": first})
            found.append(int(minute))
        except AirflowSkipException:
            pass


if __name__ == "__main__":
    main(sys.argv[1])
