#!/bin/bash
# Runs lines of a crontab in the real Airflow and in a real cron at the same time, and compares what they have done.
#
#     tests/release/airflow.sh [MINUTES]
#
# For MINUTES (15) both run the lines below, against the sandbox's sshd. Then a line moves to Airflow and back, a task is
# cleared, and Airflow's scheduler stands still for some slots. Exits with 1 if anything differs from what the manual
# says under MOVE TO AIRFLOW. Takes half an hour with little else to do on the machine, root, and Airflow from PyPI: it
# makes a venv in target/airflow unless AIRFLOW_VENV names one. All of Airflow listens on 127.0.0.1 only, and ends with
# this. Needs the packages of tests/setup.sh tests, and python3-venv. REMOTEEXE names a binary that is built already.
# shellcheck disable=SC2016,SC2317  # Remote shells expand what is in single quotes; wait_for calls functions.
set -eu
self=$(realpath "$0")
cd "$(dirname "$self")/../.."
minutes=${1:-15}
venv=${AIRFLOW_VENV:-$PWD/target/airflow}

if [ -z "${SANDBOX-}" ]; then
    [ -x "$venv/bin/airflow" ] || { python3 -m venv "$venv" && "$venv/bin/pip" install -q apache-airflow==3.3.2 ruff; }
    [ -n "${REMOTEEXE-}" ] || cargo build --locked
    export REMOTEEXE=${REMOTEEXE:-$PWD/target/debug/remoteexe} AIRFLOW_VENV=$venv
    # In namespaces of its own, so that cron sees one crontab only, and all processes end with this.
    exec tests/try/sandbox.sh tests/try/own_mounts.sh --pid --fork --kill-child \
        sh -euc 'mount -t proc proc /proc; exec "$@"' sh "$self" "$minutes"
fi

dir=$SANDBOX/airflow
failed=0
say() { echo "$(date +%T) $*"; }
fail() { say "FAILED: $*"; failed=1; }
# wait_for SECONDS WHAT COMMAND…: until the command succeeds.
wait_for() {
    local limit=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ $SECONDS -lt $limit ] || { fail "waited in vain for $what"; return 1; }
        sleep 0.5
    done
}
to_second() { while [ "$(date +%-S)" -ne "$1" ]; do sleep 0.2; done; }

# The remote scripts show all that they are given.
furnish() {
    mkdir -p "$dir"/{bin,dags,none,run,logs-cron,logs-airflow} "$SANDBOX/srv"
    ln -s "$REMOTEEXE" "$dir/bin/remoteexe"
    chmod 755 "$SANDBOX" "$dir" "$dir/bin"
    printf '#!/bin/sh\nfor word; do echo "<$word>"; done\ncat\n' >"$SANDBOX/srv/show.sh"
    printf '#!/bin/sh\necho "for $1 seconds"\nsleep "$1"\necho over\n' >"$SANDBOX/srv/long.sh"
    printf '#!/bin/sh\necho "status $1"\nexit "$1"\n' >"$SANDBOX/srv/rc.sh"
    chmod 755 "$SANDBOX"/srv/*
    mount --bind "$SANDBOX/ssh_config" /etc/ssh/ssh_config
    mount --bind "$dir/none" ~root/.ssh 2>/dev/null || true
    for hidden in /etc/cron.d /var/spool/cron; do mount --bind "$dir/none" $hidden; done
    mkdir "$dir/none/crontabs"
    mount --bind "$dir/run" /run
    # What PAM adds to cron's environment.
    printf 'PAM_ONE="1 2"\nPATH=/not/this\n' >"$dir/environment"
    mount --bind "$dir/environment" /etc/environment
    : >"$dir/crontab"
    chmod 644 "$dir/crontab"
    mount --bind "$dir/crontab" /etc/crontab
}

# lines WHO: the crontab of WHO, cron or airflow. Few of them are due each minute: a run costs Airflow half a second.
lines() {
    local srv=$SANDBOX/srv day other_days
    day=$(date +%a)
    # On an odd day Airflow has a run, which finds out itself that it is not due.
    other_days=$(seq -s , 0 6 | sed "s/$(date +%w),\?//; s/,$//")
    cat <<END
SHELL=/bin/bash
PATH=$dir/bin:/usr/bin:/bin
MAILTO=""
REMOTEEXE_LOG_DIR=$dir/logs-$1
GREETING = "hello  world"
LOGNAME=nobody
* * * * * root env | sort | remoteexe host_env cat
*/4 * * * * root remoteexe host_arguments $srv/show.sh 'single  "q"' \$HOME "\$GREETING" a\\\\\\\\b '{{ run_id }} {\\% x \\%}'
*/3 * * * * root remoteexe host_input $srv/show.sh%first "line"%second \\% line
2-59/5 * * * * root umask; pwd; cd /srv && (umask; pwd) | remoteexe host_directory cat
*/2 * * * * root remoteexe host_overlap $srv/long.sh 200
*/5 * * * * root timeout 20 remoteexe host_timeout "timeout 10 $srv/long.sh 60"
1-59/5 * * * * root remoteexe host_status $srv/rc.sh 99
*/6 * * * * root remoteexe host_first $srv/rc.sh 4; remoteexe host_second $srv/rc.sh 0
*/6 * * * * root sleep 5; remoteexe host_sleep $srv/show.sh
*/2 * */2 * mon root remoteexe host_monday $srv/show.sh
*/5 * */2 * $day root remoteexe host_odd_today $srv/show.sh
*/5 * */2 * $other_days root remoteexe host_other_days $srv/show.sh
*/5 * 1-30/2 * $day root remoteexe host_or $srv/show.sh
1-59/4 */1 * * 0-6 root remoteexe host_every $srv/show.sh
3-59/5 * * $(date +%b) $day,$day root remoteexe host_names $srv/show.sh
5-1 * * * * root remoteexe host_never $srv/show.sh
*/5 * * * * nobody id -un | remoteexe -i $SANDBOX/id-nobody --log-dir $dir/logs-nobody-$1 host_nobody cat
SHELL=/bin/sh
HOME=/srv
*/3 * * * * root remoteexe host_home pwd; pwd | remoteexe host_pwd cat
*/5 * * * * root remoteexe host_quiet $srv/show.sh >/dev/null 2>&1
END
}

