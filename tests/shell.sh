#!/bin/bash
# A shell to try remoteexe in. In it every host name leads to a throwaway sshd on 127.0.0.1, and the log is not in
# /tmp. There is also a made-up day to report on. Installs what is missing, and builds.
set -eu
self=$(realpath "$0")
cd "$(dirname "$self")/.."

if [ "${1-}" != --inside ]; then
    tests/setup.sh demo
    # A newcomer waits for it: this build takes half the time of the usual one.
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
        cargo install --locked --force --path . --root target/shell --target-dir target/shell
    exec tests/sandbox.sh "$self" --inside "$PWD/target/shell/bin/remoteexe"
fi

program=$2
mkdir "$SANDBOX/bin" "$SANDBOX/history"
# The system's own ssh_config stays as it is, so each job is told to read the sandbox's.
cat >"$SANDBOX/bin/remoteexe" <<END
#!/bin/sh
case \${1-} in
    --report | --generate) exec "$program" "\$@" ;;
    *) exec "$program" -F "$SANDBOX/ssh_config" "\$@" ;;
esac
END
chmod 755 "$SANDBOX/bin/remoteexe"
PATH=$SANDBOX/bin:$PATH
tests/history.pl "$SANDBOX/history"

cat >"$SANDBOX/bashrc" <<'END'
PS1='(remoteexe sandbox) \$ '
cat <<'WORDS'

You are in the remoteexe sandbox. Each host name leads to a throwaway sshd on this machine, and each job logs to
logs/. "exit" leaves, and removes it all. Three commands to try:

    remoteexe host01 'uname -sr; exit 3'; cat logs/*
    remoteexe --report
    remoteexe --report --log-dir history --crontab history/crontab --since 1d     (a made-up day)

WORDS
END
cd "$SANDBOX"
bash --rcfile "$SANDBOX/bashrc" -i
