#!/bin/bash
# Shows on a fresh machine what remoteexe does. Installs what is missing, builds, and starts a throwaway sshd as
# the remote host. Runs one job there that succeeds and one that fails, shows the log and the report, and cleans up.
set -eu
cd "$(dirname "$0")/.."

tests/setup.sh demo
cargo install --locked --force --path . --root target/demo
# shellcheck disable=SC2016  # The inner bash expands the variables: the sandbox sets them.
PATH=$PWD/target/demo/bin:$PATH exec tests/sandbox.sh bash -eu -c '
    printf "#!/bin/sh\necho \"collect user log(\$1)\"\n" >"$SANDBOX/user_log.sh"
    printf "#!/bin/sh\necho \"cannot read /data/sum\" >&2\nexit 3\n" >"$SANDBOX/sum.sh"
    chmod +x "$SANDBOX"/*.sh

    # run EXPECTED_STATUS HOST SCRIPT
    run() {
        expected=$1
        shift
        echo "\$ remoteexe -F $SANDBOX/ssh_config --tee never $1 \"$2\""
        status=0
        remoteexe -F "$SANDBOX/ssh_config" --tee never "$@" || status=$?
        echo "  exit status $status"
        [ "$status" -eq "$expected" ]
    }
    run 0 host_user_batch02 "$SANDBOX/user_log.sh action"
    run 3 host_sum_batch01 "$SANDBOX/sum.sh"
    for log in "$SANDBOX"/logs/*_remoteexe.log; do
        echo "\$ cat $log"
        cat "$log"
    done
    echo "\$ remoteexe --report --no-crontab"
    # It exits with 1, because a job has failed.
    remoteexe --report --no-crontab || [ $? -eq 1 ]
'
