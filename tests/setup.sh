#!/bin/bash
# Installs what is needed on Debian or Ubuntu, Rust included:
#
#     tests/setup.sh demo     for the demonstration and the sandbox
#     tests/setup.sh tests    for all tests and the checks of .ci/run, on Debian only: Ubuntu has no package of
#                             chromium-headless-shell; makes a user for the tests
#     tests/setup.sh packages for .ci/package and tests/release/packages.sh
#     tests/setup.sh cross    on x86-64, for the packages for aarch64: 500 MB
#
# Does nothing if all is there. An ordinary user is asked for the password by sudo, where something is missing. No
# service of what is installed runs, now or after the next boot.
set -eu
self=$(realpath "$0")
cd "$(dirname "$self")/.."
source tests/setup/rust.sh
source tests/setup/services.sh

# Pairs of a file and its package: the package is installed if the file is not there.
demo=(
    /usr/bin/ssh                openssh-client
    /usr/sbin/sshd              openssh-server
    /usr/bin/cc                 gcc
    /usr/include/stdio.h        libc6-dev
    /etc/ssl/certs/ca-certificates.crt  ca-certificates
)
tests=(
    "${demo[@]}"
    /usr/share/bash-completion/bash_completion  bash-completion
    /bin/busybox                busybox
    /usr/bin/chattr             e2fsprogs
    /usr/bin/chronic            moreutils
    /usr/bin/chromium-headless-shell  chromium-headless-shell
    /usr/sbin/cron              cron
    /usr/sbin/dropbear          dropbear-bin
    /usr/bin/faketime           faketime
    /usr/bin/fish               fish
    /bin/ip                     iproute2
    /usr/bin/jq                 jq
    /usr/bin/ksh93              ksh93u+m
    /usr/bin/lnav               lnav
    /usr/bin/mandoc             mandoc
    /bin/mksh                   mksh
    /usr/bin/objcopy            binutils
    /usr/bin/promtool           prometheus
    /usr/bin/pydoc3             python3
    /usr/bin/shellcheck         shellcheck
    /usr/bin/strace             strace
    /usr/bin/tcsh               tcsh
    /usr/bin/xz                 xz-utils
    /usr/bin/zsh                zsh
    /usr/bin/zstd               zstd
    /usr/share/zoneinfo/Europe  tzdata
)
packages=(
    "${demo[@]}"
    /usr/bin/dpkg-shlibdeps     dpkg-dev
    /usr/bin/git                git
    /usr/bin/jq                 jq
    /usr/bin/lintian            lintian
    /usr/bin/rpm                rpm
    /usr/sbin/debootstrap       debootstrap
)
cross=(
    /usr/bin/aarch64-linux-gnu-gcc          gcc-aarch64-linux-gnu
    /usr/aarch64-linux-gnu/lib/libc.a       libc6-dev-arm64-cross
    /usr/bin/qemu-aarch64-static            qemu-user-static
)
# Some tests run sshd and remoteexe as this user. The sshd of an ordinary user lets only that user log in.
user=remoteexe-test

say() {
    echo "setup: $*"
}

# What would be fetched, in apt's own words: how many packages, and how large they are. A hundred take a minute.
plan() {
    LC_ALL=C apt-get install --assume-no --no-install-recommends "$@" 2>/dev/null | awk '
        /^(Need to get|After this operation)/
        / newly installed/ {
            print
            print "On a fast network this takes " ($3 < 100 ? "a minute" : 1 + int($3 / 100) " minutes") "."
        }'
}

# install PACKAGE...
install_packages() {
    local policy=/usr/sbin/policy-rc.d before new begin=$SECONDS
    # The sandbox starts its own sshd. The package must not start one for the world to see.
    if [ ! -e "$policy" ]; then
        # shellcheck disable=SC2064  # now
        trap "rm -f '$policy'" EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    say "installs $*, and what they depend on:"
    plan "$@" | sed 's/^/    /'
    before=$(installed)
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    mapfile -t new < <(comm -13 <(echo "$before") <(installed))
    disable_services "${new[@]}"
    say "installed ${#new[@]} packages in $((SECONDS - begin)) s; none of their services runs, now or after a boot"
    say "to remove them: apt-get autoremove --purge $*"
}

installed() {
    # shellcheck disable=SC2016  # dpkg-query expands its fields.
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | LC_ALL=C sort
}

case ${1-} in
    demo) needed=("${demo[@]}") ;;
    tests) needed=("${tests[@]}") ;;
    packages) needed=("${packages[@]}") ;;
    cross) needed=("${cross[@]}") ;;
    *) echo "usage: $0 demo | tests | packages | cross" >&2; exit 2 ;;
esac

missing=()
for ((i = 0; i < ${#needed[@]}; i += 2)); do
    [ -e "${needed[i]}" ] || missing+=("${needed[i + 1]}")
done

# Without Rust nothing else is of use, so it comes first.
lacks_rust=
if [ -n "$(command -v rustup)" ]; then
    use_cargo
elif ! find_cargo; then
    lacks_rust=yes
fi

if [ "$(id -u)" -ne 0 ]; then
    [ -n "${missing[*]-}$lacks_rust" ] || exit 0
    command -v sudo >/dev/null || {
        echo "$0: missing: ${missing[*]-} ${lacks_rust:+Rust}; there is no sudo: run '$0 $1' as root" >&2
        exit 1
    }
    say "sudo $0 $1"
    exec sudo "$self" "$1"
fi
if [ -n "${missing[*]-}$lacks_rust" ]; then
    apt-get update -qq
    if [ -n "$lacks_rust" ]; then
        rust=$(rust_package)
        [ -n "$rust" ] || rust_is_missing
        missing+=("$rust")
    fi
    install_packages "${missing[@]}"
fi
if [ "$1" = tests ] && ! id "$user" >/dev/null 2>&1; then
    useradd --system --home-dir / --shell /bin/sh "$user"
    say "made the user $user; to remove it: userdel $user"
fi
