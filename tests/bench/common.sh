# The functions that all sections of the benchmark share. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154  # run.sh sets the variables.

note() {
    echo "bench: $*" >&2
}

# Reports a wrong output. Leaves a file, because the caller may be a subshell.
fail() {
    note "INCOMPLETE: $*"
    : >"$work/incomplete"
}

# by_size QUICK DEFAULT FULL: the argument for the chosen size.
by_size() {
    case $size in
        quick) echo "$1" ;;
        default) echo "$2" ;;
        full) echo "$3" ;;
    esac
}

# calculate FORMAT EXPRESSION: the value of an awk expression.
calculate() {
    awk "BEGIN { printf \"$1\", $2 }"
}

# verdict CONDITION: a cell, met or MISSED.
verdict() {
    awk "BEGIN { exit !($1) }" && echo met || echo MISSED
}

# row CELL...: a line of a Markdown table.
row() {
    printf '|'
    printf ' %s |' "$@"
    printf '\n'
}

# header CELL...: the first two lines of a Markdown table.
header() {
    row "$@"
    local cells=("${@/*/---}")
    row "${cells[@]}"
}

space_left() {
    df --output=avail -B 1000000 "$work" | tail -n 1
}

# require_space MB
require_space() {
    [ "$(space_left)" -ge "$1" ] && return
    note "$work: less than $1 MB left; set TMPDIR to a directory with more space"
    exit 1
}

fresh_log() {
    rm -rf "$LOG"
    mkdir "$LOG"
}

# The one log file that remoteexe or original.sh has written.
log_file() {
    echo "$LOG"/*_remoteexe.log
}

# logged_output FILE: the output in the log of one job, without START, command, END and prefixes.
logged_output() {
    local first prefix
    read -r first <"$1"
    prefix=${first%%START,*}
    tail -n +3 "$1" | head -n -1 | cut -b "$((${#prefix} + 1))-"
}

# Runs hyperfine silently and keeps its results in `work`/results.json. The standard input and output of each
# command are /dev/null.
measure() {
    hyperfine --style none --export-json "$work/results.json" "$@" >/dev/null
}

# result EXPRESSION: a jq expression, applied to hyperfine's results.
result() {
    jq -r ".results$1" "$work/results.json"
}

# rounds COUNT COMMAND NAME...: runs `COMMAND NAME` for one NAME after the other, COUNT times after a first time, and
# keeps the seconds of wall, user and system time.
rounds() {
    local count=$1 run=$2 i name TIMEFORMAT='%R %U %S'
    shift 2
    rm -rf "$work/times"
    mkdir "$work/times"
    for ((i = 0; i <= count; i++)); do
        note "round $i of $count"
        for name in "$@"; do
            # A report exits with 1 if a run failed.
            { time "$run" "$name" >/dev/null 2>&1 || true; } 2>>"$work/times/$name"
        done
    done
}

# least NAME wall|user|cpu: the least time, without the first round. Other programs can only make it longer.
least() {
    tail -n +2 "$work/times/$1" | awk "{ wall = \$1; user = \$2; cpu = \$2 + \$3; printf \"%.3f\n\", $2 }" | sort -n | head -n 1
}
