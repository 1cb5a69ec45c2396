#!/bin/bash
# Compares remoteexe with other ways to log a job's output, and with the project's own targets:
#
#     tests/bench/run.sh [--quick | --full] [SECTION]...
#
# The sections are throughput, start, memory, latency, scale, report and slots. Without a SECTION all are run, which
# takes about twenty minutes and 11 GB of disk, most of them for ten days of logs. --quick uses small inputs: it shows
# that everything works, but its figures mean little. --full gives the section memory 10 GB and a minute. The tables are
# Markdown on standard output, progress goes to standard error. Exits with 1 if an output is incomplete, never because
# something is slow.
#
# The logs go to a new directory under TMPDIR, or under /var/tmp if TMPDIR is not set.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
sections=(throughput start memory latency scale report slots)

# Pairs of a program and its package: the package is installed if the program is there.
needed=(
    hyperfine  hyperfine
    jq         jq
    multilog   daemontools
    perl       perl-base
    rg         ripgrep
    s6-log     s6
    strace     strace
    svlogd     runit
    ts         moreutils
)

# shellcheck source=tests/bench/common.sh
. "$here/common.sh"
for section in "${sections[@]}"; do
    # shellcheck source=/dev/null  # .ci/shellcheck checks each of them.
    . "$here/$section.sh"
done

usage() {
    echo "usage: $0 [--quick | --full] [throughput | start | memory | latency | scale | report | slots]..." >&2
    exit 2
}

# Sets `size` and `chosen`.
# shellcheck disable=SC2034  # common.sh reads `size`.
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
    echo "$0: programs missing; install them with: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
}

# Sets `work`.
make_work_directory() {
    work=$(mktemp -d "${TMPDIR:-/var/tmp}/remoteexe-bench.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # The space for throughput. The section memory checks the space itself.
    require_space "$(by_size 300 2500 2500)"
}

build() {
    note "building"
    cargo install --quiet --locked --path "$root" --root "$work"
}

# The same for all contenders: none of the caller's settings, and cron's locale.
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
