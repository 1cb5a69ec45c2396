# Measures how fast --report reads large logs, with a crontab of 500 lines. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154  # run.sh sets the variables.

# An awk program that only pairs START and END by process id.
# shellcheck disable=SC2016  # awk expands it.
pairing='$5 ~ /^ START,/ { start[$4] = $2 } $5 ~ /^ END,/ { print $4, start[$4], $2, $5; delete start[$4] }'

report() {
    local one=0 awk
    awk=$(basename "$(readlink -f "$(command -v awk)")")
    # A day in one file; a week of as many runs; and ten times that day.
    report_of 1 "1 5 10 15 60" rg "$awk" view --html --failed "--run 1500" --json gzip
    report_of 7 "10 20 30 60 1440" rg view --html
    report_of "$(by_size 2 10 10)" "1 5 10 15 60" rg view --html
}

# report_of DAYS STEPS NAME...: a table for logs of so many days, whose runs start every so many minutes.
report_of() {
    local days=$1 steps=$2 runs wall name searched judged bytes
    shift 2
    require_space $((days > 7 ? 11000 : 2500))
    note "report: making the logs of $days days"
    mkdir "$work/report"
    # shellcheck disable=SC2086  # Each step is a word.
    perl "$here/logs.pl" "$work/report" "$(by_size 50 500 500)" "$days" 50 $steps
    # As if its lines had been there for long: else nothing is judged.
    touch --date 2025-01-01 "$work/report/crontab"
    logs=("$work"/report/log/*)
    until=$(date --utc --date "2026-01-01 + $days days" '+%F 00:00')
    case " $* " in *" gzip "*) gzip --fast <"${logs[0]}" >"$work/report/log.gz" ;; esac
    runs=$(cat "${logs[@]}" | grep -c '\] START,')
    for name in "$@"; do
        check_report "$name" "$runs"
    done
    rounds "$(by_size 1 5 5)" report_command "$@"
    searched=$(least rg wall)
    bytes=$(cat "${logs[@]}" | wc -c)
    header "$((bytes / 1000000)) MB, $runs runs, ${#logs[@]} files" "wall, least (s)" "of rg's wall" "CPU, least (s)" \
        "peak resident size (kB)" target verdict
    for name in "$@"; do
        wall=$(least "$name" wall)
        judged=("" "")
        [[ $name != @(view|--html) || $days -gt 7 ]] || judged=("<= 3 x" "$(verdict "$wall <= 3 * $searched")")
        if [[ $days -gt 7 && $name == view ]]; then
            judged=("<= 10.5 x $one" "$(verdict "$wall <= 10.5 * $one")")
        fi
        [[ $name != view || $days -gt 1 ]] || one=$wall
        row "$name" "$wall" "$(calculate %.1f "$wall / $searched") x" "$(least "$name" cpu)" \
            "$(peak_of "$name")" "${judged[@]}"
    done
    rm -rf "$work/report"
}

# report_command NAME [exec]: runs the command to measure. rg only counts the lines with END, on one thread, which it
# uses for one file anyway.
report_command() {
    local report=("${@:2}" remoteexe --report --log-dir "$work/report/log" --crontab "$work/report/crontab")
    report+=(--since 2026-01-01 --until "$until")
    case $1 in
        rg) "${@:2}" rg --no-config --threads 1 --count END, "${logs[@]}" ;;
        view) "${report[@]}" ;;
        --html) "${report[@]}" --html - ;;
        gzip) "${@:2}" remoteexe --report "$work/report/log.gz" ;;
        --run*) "${report[@]}" --run "${1#--run }" ;;
        --*) "${report[@]}" "$1" ;;
        *) "${@:2}" awk -F '[][]' "$pairing" "${logs[@]}" ;;
    esac
}

# check_report NAME RUNS: checks that the command sees all runs.
check_report() {
    local seen expected=$2
    note "report: checking $1"
    seen=$({ report_command "$1" 2>/dev/null || true; } | runs_in "$1")
    case $1 in
        --failed) expected=$(cat "${logs[@]}" | grep -c '\] END,[^0]') ;;
        --run*) expected=1 ;;
    esac
    [ "$seen" = "$expected" ] || fail "$1 saw $seen of $expected runs"
}

# runs_in NAME: counts the runs in the command's output.
runs_in() {
    case $1 in
        rg) awk -F : '{ runs += $NF } END { print runs }' ;;
        view | gzip) sed -n 's/^runs \([0-9]*\) .*/\1/p' ;;
        # Reads all of the page, so that no pipe breaks.
        --html) grep -o '[0-9,]* runs' | sed -n '1s/[^0-9]//gp' ;;
        --failed) sed -n 's/.* failed \([0-9]*\) .*/\1/p' ;;
        --run*) grep -c '\] END,' || true ;;
        *) wc -l ;;
    esac
}

# peak_of NAME: the command's peak resident size, as last seen before its end.
peak_of() {
    local pid peak='' seen
    report_command "$1" exec >/dev/null 2>&1 &
    pid=$!
    while seen=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null) && [ -n "$seen" ]; do
        peak=$seen
    done
    wait "$pid" || true
    echo "$peak"
}
