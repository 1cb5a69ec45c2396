#!/bin/bash
# Measures a herd, which is many jobs that cron starts in the same second. Prints a table for
# .github/BENCHMARK.md: how many jobs an sshd turns away without retries, with --retries and with --splay 20.
#
#     tests/try/herd.sh [JOBS]...
#
# JOBS is the size of a herd; the default is 20, 60 and 100. Each herd runs without retries, with --retries 8, and
# with --splay 20 and no retries. The sandbox's sshd has its default MaxStartups, and then PerSourceMaxStartups 3.
# Each job appends its number to a file. Exits with 1 if a job ran twice, did not run but ended with 0, or failed
# despite the retries. Takes about four minutes and a build.
set -eu
cd "$(dirname "$0")/../.."
self=$PWD/tests/try/herd.sh

if [ "${1-}" = --inside ]; then
    # Runs in the sandbox and prints one row of the table.
    setting=$2 jobs=$3
    status=0

    # herd NAME OPTION...: runs the jobs at once. Sets `tries`, `failures` and `slowest`.
    herd() {
        local dir=$SANDBOX/$1 job pids=() unique
        shift
        mkdir "$dir"
        : >"$dir/ids"
        for ((job = 1; job <= jobs; job++)); do
            mkdir "$dir/$job"
            {
                begin=$EPOCHREALTIME
                code=0
                remoteexe -F "$SANDBOX/ssh_config" --log-dir "$dir/$job" "$@" h "echo $job >>$dir/ids" \
                    </dev/null || code=$?
                echo "$code $((${EPOCHREALTIME/./} - ${begin/./}))" >"$dir/$job/end"
            } &
            pids+=($!)
        done
        wait "${pids[@]}"
        tries=$(cat "$dir"/*/*_remoteexe.log | grep -c '\]\[[0-9]*\] command,')
        failures=$(cat "$dir"/*/end | grep -vc '^0 ' || true)
        slowest=$(cat "$dir"/*/end | sort -k2n | awk 'END { printf "%.1f", $2 / 1e6 }')
        unique=$(sort -u "$dir/ids" | wc -l)
        if [ "$unique" -ne "$(wc -l <"$dir/ids")" ]; then
            echo "$0: $setting, $jobs jobs: these ran twice: $(sort "$dir/ids" | uniq -d | xargs)" >&2
            status=1
        elif [ "$unique" -ne $((jobs - failures)) ]; then
            echo "$0: $setting, $jobs jobs: $unique ran, but $failures failed" >&2
            status=1
        fi
    }

    herd without
    without=$failures
    herd with --retries 8
    if [ "$failures" -ne 0 ]; then
        echo "$0: $setting, $jobs jobs: $failures failed despite the retries" >&2
        status=1
    fi
    row="| \`$setting\` | $jobs | $without | $failures | $tries | $slowest"
    herd splayed --splay 20
    echo "$row | $failures |"
    exit "$status"
fi

tests/setup.sh demo >&2
source tests/setup/rust.sh
use_cargo
cargo install --locked --force --path . --root target/herd >&2
PATH=$PWD/target/herd/bin:$PATH
[ $# -gt 0 ] || set -- 20 60 100

# The jobs come from one address, so MaxStartups must not get in the way of PerSourceMaxStartups.
printf '| %s ' sshd 'jobs at once' 'failures without retries' 'failures with them' 'attempts with them'
echo '| slowest job with them, s | failures with --splay 20 |'
echo '| --- | --- | --- | --- | --- | --- | --- |'
status=0
for jobs; do
    SANDBOX_SSHD_CONFIG='MaxStartups 10:30:100' \
        tests/try/sandbox.sh "$self" --inside 'MaxStartups 10:30:100' "$jobs" || status=1
done
for jobs; do
    SANDBOX_SSHD_CONFIG=$'MaxStartups 1000\nPerSourceMaxStartups 3' \
        tests/try/sandbox.sh "$self" --inside 'PerSourceMaxStartups 3' "$jobs" || status=1
done
exit "$status"
