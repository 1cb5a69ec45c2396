# shellcheck shell=bash
# What a case has besides the programs of the system. DIR is its directory, BIN that of remoteexe. `ssh` is
# tests/fake/ssh: it runs the script in FAKE_SSH.
set -o pipefail
ulimit -t 60
# An incident of a first screen is one line. Cases about the layout set COLUMNS=80, which is also the width without it.
export COLUMNS=240

# A log of the bash original: output is logged at the end of a run, a run without output has a blank record, and many
# runs have one process id. At the end two runs overlap, and one has no END.
# shellcheck disable=SC2034  # for the cases
ORIGINAL=${BASH_SOURCE[0]%/*}/original.log

# The texts of the records in the log, without times and process ids.
WITHOUT_PREFIX='s/^\[[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\]\[[0-9]+\] //'
WAIT='s/^(retry,.*,wait )[0-9]+\.[0-9]{3} s$/\1S s/'
texts() {
    sed -E "$WITHOUT_PREFIX" log/*
}

# job SSH [OPTION]... HOST SCRIPT [PARAMETER]...: runs a job in front of an ssh that runs the shell script SSH, and prints
# the texts of its records.
job() {
    rm -rf log/*
    FAKE_SSH=$1 remoteexe "${@:2}"
    set -- $?
    texts
    return "$1"
}

# goes_on [OPTION]... HOST SCRIPT [PARAMETER]...: starts a job whose ssh goes on until the command of the case is over.
goes_on() {
    FAKE_SSH='echo ready; exec sleep 1000' remoteexe "$@" &
    trap 'kill $!' EXIT
    until grep -qs 'ready' log/*; do sleep 0.01; done
}

# signalled SIGNALS SSH [OPTION OF ENV]...: sends the signals to a job in front of an ssh that runs SSH, once that has said
# that it is ready. The file `go` follows them. Prints the status and the texts of the records, and whether ssh still runs.
signalled() {
    rm -f log/* go
    FAKE_SSH="echo \$\$ >ssh-pid; $2" env --default-signal "${@:3}" remoteexe h s &
    until grep -qs 'ready' log/*; do sleep 0.01; done
    for signal in $1; do kill -s "$signal" $!; done
    : >go
    wait $!
    echo "$? $(texts | paste -sd '|')"
    [ ! -e "/proc/$(<ssh-pid)" ] || echo 'ssh runs'
}

# masks: the names of masks of signals in a /proc/PID/status on standard input, without those of real-time signals.
masks() {
    while read -r name mask; do echo "$name $((16#$mask & 0x7fffffff))"; done
}
# shellcheck disable=SC2034  # for the cases
READY='echo ready; while :; do sleep 0.02; done' UNTIL_GO='echo ready; until [ -e go ]; do sleep 0.01; done'

# terminal COLUMNS COMMAND [ARG]...
terminal() {
    TERM=xterm PAGER='' env -u COLUMNS script -qec "stty cols $1; exec ${*:2}" /dev/null | sed 's/\r$//'
}

# at TIME COMMAND [ARG]...: the command at that time, which does not pass.
at() {
    FAKETIME="$(date -d "$1" +%s)" FAKETIME_FMT=%s LD_PRELOAD="/usr/\$LIB/faketime/libfaketime.so.1" "${@:2}"
}

# booted TIME COMMAND [ARG]...: the command on a machine that was booted then.
booted() {
    printf 'cpu  1 0 1 1\nbtime %s\nprocesses 1\n' "$(date -d "$1" +%s)" >stat
    "$OWN_MOUNTS" sh -euc "mount --bind stat /proc/stat; exec \"\$@\"" sh "${@:2}"
}

# refused [ARG]...: prints the operands and the reason of a command line that is refused with 10 before any ssh is run.
# The log has the same reason as standard error, or only the usage lines, as the bash original logs.
refused() {
    local said log operands
    rm -rf log/*
    said=$(FAKE_SSH='touch ssh-was-run' remoteexe "$@" 2>&1)
    [ $? = 10 ] && [ ! -e ssh-was-run ] || echo 'not refused'
    said=${said%$'\n\nUsage: remoteexe [OPTIONS] <HOST> <SCRIPT> [PARAMETERS]...\n\nFor more information, try \'--help\'.'}
    said=${said/$'\n\n  tip: '/; tip: }
    log=$(texts | sed '/^usage: remoteexe target/,/^e\.g\.) .*user_batch02/d')
    operands=${log##*END,10,}
    case $log in
    "START,-,$operands"$'\n'"$said"$'\n'"END,10,$operands") echo "$operands: $said" ;;
    "START,-,$operands"$'\n'"END,10,$operands") echo "$operands: $said (not in the log)" ;;
    *) printf '%s\n' "$log" "$said" ;;
    esac
}

# in_private_tmp [OPTION]... [VARIABLE=VALUE]... COMMAND [ARG]...: env(1) where /tmp is the log directory and PATH has
# remoteexe and an ssh that does nothing. The build may be below /tmp, so it is copied first.
in_private_tmp() {
    # shellcheck disable=SC2016  # expanded there
    "$OWN_MOUNTS" sh -euc 'mount -t tmpfs none /mnt; cp "$BIN/remoteexe" /mnt; cp /bin/true /mnt/ssh
        mount --bind log /tmp; PATH=/mnt exec /usr/bin/env "$@"' sh "$@"
}

# as USER COMMAND [ARG]...: runs the command as this user, who can run remoteexe and reach the directory of the case.
as() {
    mkdir -p bin
    [ -e bin/remoteexe ] || cp "$BIN/remoteexe" "$(command -v ssh)" bin
    chmod 755 .
    PATH=$DIR/bin:/usr/bin:/bin setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"
}

# Today's log.
printf -v day '%(%Y%m%d)T'
# shellcheck disable=SC2034  # for the cases
daily=log/${day}_remoteexe.log

# with_ssh [ARG]...: remoteexe in front of the system's own ssh.
with_ssh() {
    PATH=/usr/bin:/bin "$BIN/remoteexe" "$@"
}

# server GREETING [ends]: starts a server on a `port` of 127.0.0.1. It greets each client and is silent from then on, or
# sends no more at all. Of each client whose greeting has come, the file `connected` gets a line.
server() {
    rm -f port
    # shellcheck disable=SC2016  # of Perl
    perl -MIO::Socket::INET -e 'my ($greeting, $ends) = @ARGV;
        my $server = IO::Socket::INET->new(Listen => 9, LocalAddr => "127.0.0.1");
        sub note { open my $file, ">>", $_[0]; print $file "$_[1]\n" }
        note("port", $server->sockport);
        while (my $client = $server->accept) {
            push @clients, $client;
            $client->send($greeting);
            $client->shutdown(1) if $ends;
            note("connected", 1) if sysread $client, my $greeted, 8;
        }' "$@" &
    trap 'kill $(jobs -p)' EXIT
    until [ -s port ]; do sleep 0.01; done
    # shellcheck disable=SC2034  # for the cases
    port=$(<port)
}

# lives PID: whether the process is there, and no zombie.
lives() {
    grep -qs '^State:.[^Z]' "/proc/$1/status"
}

# tried COMMAND [ARG]...: prints what the command prints, and then each log with the texts of its records. DAY stands
# for today, UID for the ordinary user, RUN for the random part of a name, and S for the seconds of a wait.
tried() {
    (
        "$@"
        status=$?
        for file in log/*; do
            [ ! -f "$file" ] || [ -h "$file" ] || echo "$file: $(sed -E "$WITHOUT_PREFIX; $WAIT" "$file" | paste -sd '|')"
        done
        exit $status
    ) 2>&1 | sed -E "$WITHOUT_PREFIX; s/$day/DAY/g; s/\.[0-9a-f]{16}\.log/.RUN.log/g; s/([. ])$(id -u remoteexe-test)([.,;])/\1UID\2/g"
}

# in_days LOG: moves the records of LOG into the logs of their days, each last written to when its last record was.
in_days() {
    awk '{ print >("log/" substr($0, 2, 4) substr($0, 7, 2) substr($0, 10, 2) "_remoteexe.log") }' "$1"
    for file in log/*; do touch -d "$(tail -n 1 "$file" | cut -c 2-20)" "$file"; done
}

# incidents: the problems of a first screen on standard input.
incidents() {
    sed '1,/^$/d; /^$/d; /^\(Crontab\|Running\|Overlaps\|Failures\|Healthy\) /,$d'
}

# fact NAME: of a first screen on standard input the lines of one of the facts below the problems, such as Crontab.
fact() {
    awk -v name="$1" '/^[^ ]/ || /^$/ { is_it = index($0, name) == 1 } is_it'
}

# watched: of a first screen on standard input the good runs that are not as usual.
watched() {
    sed -n '/^Watch/,/^$/{//!p}'
}

# task [SLOT [TRY]]: runs the task of the first DAG in dags.py, as Airflow does.
task() {
    local id
    id=$(sed -n '/^    Line("/{s///; s/".*//p; q}' dags.py)
    python3 "${OWN_MOUNTS%/try/*}/contract/airflow/engine.py" dags.py run "$id" "$@"
}

