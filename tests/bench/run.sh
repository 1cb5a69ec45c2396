#!/bin/bash
# Measures remoteexe against other ways to bring a job's output into a log, and against the targets that
# the project has set itself:
#
#     tests/bench/run.sh [--quick | --full] [SECTION]...
#
# The sections are throughput, start, memory, latency, scale and report; without one all are run, in about ten
# minutes. --quick takes small inputs, to see that everything works; its figures mean little. --full takes
# 10 GB and a minute for the section memory. The tables are Markdown on standard output, progress goes to
# standard error. Exits with 1 if an output is incomplete, never because something is slow.
#
# The logs go to a directory of their own under TMPDIR, /var/tmp if that is not set.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
sections=(throughput start memory latency scale report)

# The program that shows a package to be there, and the package.
needed=(
    hyperfine  hyperfine
    jq         jq
    multilog   daemontools
    perl       perl-base
    s6-log     s6
    strace     strace
    svlogd     runit
    ts         moreutils
)

# shellcheck source=tests/bench/common.sh
. "$here/common.sh"
for section in "${sections[@]}"; do
    # shellcheck source=/dev/null
    . "$here/$section.sh"
done

usage() {
    echo "usage: $0 [--quick | --full] [throughput | start | memory | latency | scale | report]..." >&2
    exit 2
}

# Sets `size` and `chosen`.
# shellcheck disable=SC2034
read_arguments() {
    size=default
    chosen=()
    local word
    for word in "$@"; do
        case " ${sections[*]} --quick --full " in
            *" $word "*) ;;
            *) usage ;;
        esac
        case $word in
            --*) size=${word#--} ;;
            *) chosen+=("$word") ;;
        esac
    done
    [ ${#chosen[@]} -gt 0 ] || chosen=("${sections[@]}")
}

require_programs() {
    local missing=() i
    for ((i = 0; i < ${#needed[@]}; i += 2)); do
        command -v "${needed[i]}" >/dev/null || missing+=("${needed[i + 1]}")
    done
    [ ${#missing[@]} -eq 0 ] && return
    echo "$0: missing; install with: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
}

# Sets `work`.
make_work_directory() {
    work=$(mktemp -d "${TMPDIR:-/var/tmp}/remoteexe-bench.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # What throughput needs; memory looks after itself.
    require_space "$(by_size 300 2500 2500)"
}

build() {
    note "building"
    cargo install --quiet --locked --path "$root" --root "$work"
}

# The same for all contenders: no setting of the caller's, and the locale that cron has.
set_environment() {
    unset REMOTEEXE_IDENTITY REMOTEEXE_LOGIN
    export LC_ALL=C
    export PATH=$work/bin:$root/tests/fake:$PATH
    export BENCH=$here LOG=$work/log REMOTEEXE_LOG_DIR=$work/log
}

print_machine() {
    local model commit
    model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
    commit=$(git -C "$root" describe --always --dirty 2>/dev/null || true)
    echo "\`tests/bench/run.sh${*:+ $*}\` at ${commit:-an unknown commit}, $(date +%F): $(nproc) cores" \
        "of ${model:-an unknown processor}, Linux $(uname -r), $(stat -f -c %T "$work")," \
        "load $(cut -d ' ' -f 1 /proc/loadavg) at the start."
}

read_arguments "$@"
require_programs
make_work_directory
build
set_environment
print_machine "$@"
for section in "${chosen[@]}"; do
    echo
    "$section"
done
[ ! -e "$work/incomplete" ]
