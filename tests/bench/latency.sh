# Counts wake-ups, times a line's way to the log, and counts the system calls of a flood of lines. Sourced by
# run.sh.
# shellcheck shell=bash disable=SC2154  # run.sh sets the variables.

latency() {
    header "what" measured target verdict
    latency_idle "$(by_size 2 10 60)"
    latency_trickle "$(by_size 20 200 200)"
    latency_flood "$(by_size 20000 200000 200000)"
}

# probe MODE ARGUMENT...: runs remoteexe with probe.pl in place of ssh and prints its report.
probe() {
    fresh_log
    # shellcheck disable=SC2016
    REPORT=$work/report FAKE_SSH="exec perl \"\$BENCH/probe.pl\" $*" remoteexe host script ||
        fail "probe.pl $*: $(cat "$(log_file)")"
    cat "$work/report"
}

latency_idle() {
    note "latency: idle for $1 s"
    local wakeups ticks
    read -r wakeups ticks < <(probe idle "$1")
    row "wake-ups of an idle job in $1 s" "$wakeups" 0 "$(verdict "$wakeups == 0")"
    row "its CPU time in clock ticks of $((1000 / $(getconf CLK_TCK))) ms" "$ticks" 0 "$(verdict "$ticks == 0")"
}

latency_trickle() {
    note "latency: a trickle of $1 lines"
    local median longest wakeups per_line
    read -r median longest wakeups < <(probe trickle "$1")
    per_line=$(calculate %.2f "$wakeups / $1")
    row "a line is in the log after (us, median and longest of $1)" "$median, $longest" "" ""
    row "wake-ups per line" "$per_line" 1 "$(verdict "$per_line <= 1.1")"
}

latency_flood() {
    note "latency: strace of a flood of $1 lines"
    local reads writes largest calls
    read -r reads writes largest calls < <(trace_flood "$1")
    row "reads of the pipe for $1 lines of 80 bytes" "$reads" "" ""
    # START, command and END are not part of the flood.
    row "appends to the log, without START, command and END" "$((writes - 3))" "<= $reads" \
        "$(verdict "$writes - 3 <= $reads")"
    row "the largest append (bytes)" "$largest" "<= 1048576" "$(verdict "$largest <= 1048576")"
    row "system calls of all kinds per read" "$(calculate %.1f "$calls / $reads")" "" ""
}

# trace_flood LINES: prints how many reads returned bytes, how many writes went to the log, the largest of
# these, and how many system calls there were.
trace_flood() {
    fresh_log
    # Without -f strace sees remoteexe only, not its ssh. With -y it shows the file behind each descriptor.
    FAKE_SSH="yes $(printf '%079d' 0) | head -n $1" \
        strace -qq -y -s 0 -o "$work/trace" remoteexe host script
    [ "$(wc -l <"$(log_file)")" -eq $(($1 + 3)) ] || fail "the log does not hold the whole traced flood"
    awk '
        /^[a-z_0-9]+\(/                            { calls++ }
        /^readv?\([0-9]+<pipe:.* = [1-9][0-9]*$/   { reads++ }
        /^writev?\([0-9]+<.*_remoteexe\.log>/      { writes++; if ($NF > largest) largest = $NF }
        END                                        { print reads + 0, writes + 0, largest + 0, calls + 0 }
    ' "$work/trace"
}