# with_crontabs COMMAND [ARG]...: runs the command where the only crontabs of the machine are the files root and
# remoteexe-test of the case, as users' crontabs, and where /tmp is the log directory.
with_crontabs() {
    mkdir -p spool none
    for user in root remoteexe-test; do
        cp $user spool && chmod 600 spool/$user && chown $user spool/$user
    done
    # shellcheck disable=SC2016  # expanded there
    env -u REMOTEEXE_LOG_DIR "$OWN_MOUNTS" sh -euc 'mount --bind spool /var/spool/cron/crontabs; mount --bind none /etc/cron.d
        ! [ -e /etc/crontab ] || mount --bind /dev/null /etc/crontab
        mount -t tmpfs none /mnt; cp "$BIN/remoteexe" /mnt; mount --bind log /tmp; PATH=/mnt:$PATH exec "$@"' sh "$@"
}

# faults [HEAD]: prints what --check reports for each line of standard input, in a crontab that begins with HEAD.
faults() {
    while IFS= read -r line; do
        printf '%s\n' "PATH=$BIN:/usr/bin:/bin" ${1:+"$1"} "$line" >"crontab"
        remoteexe --report --check --crontab crontab | sed 1d
    done
}

# manual: the manual as a reader sees it, without the indentation of sections. A line that ends with a backslash goes on.
manual() {
    remoteexe --generate man | mandoc -Tascii -Owidth=200 | sed -E 's/.\x08//g; s/^ {5}//' | sed ':line; /\\$/ { N; s/\\\n//; b line; }'
}

# part HEADING: the source of the manual below a heading, up to the next one of its kind.
part() {
    remoteexe --generate man | awk -v heading="$1" '
        /^\.S[hs] / { is_it = $0 == heading || is_it && /^\.Ss/ && heading ~ /^\.Sh/ }
        is_it'
}

# names MACRO HEADING: the names that are items of this kind in a part of the manual.
names() {
    part "$2" | sed -n "s/^\.It $1 //p" | sed 's/ , /\n/g' | sort -u
}
