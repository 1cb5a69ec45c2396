# Measures the peak memory for a flood of output. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154  # run.sh sets the variables.

memory() {
    local megabytes seconds
    megabytes=$(by_size 50 1000 10000)
    seconds=$(by_size 2 5 60)
    header output "peak resident size (kB)" target verdict
    memory_row "$megabytes MB in lines of 80 bytes" \
        "yes $(printf '%079d' 0) | head -c ${megabytes}000000" $((megabytes * 12500)) "$megabytes"
    # The rest after the last full record is a record too.
    megabytes=$(by_size 50 1000 1000)
    memory_row "one line of $megabytes MB" \
        "head -c ${megabytes}000000 /dev/zero | tr '\0' x" \
        $(((megabytes * 1000000 + (1 << 20) - 129) / ((1 << 20) - 128))) "$megabytes"
    memory_row "100000 lines of 80 bytes a second for $seconds s" \
        "perl \"\$BENCH/probe.pl\" paced 100000 $seconds" $((seconds * 100000)) $((seconds * 8))
}

# memory_row LABEL SHELL_COMMAND LINES MB: the row for the output of a command. It makes LINES records and MB
# megabytes.
memory_row() {
    note "memory: $1"
    fresh_log
    # grep runs when remoteexe has read everything and sleeps. That is not too late: the peak never shrinks.
    export FAKE_SSH="$2; sleep 0.3; grep VmHWM /proc/\$PPID/status >\"\$LOG/peak\""
    if [ "$(space_left)" -ge $((2 * $4 + 1000)) ]; then
        remoteexe host script
        check_memory_log "$3"
    else
        note "memory: no room for the whole log; it is deleted again and again, and not checked"
        without_keeping_the_log remoteexe host script
    fi
    local peak
    peak=$(awk '{ print $2 }' "$LOG/peak")
    row "$1" "$peak" "< 8192" "$(verdict "$peak < 8192")"
    rm -rf "$LOG"
}

# check_memory_log LINES: checks that the log holds so many records beside START, command and END.
check_memory_log() {
    local lines
    lines=$(wc -l <"$(log_file)")
    [ "$lines" -eq $(($1 + 3)) ] || fail "$lines records instead of $(($1 + 3)) are in the log"
}

without_keeping_the_log() {
    "$@" &
    local job=$!
    while kill -0 "$job" 2>/dev/null; do
        sleep 0.5
        rm -f "$LOG"/*_remoteexe.log
    done
    wait "$job" || fail "$* failed"
}
