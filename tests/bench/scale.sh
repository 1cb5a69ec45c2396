# Measures the cost of a job while many jobs write to one log. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154  # run.sh sets the variables.

# Stands in for the remote script: 20 lines, each in a write of its own. It waits at the gate, a FIFO, until
# all jobs are there, so that all write at once. It opens the gate before it prints `ready`: later the gate
# might be gone. It uses the shell's own commands only: programs would cost more than the job.
# shellcheck disable=SC2016  # The fake ssh expands it.
scale_ssh='
    exec 3<"$GATE"
    echo ready
    read -r nothing <&3
    for line in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
        echo "line $line"
    done
'

# The number of logged lines of one that waits at the gate, and of one that has ended.
declare -A scale_ready=([stub]=1 [job]=3) scale_ended=([stub]=20 [job]=23)

scale() {
    local count alone whole base='' ratio judged
    export FAKE_SSH=$scale_ssh GATE=$work/gate
    mkfifo "$GATE"
    header "jobs at once" "CPU a job (ms)" "the ssh stub alone (ms)" "of a single job's CPU" target verdict
    for count in 1 10 100 500; do
        note "scale: $count jobs at once"
        alone=$(cpu_of stub "$count")
        whole=$(cpu_of job "$count")
        : "${base:=$whole}"
        ratio=$(calculate %.2f "$whole / $base")
        judged=("" "")
        [ "$count" -ne 500 ] || judged=("<= 1.3" "$(verdict "$ratio <= 1.3")")
        row "$count" "$whole" "$alone" "$ratio x" "${judged[@]}"
    done
    rm -rf "$LOG"
}

# cpu_of stub|job COUNT: the CPU time of one of COUNT that run at once, in milliseconds.
cpu_of() {
    local rounds jobs i
    # Several rounds, because the clock counts whole milliseconds.
    jobs=$(by_size 100 1000 1000)
    rounds=$(((jobs + $2 - 1) / $2))
    jobs=$((rounds * $2))
    fresh_log
    (cd "$LOG" && seq "$rounds" | xargs mkdir)
    (
        for ((i = 1; i <= rounds; i++)); do
            run_at_once "$1" "$2" "$LOG/$i"
        done
        # Its second line counts the children and their children.
        times
    ) | awk -F '[ms ]+' -v jobs="$jobs" \
        'END { printf "%.2f\n", (60 * $1 + $2 + 60 * $3 + $4) * 1000 / jobs }'
    check_scale "$1" "$jobs"
}

# run_at_once stub|job COUNT DIRECTORY: one round, logged to DIRECTORY. Forks nothing but the jobs: all forks
# are counted.
run_at_once() {
    local i files lines=()
    export REMOTEEXE_LOG_DIR=$3
    # For reading too: a FIFO opened only for writing waits for a reader.
    exec 8<>"$GATE"
    for ((i = 0; i < $2; i++)); do
        "start_$1" 8>&- &
    done
    while [ ${#lines[@]} -lt $((scale_ready[$1] * $2)) ]; do
        # Nothing arrives there: this is a pause without a fork.
        read -rt 0.01 <&8 || true
        files=("$3"/*.log)
        [ ! -e "${files[0]}" ] || mapfile -t lines <"${files[0]}"
    done
    # This was the last writer: all who wait at the gate get the end of file.
    exec 8>&-
    wait
}

start_job() {
    exec remoteexe host script
}

start_stub() {
    exec ssh host script >>"$REMOTEEXE_LOG_DIR/stub.log"
}

# check_scale stub|job JOBS: checks that the logs hold every line of all.
check_scale() {
    local lines expected=$((scale_ended[$1] * $2)) prefix=''
    [ "$1" = stub ] || prefix='\[[-0-9]{10} [0-9:]{8}\]\[[0-9]+\] '
    lines=$(cat "$LOG"/*/*.log |
        grep -cEx "$prefix(START,-,host script|command,.*|ready|line [0-9]+|END,0,host script)" || true)
    [ "$lines" -eq "$expected" ] || fail "$lines of $expected lines of $2 ${1}s are in the log"
}
