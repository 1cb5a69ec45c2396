# Measures the cost of a start, with an ssh that exits at once. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154  # run.sh sets the variables.

start() {
    local runs warmup=10
    runs=$(by_size 50 1000 1000)
    build_static
    note "start: $runs runs each"
    mkdir -p "$work/stub"
    ln -sf /bin/true "$work/stub/ssh"
    fresh_log
    # With -N hyperfine starts no shell, which would cost as much as the start itself.
    PATH=$work/stub:$PATH measure -N --runs "$runs" --warmup "$warmup" \
        'ssh root@host script' 'remoteexe host script' "$(printf '%q' "$here/original.sh") host script" \
        "$(printf '%q' "$work/static/bin/remoteexe") host script"
    check_starts $((runs + warmup))
    start_table
}

# The same program without libraries that are looked for at each start. It shows what they cost.
build_static() {
    note "start: building, linked statically"
    # Flags reach the compiler's own plug-ins, which cannot be static, unless a target is named.
    RUSTFLAGS='-C target-feature=+crt-static' cargo install --quiet --locked --path "$root" \
        --root "$work/static" --target "$(rustc -vV | sed -n 's/^host: //p')"
}

# check_starts RUNS: checks that both builds of remoteexe and original.sh logged all their runs.
check_starts() {
    local ends
    ends=$(grep -c '\] END,0,host script$' "$(log_file)" || true)
    [ "$ends" -eq $((3 * $1)) ] || fail "$ends runs instead of $((3 * $1)) are in the log"
}

start_table() {
    local names=("the ssh stub alone" remoteexe "bash" "remoteexe, linked statically") wall=() cpu=() i over share
    for i in 0 1 2 3; do
        wall+=("$(result "[$i].median * 1000")")
        # hyperfine gives no median of CPU times.
        cpu+=("$(result "[$i] | (.user + .system) * 1000")")
    done
    over=$(calculate %.2f "${cpu[1]} - ${cpu[0]}")
    share=$(calculate %.3f "${wall[1]} / ${wall[2]}")
    header start "wall, median (ms)" "CPU, mean (ms)" "" target verdict
    for i in 0 1 2 3; do
        local cells=("${names[i]}" "$(calculate %.2f "${wall[i]}")" "$(calculate %.2f "${cpu[i]}")")
        case $i in
            0) row "${cells[@]}" "" "" "" ;;
            1) row "${cells[@]}" "CPU $over ms over the stub" "<= 1.5 ms" "$(verdict "$over <= 1.5")" ;;
            2) row "${cells[@]}" "remoteexe takes $share x" "<= 1/6" "$(verdict "$share <= 1 / 6")" ;;
            3) row "${cells[@]}" "libraries take $(calculate %.2f "${wall[1]} - ${wall[3]}") ms" "" "" ;;
        esac
    done
}
