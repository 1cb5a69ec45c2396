#!/bin/bash
# Installs what is needed on Debian or Ubuntu:
#
#     tests/setup.sh demo     for the sandbox
#     tests/setup.sh tests    for all tests, and makes a user for them
#
# Does nothing where all is there. As root; an ordinary user is told what to run.
set -eu

# The file that shows a package to be there, and the package.
demo=(
    /usr/bin/ssh                openssh-client
    /usr/sbin/sshd              openssh-server
    /usr/bin/cc                 gcc
    /usr/include/stdio.h        libc6-dev
)
tests=(
    "${demo[@]}"
    /usr/sbin/cron              cron
    /usr/bin/faketime           faketime
    /usr/share/zoneinfo/Europe  tzdata
)
# As root the tests also run as this user, because sshd lets an ordinary user log in as itself only.
# Remove it with: userdel remoteexe-test
user=remoteexe-test

case ${1-} in
    demo) needed=("${demo[@]}") ;;
    tests) needed=("${tests[@]}") ;;
    *) echo "usage: $0 demo | tests" >&2; exit 2 ;;
esac

missing=()
for ((i = 0; i < ${#needed[@]}; i += 2)); do
    [ -e "${needed[i]}" ] || missing+=("${needed[i + 1]}")
done

if [ "$(id -u)" -ne 0 ]; then
    [ ${#missing[@]} -eq 0 ] && exit
    echo "$0: missing: ${missing[*]}; install them with: sudo $0 $1" >&2
    exit 1
fi
if [ ${#missing[@]} -gt 0 ]; then
    # The sandbox starts an sshd of its own: none shall be started for the world to see.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
if [ "$1" = tests ]; then
    id "$user" >/dev/null 2>&1 || useradd --system --home-dir / --shell /bin/sh "$user"
fi
