# What the sections of the benchmark share. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154

note() {
    echo "bench: $*" >&2
}

# An output is not what it has to be. A file, because a subshell may be the one to see it.
fail() {
    note "INCOMPLETE: $*"
    : >"$work/incomplete"
}

# by_size QUICK DEFAULT FULL: the one that the size asks for.
by_size() {
    case $size in
        quick) echo "$1" ;;
        default) echo "$2" ;;
        full) echo "$3" ;;
    esac
}

# calculate FORMAT EXPRESSION: what awk makes of it.
calculate() {
    awk "BEGIN { printf \"$1\", $2 }"
}

# verdict CONDITION: a cell that says whether it holds.
verdict() {
    awk "BEGIN { exit !($1) }" && echo met || echo MISSED
}

# row CELL...: a line of a Markdown table.
row() {
    printf '|'
    printf ' %s |' "$@"
    printf '\n'
}

# header CELL...: its first two lines.
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
    note "$work: fewer than $1 MB left; set TMPDIR to a directory with more"
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

# logged_output FILE: the lines of output in the log of one job: no START, no command, no END and no prefixes.
logged_output() {
    local first prefix
    read -r first <"$1"
    prefix=${first%%START,*}
    tail -n +3 "$1" | head -n -1 | cut -b "$((${#prefix} + 1))-"
}

# hyperfine with its results in `work`/results.json and nothing on the terminal. Each command's standard
# input and output are /dev/null.
measure() {
    hyperfine --style none --export-json "$work/results.json" "$@" >/dev/null
}

# result EXPRESSION: of hyperfine's results, by jq.
result() {
    jq -r ".results$1" "$work/results.json"
}