write_dags() {
    remoteexe --generate airflow --crontab "$dir/airflow.crontab" >"$dir/dags.new" 2>"$dir/messages" || [ $? -eq 1 ]
    mv "$dir/dags.new" "$dir/dags/remoteexe.py"
}
remoteexe() { "$dir/bin/remoteexe" "$@"; }
airflow() { "$venv/bin/airflow" "$@" 2>>"$dir/airflow.log"; }
sql() { "$venv/bin/python" - "$dir/airflow.db" "$1" <<'END'
import sqlite3, sys
for row in sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True).execute(sys.argv[2]):
    print(*row, sep="\t")
END
}
scheduler() {
    # Not by the function, whose process would be a shell.
    "$venv/bin/airflow" scheduler --skip-serve-logs >>"$dir/scheduler.log" 2>>"$dir/airflow.log" &
    scheduler=$!
}

start_airflow() {
    local port=$((20000 + RANDOM % 12000))
    export AIRFLOW_HOME=$dir AIRFLOW__CORE__DAGS_FOLDER=$dir/dags AIRFLOW__CORE__LOAD_EXAMPLES=False \
        AIRFLOW__CORE__EXECUTOR=LocalExecutor AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=sqlite:///$dir/airflow.db \
        AIRFLOW__CORE__EXECUTION_API_SERVER_URL=http://127.0.0.1:$port/execution/ \
        AIRFLOW__API__BASE_URL=http://127.0.0.1:$port AIRFLOW__API_AUTH__JWT_SECRET=$RANDOM$RANDOM$RANDOM$RANDOM \
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS=airflow_local_settings.connect_args \
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS_ASYNC=airflow_local_settings.connect_args_async \
        AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT=60 \
        AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL=10 AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL=10 \
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS=True AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False
    # Several processes write to this database, and none may give up on a busy machine.
    mkdir "$dir/config"
    echo 'connect_args = connect_args_async = {"timeout": 120}' >"$dir/config/airflow_local_settings.py"
    airflow db migrate >/dev/null
    airflow api-server --host 127.0.0.1 --port $port --workers 1 >"$dir/api-server.log" &
    airflow dag-processor >"$dir/dag-processor.log" &
    scheduler
    wait_for 900 "the DAGs" all_dags
}
all_dags() {
    [ "$(sql 'SELECT COUNT(*) FROM dag WHERE is_stale = 0' 2>/dev/null)" = "$(grep -c '^    Line(' "$dir/dags/remoteexe.py")" ]
}

