#!/bin/sh
# Runs a command where nobody else sees its mounts:
#
#     tests/try/own_mounts.sh [OPTION OF UNSHARE]... COMMAND [ARG]...
#
# Needs root, and in a container the right to mount. `unshare --mount` alone fails in a root directory of chroot(1),
# which is no mount point: it cannot make that one private. So this makes all mounts of the new namespace private, from
# the namespace's own root directory.
set -eu

refuse() {
    echo "$0: no mounts of its own: $1" >&2
    if [ "$(id -u)" -ne 0 ]; then
        echo "tip: run it as root" >&2
    else
        echo "tip: in a container, CAP_SYS_ADMIN and no AppArmor or seccomp: docker run --privileged" >&2
    fi
    exit 125
}

if [ "${1-}" = --inside ]; then
    shift
    reason=$(nsenter --mount=/proc/self/ns/mnt mount --make-rprivate / 2>&1) || refuse "$reason"
    exec "$@"
fi
options=
while [ "${1#--}" != "$1" ]; do
    options="$options $1"
    shift
done
# Tried alone first: its failure must not look like that of the command.
reason=$(unshare --mount --propagation unchanged true 2>&1) || refuse "$reason"
# shellcheck disable=SC2086  # words
exec unshare --mount --propagation unchanged $options "$0" --inside "$@"
