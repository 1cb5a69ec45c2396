# Keeps the services of new packages from being started at the next boot; for `source`.
#
# shellcheck shell=bash

# disable_services PACKAGE...: the packages have just been installed, and no administrator has enabled anything of
# them. This does it without systemctl, which a container may not have. `systemctl enable ssh` undoes it.
disable_services() {
    local name
    while read -r name; do
        # Such a link enables a unit, or names it once more.
        find /etc/systemd/system -type l -lname "*/$name" -delete
    done < <(files_in lib/systemd/system "$@")
    while read -r name; do
        update-rc.d "$name" disable >/dev/null 2>&1 || true
    done < <(files_in etc/init.d "$@")
}

# The names of the packages' files in that directory.
files_in() {
    local directory=$1
    shift
    dpkg-query -L "$@" | sed -n "s|^\(/usr\)\?/$directory/\([^/]*\)\$|\2|p" | sort -u
}
