# Measures how fast --report reads a large log. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154  # run.sh sets the variables.

# An awk program that only pairs START and END by process id.
# shellcheck disable=SC2016  # awk expands it.
pairing='$5 ~ /^ START,/ { start[$4] = $2 } $5 ~ /^ END,/ { print $4, start[$4], $2, $5; delete start[$4] }'

report() {
    local runs lines name awk searched='' paired='' wall ratio judged
    runs=$(by_size 10000 200000 200000)
    lines=50
    note "report: making a log of $runs runs"
    export LOGGED=$work/runs PAIRING=$pairing
    perl "$here/runs.pl" "$runs" "$lines" >"$LOGGED"
    awk=$(basename "$(readlink -f "$(command -v awk)")")
    header "$(($(stat -c %s "$LOGGED") / 1000000)) MB, $runs runs" "wall, median (s)" "of rg's wall" "of awk's wall" \
        "peak resident size (kB)" target verdict
    gzip --fast <"$LOGGED" >"$LOGGED.gz"
    # rg only counts the lines with END.
    for name in rg "$awk" view --failed "--run 1500" --json gzip; do
        note "report: $name"
        report_run "$name" "$runs"
        wall=$(result '[0].median')
        : "${searched:=$wall}"
        [ "$name" = rg ] || : "${paired:=$wall}"
        ratio=$(calculate %.3f "$wall / ${paired:-$wall}")
        judged=("" "")
        case $name in
            view | --failed | --run*) judged=("<= 0.2" "$(verdict "$ratio <= 0.2")") ;;
        esac
        row "$name" "$(calculate %.3f "$wall")" "$(calculate %.1f "$wall / $searched") x" \
            "${paired:+$ratio x}" "$(peak_of "$name")" "${judged[@]}"
    done
    rm -f "$LOGGED" "$LOGGED.gz"
}

# report_command NAME: the command to measure. sh runs it with PAIRING and LOGGED in the environment.
# shellcheck disable=SC2016  # That sh expands it.
report_command() {
    case $1 in
        rg) echo 'exec rg --no-config --count END, "$LOGGED"' ;;
        view) echo 'exec remoteexe --report "$LOGGED"' ;;
        gzip) echo 'exec remoteexe --report "$LOGGED.gz"' ;;
        --*) echo "exec remoteexe --report $1 \"\$LOGGED\"" ;;
        *) echo 'exec awk -F "[][]" "$PAIRING" "$LOGGED"' ;;
    esac
}

# report_run NAME RUNS: measures the command and checks that it saw all runs.
report_run() {
    # The report exits with 1 because some runs failed.
    measure --runs "$(by_size 2 5 5)" --warmup 1 --ignore-failure "$(report_command "$1")" 2>/dev/null
    local seen expected=$2
    seen=$({ sh -c "$(report_command "$1")" 2>/dev/null || true; } | runs_in "$1")
    case $1 in
        --failed) expected=$(($2 / 50)) ;;
        --run*) expected=1 ;;
    esac
    [ "$seen" = "$expected" ] || fail "$1 saw $seen of $expected runs"
}

# runs_in NAME: counts the runs in the command's output.
runs_in() {
    case $1 in
        rg) cat ;;
        view | gzip) sed -n 's/^runs \([0-9]*\) .*/\1/p' ;;
        --failed) sed -n 's/.* failed \([0-9]*\) .*/\1/p' ;;
        --run*) grep -c '\] END,' || true ;;
        *) wc -l ;;
    esac
}

# peak_of NAME: the command's peak resident size, as last seen before its end.
peak_of() {
    local pid peak='' seen
    sh -c "$(report_command "$1")" >/dev/null 2>&1 &
    pid=$!
    while seen=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null) && [ -n "$seen" ]; do
        peak=$seen
    done
    wait "$pid" || true
    echo "$peak"
}
