# Measures the cost of a start, with an ssh that exits at once. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154  # run.sh sets the variables.

start() {
    local runs warmup=10
    runs=$(by_size 50 1000 1000)
    build_static
    cc -O2 -static -o "$work/smallest" "$here/smallest.c"
    note "start: $runs runs each"
    mkdir -p "$work/stub"
    ln -sf /bin/true "$work/stub/ssh"
    fresh_log
    # With -N hyperfine starts no shell, which would cost as much as the start itself.
    PATH=$work/stub:$PATH measure -N --runs "$runs" --warmup "$warmup" \
        'ssh root@host script' "$(printf '%q' "$work/smallest") host script" \
        "$(printf '%q' "$work/static/bin/remoteexe") host script" 'remoteexe host script' \
        "$(printf '%q' "$here/original.sh") host script"
    check_starts $((runs + warmup))
    start_table
}

# The program of the packages: no library is looked for at each start.
build_static() {
    note "start: building, linked statically"
    # Flags reach the compiler's own plug-ins, which cannot be static, unless a target is named.
    RUSTFLAGS='-C target-feature=+crt-static' cargo install --quiet --locked --path "$root" \
        --root "$work/static" --target "$(rustc -vV | sed -n 's/^host: //p')"
}

# check_starts RUNS: checks that all but the stub have logged all their runs.
check_starts() {
    local ends
    ends=$(grep -c '\] END,0,host script$' "$(log_file)" || true)
    [ "$ends" -eq $((4 * $1)) ] || fail "$ends runs instead of $((4 * $1)) are in the log"
}

start_table() {
    local names=("the ssh stub alone" "the smallest program in C" "remoteexe of the packages" "remoteexe of cargo" "bash")
    local targets=("" "" 1.3 2.0 "") wall=() cpu=() i
    for i in 0 1 2 3 4; do
        wall+=("$(result "[$i].median * 1000")")
        # hyperfine gives no median of CPU times.
        cpu+=("$(result "[$i] | (.user + .system) * 1000")")
    done
    header start "wall, median (ms)" "CPU, mean (ms)" "to the smallest" target verdict
    for i in 0 1 2 3 4; do
        local share target=${targets[i]}
        share=$(calculate %.2f "${wall[i]} / ${wall[1]}")
        row "${names[i]}" "$(calculate %.2f "${wall[i]}")" "$(calculate %.2f "${cpu[i]}")" "$share x" \
            "${target:+<= $target}" "${target:+$(verdict "$share <= $target")}"
    done
}
