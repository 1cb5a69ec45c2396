#!/bin/bash
# Lets each system call of a run and of a report fail once, with each of these errors, and looks at what is left.
#
#     tests/release/errors.sh                run and report, which takes some minutes
#     tests/release/errors.sh run EIO write  only the run, this error and this system call
#
# strace puts the errors in. A run must end in time, with one START and one END that has its exit status, in its log or
# where the log goes if the file fails; if ssh was run, with the status of ssh. A report must end in time, either with
# the same answer, or with a message and 74; its file is the whole new one or the old one, and nothing lies beside it.
# Needs the packages of tests/setup.sh tests. REMOTEEXE names a binary that is built already. Exits with 1 if anything
# is otherwise.
set -eu
cd "$(dirname "$0")/../.."
[ -n "${REMOTEEXE-}" ] || cargo build --locked
program=$(realpath "${REMOTEEXE:-target/debug/remoteexe}")
what=${1:-run report}
errors=${2:-EIO ENOSPC EINTR EAGAIN EMFILE ENOSYS}
only=${3-}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/bin" "$dir/place"
printf '#!/bin/sh\necho run >>%q\necho one\necho two >&2\nexit 3\n' "$dir/runs" >"$dir/bin/ssh"
chmod 755 "$dir/bin/ssh"
tried=0 failed=0

wrong() {
    failed=$((failed + 1))
    echo "$command: $call $number $error: $*"
}

# Each system call after those of the loader and of Rust's start, as NAME NUMBER: the first of that name is 1.
calls() {
    awk -F'(' '/^[a-z0-9_]+\(/ { count[$1]++; if (is_ours) print $1, count[$1] }
        /^rt_sigaction\(SIGBUS, \{/ { is_ours = 1 }' "$1"
}

# Whether the error that strace has put in is one that no kernel gives, and on which Rust's standard library, rustix or
# we rely.
is_impossible() {
    local injected
    injected=$(grep -m 1 INJECTED "$dir/trace")
    case $call in
        exit_group | getpid | gettid | getuid | geteuid | umask | futex) ;;
        getrandom) [[ $error != @(EINTR|ENOSYS) ]] ;;
        # For the child and the pipe of ssh.
        wait4 | ppoll) [[ $error != EINTR ]] ;;
        read) [[ $error != EINTR && $injected == *", 524288) = "* ]] ;;
        # A directory.
        close)
            injected=${injected#*<}
            [ -d "${injected%%>*}" ]
            ;;
        *) return 1 ;;
    esac
}

# What a command leaves in $dir/place, with the errors $1 of strace.
run() {
    rm -f "$dir/runs"
    limited "$1" "$program" host /script
}
report() {
    echo old >"$dir/place/page"
    limited "$1" "$program" --report --html "$dir/place/page" "$dir/a.log"
}
limited() {
    local inject=$1
    shift
    # A real hang is longer, on any machine.
    PATH=$dir/bin:$PATH REMOTEEXE_LOG_DIR=$dir/place timeout --signal=KILL 60 \
        strace -qq -y -o "$dir/trace" ${inject:+-e inject="$inject"} "$@" >"$dir/out" 2>"$dir/err" </dev/null
}

# Records of a log; those that the file did not take are on standard error.
count() {
    cat "$dir"/place/*.log "$dir/err" 2>/dev/null | grep -cE "\]\[[0-9]+\] $1" || true
}

check_run() {
    local ends
    ends=$(count END,)
    [ "$(count START,)" -eq 1 ] || wrong "$(count 'START,') times START"
    [ "$ends" -eq 1 ] || wrong "$ends times END"
    [ "$(count "END,$status,")" -eq 1 ] || wrong "END has another status than $status"
    if [ -e "$dir/runs" ]; then
        [ "$status" -eq 3 ] || wrong "exit status $status"
        [ "$(wc -l <"$dir/runs")" -eq 1 ] || wrong "ssh was run $(wc -l <"$dir/runs") times"
        [ "$(count '(one|two)$')" -eq 2 ] || wrong "output is missing"
    fi
}

check_report() {
    if [ "$status" -ne "$usual" ]; then
        [ "$status" -eq 74 ] || wrong "exit status $status"
        [ -s "$dir/err" ] || wrong "no message"
    fi
    case $(head -c 16 "$dir/place/page"; tail -c 8 "$dir/place/page") in
        old*old | '<!DOCTYPE html>'*'</html>'*) ;;
        *) wrong "half a page" ;;
    esac
}

try() {
    status=0
    rm -rf "${dir:?}/place"
    mkdir "$dir/place"
    "$command" "$call:error=$error:when=$number" || status=$?
    # The number of calls differs a little from run to run.
    if ! grep -q INJECTED "$dir/trace" || is_impossible; then
        return
    fi
    tried=$((tried + 1))
    case $status in
        137) wrong "a hang" ;;
        101 | 134 | 139) wrong "a crash: $(head -n 2 "$dir/err")" ;;
    esac
    "check_$command"
    [ -z "$(find "$dir/place" -mindepth 1 ! -name page ! -name '*.log')" ] ||
        wrong "left: $(ls -A "$dir/place")"
}

date=$(date +%F)
for minute in 10 11 12; do
    printf "[$date 00:$minute:00][7] %s\n" START,h\ /x command,x "no space left" END,3,h\ /x >>"$dir/a.log"
done
for command in $what; do
    status=0
    "$command" "" || status=$?
    usual=$status
    calls "$dir/trace" >"$dir/calls"
    [ -s "$dir/calls" ] || { echo "$command: strace shows no calls" >&2; exit 1; }
    while read -r call number; do
        [[ -z $only || $call = "$only" ]] || continue
        for error in $errors; do
            try
        done
    done <"$dir/calls"
    echo "$command: $(wc -l <"$dir/calls") system calls"
done
echo "$tried errors, $failed wrong"
[ "$failed" -eq 0 ]
