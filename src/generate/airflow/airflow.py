# The lines of crontabs as DAGs, one for each line. For Apache Airflow 3.2 or later; tried with 3.3.2.
#
# Written by `remoteexe --generate airflow`. Do not edit it: change the crontab, and write it again.
#
# A worker runs Linux, and has remoteexe, ssh and the users of the lines with their keys. Lines of another user than the
# worker's need a worker that is root, or one that may run `sudo -n -u USER /bin/sh`. No provider package is needed, and
# no connection, variable or pool of Airflow.
import os
import pwd
import signal
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, BaseOperator, MultipleCronTriggerTimetable
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

UTC = ZoneInfo("UTC")

# cron does not make up for a slot that it has missed for long. A run that starts later than this is skipped.
LATEST_START = timedelta(hours=1)

# As many runs of a line go on at the same time, at most. cron has no limit.
RUNS_AT_A_TIME = 16

# Becomes the shell of the line, as the line's user. The first lines of standard input are the variables, up to an empty
# one: sudo would change them, and arguments can be read by everybody. The rest is the input of the command.
LAUNCH = """
shell=$1 home=$2 command=$3
shift 3
while IFS= read -r variable && [ -n "$variable" ]; do set -- "$@" "$variable"; done
cd "$home" 2>/dev/null || cd /
umask 022
exec /usr/bin/env -i -- "$@" "$shell" -c "$command"
"""


@dataclass(frozen=True)
class Line:
    id: str
    # Five fields, or two times five with a bar between them.
    cron: str
    zone: str
    # The last change of its crontab. What was due before it has been started by cron, or by nobody.
    start: datetime
    # None: the user of the worker.
    user: str | None
    variables: dict[str, str]
    command: str
    input: str = ""
    # cron starts it only if the day is also one of these: of the month, or of the week (0 is Sunday).
    days: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    # Exit statuses that are no failure, by REMOTEEXE_OK.
    accepted: tuple[int, ...] = ()


class CronLine(BaseOperator):
    """Runs a line as cron does: with its user, variables, directory, umask, shell and input."""

    def __init__(self, *, line, **kwargs):
        # Retries are up to remoteexe, which knows whether the script may have been started.
        super().__init__(retries=0, do_xcom_push=False, **kwargs)
        self.line = line
        self.process = None
        self.become = []

    def execute(self, context):
        self.check_slot(context)
        worker = pwd.getpwuid(os.geteuid()).pw_name
        user = self.line.user or worker
        if user == worker:
            self.become = []
        elif os.geteuid() == 0:
            self.become = ["/sbin/runuser", "-u", user, "--"]
        else:
            self.become = ["/usr/bin/sudo", "-n", "-u", user, "--"]
        variables = self.environment(user)
        command = [
            LAUNCH,
            "sh",
            variables["SHELL"],
            variables["HOME"],
            self.line.command,
        ]
        self.log.info("as %s: %s", user, self.line.command)
        # A task's own standard input is Airflow's socket, and not for the line.
        self.process = subprocess.Popen(
            [*self.become, "/bin/sh", "-c", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={},
            start_new_session=True,
        )
        lines = [f"{name}={value}\n" for name, value in variables.items()]
        text = "".join([*lines, "\n", self.line.input])
        threading.Thread(
            target=feed, args=(self.process.stdin, text), daemon=True
        ).start()
        for output in self.process.stdout:
            self.log.info("%s", output.decode(errors="backslashreplace").rstrip("\r\n"))
        status = self.process.wait()
        if status in self.line.accepted:
            raise AirflowSkipException(
                f"exit status {status}, which REMOTEEXE_OK accepts"
            )
        if status != 0:
            raise AirflowFailException(
                f"exit status {status if status > 0 else 128 - status}"
            )

    def check_slot(self, context):
        """Starts nothing that cron would not have started."""
        run, task = context["dag_run"], context["ti"]
        if task.try_number > task.max_tries + 1:
            # A scheduler that was killed forgets what it has started, and Airflow starts it again. If a person clears
            # the task, there is one more try.
            raise AirflowFailException(
                "the scheduler was killed, and may have started this before"
            )
        if run.run_type != "scheduled":
            return
        if datetime.now(UTC) - run.run_after > LATEST_START:
            raise AirflowSkipException(f"missed: it was due at {run.run_after}")
        slot = run.run_after.astimezone(ZoneInfo(self.line.zone))
        if self.line.days and slot.day not in self.line.days:
            raise AirflowSkipException(f"not due: day {slot.day} of the month")
        if self.line.weekdays and slot.isoweekday() % 7 not in self.line.weekdays:
            raise AirflowSkipException(f"not due: {slot:%A}")

    def environment(self, user):
        """The variables in the order in which one counts more than those before."""
        try:
            home = pwd.getpwnam(user).pw_dir
        except KeyError:
            raise AirflowFailException(f"this worker has no user {user}") from None
        defaults = {"HOME": home, "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
        names = dict.fromkeys(USER_VARIABLES, user)
        return {**of_pam(), **defaults, **self.line.variables, **names}

    def on_kill(self):
        """Somebody has cleared the task, or the worker ends: TERM for all processes of the line."""
        if self.process is None or self.process.poll() is not None:
            return
        self.log.info("TERM for process group %s", self.process.pid)
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
        except PermissionError:
            kill = ["/bin/sh", "-c", 'kill -s TERM -- "-$0"', str(self.process.pid)]
            subprocess.run([*self.become, *kill], stdin=subprocess.DEVNULL, check=False)


def feed(pipe, text):
    # The command need not read its input.
    with suppress(BrokenPipeError), pipe:
        pipe.write(text.encode())


def of_pam():
    """What PAM adds to the variables of cron's jobs on this machine, such as LANG."""
    variables = {}
    for path in ("/etc/environment", "/etc/default/locale"):
        with suppress(OSError), open(path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                text = line.partition("#")[0].strip().removeprefix("export ")
                name, equals, value = text.partition("=")
                if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
                    value = value[1:-1]
                if equals:
                    variables[name] = value
    return variables


@TABLE@

for line in LINES:
    with DAG(
        line.id,
        schedule=MultipleCronTriggerTimetable(
            *line.cron.split(" | "), timezone=line.zone
        ),
        start_date=line.start,
        catchup=False,
        is_paused_upon_creation=False,
        max_active_runs=RUNS_AT_A_TIME,
        max_active_tasks=RUNS_AT_A_TIME,
        tags=["remoteexe"],
        doc_md=f"    {line.command}\n",
    ):
        CronLine(task_id="run", owner=line.user or "airflow", line=line)
