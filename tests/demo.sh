#!/bin/bash
# remoteexe's main job on a fresh machine: installs what is missing, builds, starts a throwaway sshd as
# the remote host, runs one job there that succeeds and one that fails, shows the log and cleans up.
set -eu
cd "$(dirname "$0")/.."

tests/setup.sh
cargo install --locked --force --path . --root target/demo
PATH=$PWD/target/demo/bin:$PATH exec tests/sandbox.sh bash -eu -c '
    printf "#!/bin/sh\necho \"collect user log(\$1)\"\n" >"$SANDBOX/user_log.sh"
    printf "#!/bin/sh\necho \"cannot read /data/sum\" >&2\nexit 3\n" >"$SANDBOX/sum.sh"
    chmod +x "$SANDBOX"/*.sh

    run() {
        echo "\$ remoteexe -F $SANDBOX/ssh_config $*"
        status=0
        remoteexe -F "$SANDBOX/ssh_config" "$@" || status=$?
        echo "  exit status $status"
    }
    export REMOTEEXE_LOG_DIR=$SANDBOX REMOTEEXE_LOGIN=$(id -un)
    run --tee never host_user_batch02 "$SANDBOX/user_log.sh action"
    run --tee never host_sum_batch01 "$SANDBOX/sum.sh"
    for log in "$SANDBOX"/*_remoteexe.log; do
        echo "\$ cat $log"
        cat "$log"
    done
'
