# Measures what the crontabs add to a report: 500 lines over 31 days. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154  # run.sh sets the variables.

slots() {
    local lines days expected name added searched
    lines=$(by_size 50 500 500)
    days=31
    expected=$((days * (288 + 96 + 48 + 24 + 1) * lines / 5))
    note "slots: making the logs of $expected slots"
    mkdir "$work/slots"
    perl "$here/logs.pl" "$work/slots" "$lines" "$days" 0 5 15 30 60 1440
    # As if its lines had been there for long: else nothing is judged.
    touch --date 2025-01-01 "$work/slots/crontab"
    rounds "$(by_size 2 9 9)" slots_command rg without with
    check_slots
    searched=$(least rg user)
    header "$lines lines, $days days, $expected slots" "user CPU, least (s)" "of rg's" target verdict
    # rg only counts the lines with END. With --quick it may take no time that can be measured.
    for name in rg without with; do
        row "$name" "$(least "$name" user)" "$(calculate %.1f "$(least "$name" user) / ($searched + 1e-6)") x" "" ""
    done
    added=$(calculate %.3f "$(least with user) - $(least without user)")
    row "with, less without" "$added" "" "<= 0.1" "$(verdict "$added <= 0.1")"
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

# Checks that one slot is missing, and no other.
check_slots() {
    local seen
    seen=$(slots_command with 2>/dev/null | grep -E '^NOT STARTED|^CRON DOWN|1 run missing' | tr -s ' ' || true)
    case $seen in
        "NOT STARTED 01-20 12:00 host_batch0 "*"1 run missing, started again 01-20 12:05") ;;
        *) fail "the report named other slots than the missing one: $seen" ;;
    esac
}