# runs WHO: each run: job, number, START, and status and what it printed.
runs() {
    find "$dir/logs-$1" "$dir/logs-nobody-$1" -name '*.log' -exec cat {} + | perl -e '
        my (%run, @runs, %count);
        while (<STDIN>) {
            my ($time, $pid, $text) = /^\[([^]]*)\]\[(\d+)\] (.*)/ or next;
            if ($text =~ /^START,-,(.*)/) { push @runs, $run{$pid} = { job => $1, start => $time, text => "" } }
            elsif ($text =~ /^END,(\d+),/) { $run{$pid}{end} = $1 }
            elsif ($text !~ /^command,|^remoteexe: the next/) { $run{$pid}{text} .= "|$text" }
        }
        for my $run (sort { $a->{start} cmp $b->{start} } @runs) {
            my $line = join "\t", $run->{job}, ++$count{$run->{job}}, $run->{start}, ($run->{end} // "none") . $run->{text};
            print $line =~ s/logs-$ARGV[0]/LOGS/gr, "\n";
        }' "$1" | sort
}

# The slots in which cron has started a host, by the START; and those of Airflow, by its database. Of two jobs on one line
# the first counts.
slots_of_cron() {
    runs cron | awk -F'\t' '$1 !~ /^host_(second|pwd)/ { sub(/ .*/, "", $1); print $1, substr($3, 12, 5) }' | sort
}
slots_of_airflow() {
    sql "SELECT substr(d.dag_id, 1, instr(d.dag_id, '.') - 1) || ' ' || strftime('%H:%M', d.run_after, 'localtime')
        FROM dag_run d JOIN task_instance t ON t.dag_id = d.dag_id AND t.run_id = d.run_id
        WHERE t.state <> 'skipped' AND t.start_date IS NOT NULL" | sort |
        awk -v until="${until:0:5}" '$2 < until'
}
has_all_slots() { diff <(slots_of_cron) <(slots_of_airflow) >"$dir/slots.diff"; }
has_all_runs() { [ "$(of_airflow | grep -cv 'none')" -eq "$(wc -l <"$dir/of-cron")" ]; }
# As many of Airflow's runs as cron has made: it goes on.
of_airflow() {
    runs airflow | awk -F'\t' 'NR == FNR { if ($2 > last[$1] + 0) last[$1] = $2; next } $2 <= last[$1]' "$dir/of-cron" -
}

compare() {
    say "the same lines in cron and Airflow, from $from until $until"
    # The last runs of cron take so long.
    sleep 210
    runs cron >"$dir/of-cron"
    wait_for 300 "all slots in Airflow" has_all_slots || cat "$dir/slots.diff"
    wait_for 300 "the ends of all runs in Airflow" has_all_runs || true
    of_airflow >"$dir/of-airflow"
    diff <(cut -f 1,2,4 "$dir/of-cron") <(cut -f 1,2,4 "$dir/of-airflow") ||
        fail "arguments, environment, output or status differ"
    [ "$(cut -f 1 "$dir/of-cron" | sort -u | wc -l)" -ge 17 ] || fail "not all lines have run"
    say "$(slots_of_cron | wc -l) slots and $(wc -l <"$dir/of-cron") runs of $(cut -f 1 "$dir/of-cron" | sort -u | wc -l) jobs in each"
    paste "$dir/of-cron" "$dir/of-airflow" | perl -F'\t' -ane '
        my ($cron, $airflow) = map { my @t = /(\d+):(\d+):(\d+)/; ($t[0] * 60 + $t[1]) * 60 + $t[2] } @F[2, 6];
        push @late, $airflow - $cron;
        END { @late = sort { $a <=> $b } @late; printf "Airflow later by %d to %d s, half of them by %d s at most\n", @late[0, -1], $late[@late / 2] }'
}

# Starts of a job in both logs, each minute once?
starts_of() { runs "$1" | awk -F'\t' -v job="$2" 'index($1, job) == 1 { print substr($3, 12, 5) }'; }

move() {
    local line="*/5 * * * * root remoteexe host_moved $SANDBOX/srv/show.sh" id slot end
    say "a line moves to Airflow, and back"
    crontab_of_cron "$line"
    wait_for 400 "the line in cron" has_started cron host_moved 1
    to_second 20
    : >"$dir/crontab"
    echo "$line" >>"$dir/airflow.crontab"
    write_dags
    wait_for 800 "the line in Airflow" has_started airflow host_moved 2
    to_second 20
    id=$(sql "SELECT dag_id FROM dag WHERE dag_id LIKE 'host_moved%'")
    airflow dags pause -y "$id" >/dev/null
    sed -i '/host_moved/d' "$dir/airflow.crontab"
    crontab_of_cron "$line"
    write_dags
    wait_for 800 "the line in cron again" has_started cron host_moved 3
    { starts_of cron host_moved; starts_of airflow host_moved; } | awk -F: '{ print int(($1 * 60 + $2) / 5) }' | sort -n >"$dir/moved"
    slot=$(head -n 1 "$dir/moved") end=$(tail -n 1 "$dir/moved")
    diff <(seq "$slot" "$end") "$dir/moved" || fail "a run of the moved line is missing or was made twice"
    say "moved there and back: $(wc -l <"$dir/moved") slots, each with one START"
}
# Only this line, with the variables of all lines.
crontab_of_cron() { { lines cron | grep '^[A-Z_]* \?='; echo "$1"; } >"$dir/crontab"; }
has_started() { [ "$(starts_of "$1" "$2" | wc -l)" -ge "$3" ]; }

