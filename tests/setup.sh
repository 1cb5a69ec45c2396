#!/bin/bash
# Installs what the sandbox and the tests need on Debian or Ubuntu. Does nothing where all is there.
set -eu

# The program or directory that shows a package to be there, and the package.
needed=(
    /usr/bin/ssh       openssh-client
    /usr/sbin/sshd     openssh-server
    /usr/sbin/cron     cron
    /usr/bin/cc        gcc
    /usr/bin/faketime  faketime
    /usr/share/zoneinfo/Europe  tzdata
)
# As root the tests also run as this user, because sshd lets an ordinary user log in as itself only.
# Remove it with: userdel remoteexe-test
user=remoteexe-test

missing=()
for ((i = 0; i < ${#needed[@]}; i += 2)); do
    [ -x "${needed[i]}" ] || missing+=("${needed[i + 1]}")
done

if [ "$(id -u)" -ne 0 ]; then
    [ ${#missing[@]} -eq 0 ] && exit
    echo "$0: missing: ${missing[*]}; install them with: sudo $0" >&2
    exit 1
fi
if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
id "$user" >/dev/null 2>&1 || useradd --system --home-dir / --shell /bin/sh "$user"
