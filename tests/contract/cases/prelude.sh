# shellcheck shell=bash
# What a case has besides the programs of the system. DIR is its directory, BIN that of remoteexe. `ssh` is
# tests/fake/ssh: it runs the script in FAKE_SSH.
set -o pipefail
ulimit -t 60

# The texts of the records in the log, without times and process ids.
texts() {
    sed -E 's/^\[[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\]\[[0-9]+\] //' log/*
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

# terminal COLUMNS COMMAND [ARG]...
terminal() {
    TERM=xterm PAGER='' script -qec "stty cols $1; exec ${*:2}" /dev/null | sed 's/\r$//'
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
