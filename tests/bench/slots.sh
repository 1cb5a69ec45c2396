# Measures what the crontabs add to a report: 500 lines over 31 days. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154  # run.sh sets the variables.

slots() {
    local lines days expected name cpu searched='' without='' added
    lines=$(by_size 50 500 500)
    days=31
    expected=$((days * (288 + 96 + 48 + 24 + 1) * lines / 5))
    note "slots: making the logs of $expected slots"
    mkdir "$work/slots"
    perl "$here/slots.pl" "$lines" "$work/slots"
    # As if its lines had been there for long: else nothing is judged.
    touch --date 2025-01-01 "$work/slots/crontab"
    header "$lines lines, $days days, $expected slots" "CPU, least (ms)" "of rg's CPU" target verdict
    # rg only counts the lines with END.
    for name in rg without with; do
        note "slots: $name"
        cpu=$(least_cpu_of "$name")
        : "${searched:=$cpu}"
        [ "$name" != without ] || without=$cpu
        row "$name" "$cpu" "$(calculate %.1f "$cpu / $searched") x" "" ""
    done
    added=$((cpu - without))
    row "with, less without" "$added" "$(calculate %.1f "$added / $searched") x" "<= 100 ms" \
        "$(verdict "$added <= 100")"
    check_slots
    rm -rf "$work/slots"
}

# slots_command NAME: runs the command to measure.
slots_command() {
    local report=(remoteexe --report --log-dir "$work/slots/log" --since 2026-01-01 --until '2026-02-01 00:00')
    case $1 in
        rg) rg --no-config --count END, "$work/slots/log" ;;
        without) "${report[@]}" --no-crontab ;;
        with) "${report[@]}" --crontab "$work/slots/crontab" ;;
    esac
}

# least_cpu_of NAME: the least CPU time of some runs of the command, in milliseconds. The least one, because other
# programs can only make it longer.
least_cpu_of() {
    local i TIMEFORMAT='%U %S'
    for ((i = 0; i < $(by_size 2 9 9); i++)); do
        # The report exits with 1, because one slot is missing.
        { time slots_command "$1" >/dev/null 2>&1 || true; } 2>&1
    done | awk '{ cpu = 1000 * ($1 + $2) } NR == 1 || cpu < least { least = cpu } END { printf "%.0f\n", least }'
}

# Checks that one slot is missing, and no other.
check_slots() {
    local seen
    seen=$(slots_command with 2>/dev/null | grep -E '^NOT STARTED|^CRON DOWN|1 run missing' | tr -s ' ' || true)
    case $seen in
        "NOT STARTED 01-20 12:00 host_batch0 "*"1 run missing, started again 01-20 12:05") ;;
        *) fail "the report named other slots than the missing one: $seen" ;;
    esac
}
