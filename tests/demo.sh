#!/bin/bash
# Shows on a fresh machine what remoteexe does. Installs what is missing, builds, and starts a throwaway sshd that stands
# for every host. Runs three jobs there, one of which is dropped and tried again, and shows the log and the report. At a
# terminal a shell in this sandbox follows. Everything is removed at the end but the build and a page, in target/demo.
set -eu
self=$(realpath "$0")
cd "$(dirname "$self")/.."

# step TITLE COMMAND...: runs it, and says how long it took.
step() {
    local title=$1 begin=$SECONDS
    shift
    printf '\n== %s\n' "$title"
    "$@"
    echo "== done in $((SECONDS - begin)) s"
}

build() {
    # A newcomer waits for it: this build takes half the time of the usual one.
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
        cargo build --locked --release --target-dir target/demo
}

# The commands of the sandbox: remoteexe, and two scripts for it to run. `program` is what has been built.
furnish() {
    mkdir "$SANDBOX/bin" "$SANDBOX/history"
    # The system's own ssh_config stays as it is, so each job is told to read the sandbox's. A call without SCRIPT is a
    # usage error, and its message must not blame an option that nobody has typed.
    cat >"$SANDBOX/bin/remoteexe" <<WRAPPER
#!/bin/sh
words=0
for word; do
    case \$word in -*) ;; *) words=\$((words + 1)) ;; esac
done
case \${1-} in
    --report | --generate) exec "$program" "\$@" ;;
esac
[ "\$words" -ge 2 ] || exec "$program" "\$@"
exec "$program" -F "$SANDBOX/ssh_config" "\$@"
WRAPPER
    # shellcheck disable=SC2016  # the script expands it
    printf '#!/bin/sh\necho "collect user log($1)"\n' >"$SANDBOX/user_log.sh"
    printf '#!/bin/sh\necho "cannot read /data/sum" >&2\nexit 3\n' >"$SANDBOX/sum.sh"
    chmod 755 "$SANDBOX"/bin/remoteexe "$SANDBOX"/*.sh
    PATH=$SANDBOX/bin:$PATH
    tests/try/history.pl "$SANDBOX/history"
}

# job STATUS WORD...: runs remoteexe as a user would type it, and expects this exit status.
job() {
    local expected=$1 status=0 word
    shift
    printf '\n$ remoteexe'
    for word; do
        [[ $word != *[^-._/A-Za-z0-9]* ]] || word=${word@Q}
        printf ' %s' "$word"
    done
    echo
    remoteexe --tee never "$@" || status=$?
    echo "exit status $status"
    [ "$status" -eq "$expected" ]
}

# Takes all places for connections that have not logged in, until the end of the process `holder`. Ten is what
# `MaxStartups 10` below allows.
take_all_places() {
    local port ready
    port=$(sed -n 's/^ *Port //p' "$SANDBOX/ssh_config")
    exec {ready}< <(
        for _ in {1..10}; do
            exec {connection}<>"/dev/tcp/127.0.0.1/$port"
            # sshd has accepted it when it greets.
            read -r -u "$connection" _
        done
        echo
        exec sleep infinity
    )
    holder=$!
    read -r -u "$ready" _
    exec {ready}<&-
}

dropped_job() {
    local job
    take_all_places
    job 0 --retries 8 --retry-delay 0.2 host_db01 'echo backup done' &
    job=$!
    until grep -qs '\] retry,' "$SANDBOX"/logs/*; do
        kill -0 "$job" || return 1
        sleep 0.05
    done
    echo "(sshd has dropped it, as ten others are logging in. These end now.)"
    kill "$holder"
    holder=
    wait "$job"
}

jobs() {
    job 0 host_user_batch02 "$SANDBOX/user_log.sh action"
    job 3 host_sum_batch01 "$SANDBOX/sum.sh"
    dropped_job
}

# report OPTION...: its exit status 1 says that something is wrong. The demonstration waits for nobody at a pager.
report() {
    printf '\n$ remoteexe --report%s\n' "${*:+ $*}"
    PAGER="cat" remoteexe --report "$@" || [ $? -eq 1 ]
}

log_and_report() {
    printf '\n$ cat %s\n' "$SANDBOX"/logs/*
    cat "$SANDBOX"/logs/*
    report --no-crontab
}

day() {
    cd "$SANDBOX"
    report --log-dir history --crontab history/crontab --since 1d
    report --log-dir history --crontab history/crontab --since 1d --html "$page"
    echo "a page for a browser: $page"
    cd - >/dev/null
}

shell() {
    cat >"$SANDBOX/bashrc" <<'RC'
PS1='(remoteexe sandbox) \$ '
cat <<'WORDS'

You are in the remoteexe sandbox. Each host name leads to a throwaway sshd on this machine, and each job logs to
logs/. "exit" leaves, and removes it all. Three commands to try, the last with a made-up day:

    remoteexe host01 'uname -sr; exit 3'; cat logs/*
    remoteexe --report
    remoteexe --report --log-dir history --crontab history/crontab --since 1d

WORDS
RC
    cd "$SANDBOX"
    # The status of the last word typed is not that of the demonstration.
    bash --rcfile "$SANDBOX/bashrc" -i || true
}

if [ "${1-}" != --inside ]; then
    step "1. Install what is missing" tests/setup.sh demo
    source tests/setup/rust.sh
    use_cargo
    step "2. Build, which takes one or two minutes" build
    # Fewer connections at once than a test wants, and without chance.
    SANDBOX_SSHD_CONFIG='MaxStartups 10' exec tests/try/sandbox.sh "$self" --inside "$PWD/target/demo/release/remoteexe"
fi

program=$2 page=$PWD/target/demo/report.html
holder=
trap '[ -z "$holder" ] || kill "$holder" 2>/dev/null || true' EXIT
mkdir -p target/demo
furnish
step "3. Run jobs: one is good, one fails, and sshd drops the third at first" jobs
step "4. Their log, and what the report makes of it" log_and_report
step "5. The report of a made-up day" day
if [ -t 0 ] && [ -t 1 ]; then
    shell
fi
