# Measures what the crontabs add to a report: 500 lines over 31 days. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154  # run.sh sets the variables.

slots() {
    local lines days expected name added i cpu
    # The least of some rounds: other programs can only make it longer.
    local -A least=()
    lines=$(by_size 50 500 500)
    days=31
    expected=$((days * (288 + 96 + 48 + 24 + 1) * lines / 5))
    note "slots: making the logs of $expected slots"
    mkdir "$work/slots"
    perl "$here/slots.pl" "$lines" "$work/slots"
    # As if its lines had been there for long: else nothing is judged.
    touch --date 2025-01-01 "$work/slots/crontab"
    for ((i = 1; i <= $(by_size 2 9 9); i++)); do
        note "slots: round $i"
        for name in rg without with; do
            cpu=$(slots_cpu "$name")
            [ "${least[$name]:-$cpu}" -lt "$cpu" ] || least[$name]=$cpu
        done
    done
    # With --quick rg may take no time that can be measured.
    [ "${least[rg]}" -gt 0 ] || least[rg]=1
    check_slots
    header "$lines lines, $days days, $expected slots" "user CPU, least (ms)" "of rg's" target verdict
    # rg only counts the lines with END.
    for name in rg without with; do
        row "$name" "${least[$name]}" "$(calculate %.1f "${least[$name]} / ${least[rg]}") x" "" ""
    done
    added=$((least[with] - least[without]))
    row "with, less without" "$added" "$(calculate %.1f "$added / ${least[rg]}") x" "<= 100 ms" \
        "$(verdict "$added <= 100")"
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

# slots_cpu NAME: the user CPU time of the command in milliseconds.
slots_cpu() {
    local TIMEFORMAT=%U
    # The report exits with 1, because one slot is missing.
    { time slots_command "$1" >/dev/null 2>&1 || true; } 2>&1 | awk '{ printf "%.0f", 1000 * $1 }'
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
