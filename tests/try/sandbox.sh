#!/bin/bash
# Runs a command beside a throwaway sshd that stands for every remote host:
#
#     tests/try/sandbox.sh COMMAND [ARG]...
#
# Without a COMMAND it is that of tests/demo.sh.
#
# The sshd listens on a free port of 127.0.0.1 and runs as the user who calls this. Unless that is root, no
# other user can log in. COMMAND finds in the environment
#
#     SANDBOX            a directory of its own, removed afterwards, with
#                            ssh_config    for ssh -F: sends any host name to the sshd
#                            id            the private key
#                            sshd.log      the messages of the sshd
#                            sshd.pid      its process id
#                            logs/         the log directory
#     REMOTEEXE_LOGIN    the user who calls this
#     REMOTEEXE_LOG_DIR  logs/ there, so that nothing is logged to /tmp
#
# Lines for sshd_config in SANDBOX_SSHD_CONFIG replace the default one below. Exits with COMMAND's status.
set -eu

[ $# -gt 0 ] || exec "$(dirname "$0")/../demo.sh"
[ -x /usr/sbin/sshd ] || { echo "$0: no sshd; install it with: sudo tests/setup.sh demo" >&2; exit 1; }

dir=$(mktemp -d /tmp/remoteexe-sandbox.XXXXXX)
sshd=
clean_up() {
    if [ -n "$sshd" ]; then
        kill "$sshd" 2>/dev/null || true
        wait "$sshd" || true
    fi
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

mkdir "$dir/logs"
# OpenSSL computes with these keys, faster than OpenSSH itself with the usual ones (ed25519).
ssh-keygen -q -t ecdsa -N '' -C sandbox -f "$dir/host_key"
ssh-keygen -q -t ecdsa -N '' -C sandbox -f "$dir/id"
echo "sandbox $(cat "$dir/host_key.pub")" >"$dir/known_hosts"

# HOME: for a command that comes by ssh, bash reads ~/.bashrc, and root's own may do anything and take long.
# Without PAM sshd refuses root if root's password is locked, as installers leave it. Only root can use PAM, with which a
# login takes four more programs.
use_pam=no
[ "$(id -u)" -ne 0 ] || ! grep -q '^root:!' /etc/shadow || use_pam=yes
# The first line for an option wins.
cat >"$dir/sshd_config" <<END
${SANDBOX_SSHD_CONFIG-MaxStartups 200}
ListenAddress 127.0.0.1
HostKey $dir/host_key
PidFile $dir/sshd.pid
AuthorizedKeysFile $dir/id.pub
AuthenticationMethods publickey
PermitRootLogin prohibit-password
UsePAM $use_pam
StrictModes no
UseDNS no
SetEnv HOME=$dir
END

# From 9.8 on sshd locks out an address whose logins fail, and here all come from one address.
! LC_ALL=C grep -q persourcepenalties /usr/sbin/sshd || echo 'PerSourcePenalties no' >>"$dir/sshd_config"

# An sshd of root needs this directory. Debian's service makes it when it starts.
[ "$(id -u)" -ne 0 ] || install -d -m 0755 /run/sshd

# sshd cannot choose a free port itself, so it is started anew until it can bind one. With -r it executes no program for
# a connection, which halves the time; from 9.8 on it ignores -r.
while [ ! -s "$dir/sshd.pid" ]; do
    if [ -z "$sshd" ] || ! kill -0 "$sshd" 2>/dev/null; then
        if [ -n "$sshd" ] && ! grep -qs 'Address already in use' "$dir/sshd.log"; then
            echo "$0: sshd did not start: $(cat "$dir/sshd.log")" >&2
            exit 1
        fi
        : >"$dir/sshd.log"
        port=$((20000 + RANDOM % 12000))
        /usr/sbin/sshd -D -r -f "$dir/sshd_config" -p "$port" -E "$dir/sshd.log" </dev/null &
        sshd=$!
    fi
    sleep 0.02
done

cat >"$dir/ssh_config" <<END
Host *
    HostName 127.0.0.1
    Port $port
    HostKeyAlias sandbox
    UserKnownHostsFile $dir/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    IdentityFile $dir/id
    IdentitiesOnly yes
    BatchMode yes
END

# The trap keeps the command's status.
SANDBOX=$dir REMOTEEXE_LOGIN=$(id -un) REMOTEEXE_LOG_DIR=$dir/logs "$@"