clear_a_task() {
    say "a task is cleared"
    local id
    id=$(sql "SELECT dag_id FROM dag WHERE dag_id LIKE 'host_overlap%'")
    airflow tasks clear -y "$id" --only-running >/dev/null
    wait_for 60 "END,143" grep -q 'END,143,host_overlap' "$dir"/logs-airflow/*.log
}

stop_the_scheduler() {
    say "Airflow's scheduler is killed, and stands still for three minutes"
    to_second 25
    # A task that was cleared has had two STARTs.
    local starts runs
    starts=$(starts_of airflow host_overlap | wc -l)
    runs=$(runs_of_overlap)
    kill -KILL "$scheduler"
    wait "$scheduler" || true
    from=$(date +%T)
    sleep 185
    scheduler
    wait_for 200 "a start after it" has_start_after "$(date +%H:%M)"
    # A START that comes later than usual may belong to the slot before its own: the report waits for prompt ones.
    wait_for 1800 "the names of the missed slots" names_the_missed_slots
    cat "$dir/report"
    sql "SELECT run_after, COUNT(*) AS runs FROM dag_run WHERE dag_id LIKE 'host_env.%' GROUP BY 1 HAVING runs > 1" |
        grep . && fail "a slot was made up twice"
    # A run of host_overlap was going on when the scheduler was killed.
    [ $(($(starts_of airflow host_overlap | wc -l) - starts)) -eq $(($(runs_of_overlap) - runs)) ] ||
        fail "a run was started twice, or never"
}
names_the_missed_slots() {
    remoteexe --report --runs --host host_env --since "$from" --crontab "$dir/airflow.crontab" \
        --log-dir "$dir/logs-airflow" --no-pager >"$dir/report" || true
    [ "$(grep -c ': not started,' "$dir/report")" -ge 2 ]
}
runs_of_overlap() {
    sql "SELECT COUNT(DISTINCT run_id) FROM task_instance
        WHERE dag_id LIKE 'host_overlap.%' AND start_date IS NOT NULL"
}
has_start_after() { starts_of airflow host_env | awk -v time="$1" '$1 > time { found = 1 } END { exit !found }'; }

furnish
install -m 600 -o nobody "$SANDBOX/id" "$SANDBOX/id-nobody"
install -d -o nobody "$dir"/logs-nobody-{cron,airflow}
lines airflow >"$dir/airflow.crontab"
# Not yet: Airflow has time to read it, and starts no line until both begin.
touch -d '1 hour' "$dir/airflow.crontab"
write_dags
for check in check "format --check"; do
    # shellcheck disable=SC2086  # two words
    "$venv/bin/ruff" $check -q "$dir/dags/remoteexe.py" || fail "ruff has something to say against the DAGs"
done
grep -q 'no time ever matches' "$dir/messages" || fail "5-1 is not left out"
cat "$dir/messages"
AIRFLOW_HOME=$dir/empty "$venv/bin/python" "$dir/dags/remoteexe.py" || fail "the DAGs cannot be imported"
[ ! -e "$dir/empty/airflow.db" ] || fail "the import needs Airflow's database"
say "Airflow starts"
start_airflow
# The crontabs are of the same minute, so that both begin with the same slot.
to_second 30
from=$(date -d '+1 minute' +%H:%M:00) until=$(date -d "+$((minutes + 1)) minutes" +%H:%M:00)
lines cron >"$dir/crontab"
# Not earlier: cron reads a file again only if its time has another second, and could see this one half written.
/usr/sbin/cron -f &
touch "$dir/airflow.crontab"
write_dags
say "until $until both run the same lines"
sleep $((minutes * 60))
: >"$dir/crontab"
compare
clear_a_task
move
stop_the_scheduler
[ $failed -ne 0 ] || say "all as the manual says"
exit $failed
