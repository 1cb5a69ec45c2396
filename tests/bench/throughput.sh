# Measures how fast a flood of lines gets into the log. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154  # run.sh sets the variables.

# remoteexe and bash run ssh; the others read from `cat`. Each writes a time before each line, except for two:
# cat writes the bare lines, and sed writes the same text before each. The input of cat-log is remoteexe's
# log, which is larger than remoteexe's input.
contenders=(remoteexe cat cat-log multilog s6-log svlogd sed ts bash)

# sh runs them, with INPUT and LOG in the environment.
# shellcheck disable=SC2016  # That sh expands them.
declare -A contender_command=(
    [remoteexe]='remoteexe host script'
    [cat]='cat "$INPUT" | cat >>"$LOG/log"'
    [cat-log]='cat "$LOGGED" | cat >>"$LOG/log"'
    # Each is told to write the largest files it can, and to delete none.
    [multilog]='cat "$INPUT" | multilog t s16777215 n1000 "$LOG"'
    [s6-log]='cat "$INPUT" | s6-log -l 0 n1000 s268435455 t "$LOG"'
    [svlogd]='cat "$INPUT" | svlogd -t "$LOG"'
    [sed]='cat "$INPUT" | sed "s/^/[2026-11-23 15:09:02][913] /" >>"$LOG/log"'
    [ts]='cat "$INPUT" | ts "[%Y-%m-%d %H:%M:%S]" >>"$LOG/log"'
    [bash]='"$BENCH/original.sh" host script'
)
# Run before each measurement. The file `config` tells svlogd to write one file only. Without sync a contender
# would pay for the writes that the one before it left to the kernel.
# shellcheck disable=SC2016  # sh expands it.
contender_prepare='rm -rf "$LOG"; mkdir "$LOG"; printf "s0\nn0\n" >"$LOG/config"; sync'

# The most lines for a slow contender. Its time is then scaled up to all lines.
declare -A contender_lines=([ts]=2000000 [bash]=2000)

# The target for remoteexe's time as a multiple of the contender's.
declare -A contender_target=([cat]='<= 1.25' [multilog]='< 0.5')

throughput() {
    header input contender "wall, median (s)" "CPU, mean (s)" "remoteexe's wall" target verdict
    # This target is for lines of 80 bytes only.
    contender_target[ts]='< 0.1'
    throughput_of 2000000 80
    unset 'contender_target[ts]'
    throughput_of_sshd 2000000 80
    throughput_of 20000 8000
    throughput_of 20000000 8
}

# throughput_of LINES BYTES: the rows for an input of LINES lines of BYTES bytes, newline included.
throughput_of() {
    local lines=$(($1 / $(by_size 20 1 1))) bytes=$2 contender
    local -A seconds=() cpu=() label=([cat-log]="cat, given remoteexe's log")
    make_lines "$lines" "$bytes" >"$work/input"
    for contender in "${contenders[@]}"; do
        note "throughput: $lines lines of $bytes bytes: $contender"
        run_contender "$contender" "$lines"
    done
    for contender in "${contenders[@]}"; do
        throughput_row "$lines x $bytes B" "$contender"
    done
    rm -rf "$work/input" "$work/logged" "$LOG"
}

# throughput_of_sshd LINES BYTES: the rows for the same lines through a real ssh and an sshd of this machine.
throughput_of_sshd() {
    local lines=$(($1 / $(by_size 20 1 1))) name wall ratio verdict=("" "")
    local -A taken=()
    # shellcheck disable=SC2016  # That sh expands them.
    local -A command=(
        [remoteexe]='REMOTEEXE_LOG_DIR=$LOG remoteexe -F "$SANDBOX/ssh_config" host "cat $INPUT"'
        [ssh]='ssh -F "$SANDBOX/ssh_config" "$REMOTEEXE_LOGIN@host" "cat $INPUT" | cat >>"$LOG/log"'
    )
    make_lines "$lines" "$2" >"$work/input"
    for name in remoteexe ssh; do
        note "throughput: $lines lines of $2 bytes through sshd: $name"
        # Without the fake ssh.
        INPUT=$work/input PATH=${PATH//$root\/tests\/fake:/} "$root/tests/try/sandbox.sh" \
            hyperfine --style none --export-json "$work/results.json" --runs "$(by_size 2 5 5)" --warmup 1 \
            --prepare "$contender_prepare" "${command[$name]}" >/dev/null
        wall=$(result '[0].median')
        taken[$name]=$wall
        contender_output "${name/ssh/cat}" | cmp - "$work/input" >&2 || fail "$name did not log its input from sshd"
        ratio=$(calculate %.3g "${taken[remoteexe]} / $wall")
        [ "$name" = remoteexe ] || verdict=("<= 1" "$(verdict "$ratio <= 1")")
        row "$lines x $2 B" "$name, through sshd" "$(calculate %.3f "$wall")" \
            "$(calculate %.3f "$(result '[0] | .user + .system')")" "$ratio x" "${verdict[@]}"
    done
    rm -rf "$work/input" "$LOG"
}

# The lines are numbered, so that none can be lost, doubled or moved unseen.
make_lines() {
    awk -v lines="$1" -v bytes="$2" 'BEGIN {
        for (i = 8; i < bytes; i++)
            rest = rest "x"
        for (i = 0; i < lines; i++)
            printf "%07x%s\n", i, rest
    }'
}

# run_contender NAME LINES: measures the contender and checks its log.
run_contender() {
    local name=$1 lines=$2 most=${contender_lines[$1]:-$2} scale
    # shellcheck disable=SC2016  # The fake ssh expands it.
    export FAKE_SSH='exec cat "$INPUT"' INPUT=$work/input LOGGED=$work/logged
    : "${label[$name]:=$name}"
    if [ "$most" -lt "$lines" ]; then
        label[$name]="$name, scaled from $most lines"
        INPUT=$work/part
        head -n "$most" "$work/input" >"$INPUT"
    else
        most=$lines
    fi
    measure --runs "$(by_size 2 5 5)" --warmup 1 \
        --prepare "$contender_prepare" "${contender_command[$name]}"
    scale="* $lines / $most"
    seconds[$name]=$(calculate %f "$(result '[0].median') $scale")
    cpu[$name]=$(calculate %f "$(result '[0] | .user + .system') $scale")
    # The log is that of the last run.
    contender_output "$name" | cmp - "$INPUT" >&2 || fail "$name did not log its input"
    [ "$name" != remoteexe ] || mv "$(log_file)" "$LOGGED"
}

# The lines in a contender's log, without the text that it put before each.
contender_output() {
    case $1 in
        remoteexe | bash) logged_output "$(log_file)" ;;
        cat) cat "$LOG/log" ;;
        cat-log) logged_output "$LOG/log" ;;
        sed) cut -b 28- "$LOG/log" ;;
        ts) cut -b 23- "$LOG/log" ;;
        # They put @, 24 hexadecimal digits and a blank. The name of a full file is a time; there may be none.
        *) (shopt -s nullglob && cat "$LOG"/@* "$LOG/current") | cut -b 27- ;;
    esac
}

# throughput_row INPUT NAME
throughput_row() {
    local name=$2 ratio=1 target=${contender_target[$2]:-} judged=
    if [ "$name" != remoteexe ]; then
        ratio=$(calculate %.3g "${seconds[remoteexe]} / ${seconds[$name]}")
    fi
    [ -z "$target" ] || judged=$(verdict "$ratio $target")
    row "$1" "${label[$name]}" "$(calculate %.3f "${seconds[$name]}")" \
        "$(calculate %.3f "${cpu[$name]}")" "$ratio x" "$target" "$judged"
}
