#!/bin/bash
# Installs what is needed on Debian or Ubuntu:
#
#     tests/setup.sh demo     for the sandbox
#     tests/setup.sh tests    for all tests and the checks of .ci/run; makes a user for the tests
#     tests/setup.sh packages for .ci/package and tests/packages.sh
#
# Does nothing if all is there. Needs root; an ordinary user is told what to run.
set -eu

# Pairs of a file and its package: the package is installed if the file is there.
demo=(
    /usr/bin/ssh                openssh-client
    /usr/sbin/sshd              openssh-server
    /usr/bin/cc                 gcc
    /usr/include/stdio.h        libc6-dev
)
tests=(
    "${demo[@]}"
    /usr/share/bash-completion/bash_completion  bash-completion
    /usr/bin/chromium           chromium
    /usr/sbin/cron              cron
    /usr/bin/faketime           faketime
    /usr/bin/fish               fish
    /usr/bin/jq                 jq
    /usr/bin/lnav               lnav
    /usr/bin/mandoc             mandoc
    /usr/bin/promtool           prometheus
    /usr/bin/pydoc3             python3
    /usr/bin/shellcheck         shellcheck
    /usr/bin/strace             strace
    /usr/bin/xz                 xz-utils
    /usr/bin/zsh                zsh
    /usr/bin/zstd               zstd
    /usr/share/zoneinfo/Europe  tzdata
)
packages=(
    "${demo[@]}"
    /usr/bin/dpkg-shlibdeps     dpkg-dev
    /usr/bin/jq                 jq
    /usr/bin/lintian            lintian
    /usr/bin/rpm                rpm
    /usr/sbin/debootstrap       debootstrap
)
# Some tests run sshd and remoteexe as this user. The sshd of an ordinary user lets only that user log in.
# Remove it with: userdel remoteexe-test
user=remoteexe-test

case ${1-} in
    demo) needed=("${demo[@]}") ;;
    tests) needed=("${tests[@]}") ;;
    packages) needed=("${packages[@]}") ;;
    *) echo "usage: $0 demo | tests | packages" >&2; exit 2 ;;
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
    # The sandbox starts its own sshd. The package must not start one for the world to see.
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
