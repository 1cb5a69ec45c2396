#!/bin/bash
# Builds the packages, and tries them: those for Debian and RPM in trees of Debian 11, 12 and 13, against a real sshd.
# Debian 11 is the oldest release that its mirrors have. On x86-64 also those for aarch64, in a tree of Debian 13 that
# an emulator runs.
#
#     tests/release/packages.sh
#
# Needs root on Debian. Installs what is missing. The trees of debootstrap are kept in target/debootstrap. For aarch64
# the kernel is given the emulator until the end, unless it has one already.
#
# shellcheck disable=SC2016  # dpkg-query expands its fields.
set -Eeuo pipefail
cd "$(dirname "$0")/../.."

# RELEASE:ARCHITECTURE
trees=(bullseye bookworm trixie)
trees=("${trees[@]/%/:$(dpkg --print-architecture)}")
targets=("$(uname -m)-unknown-linux-gnu")
if [ "$(uname -m)" = x86_64 ]; then
    trees+=(trixie:arm64) targets+=(aarch64-unknown-linux-gnu)
fi
program=/usr/bin/remoteexe
kept=$program.before-package

say() {
    echo "packages: $*"
}

# equal NAME FOUND EXPECTED
equal() {
    [ "$2" = "$3" ] && return
    say "FAILED: $1"
    diff <(echo "$3") <(echo "$2") | sed 's/^/    /' || true
    exit 1
}

# refuses NAME COMMAND...: expects a failure, and leaves its messages in `message`.
refuses() {
    local name=$1
    shift
    if message=$("$@" 2>&1); then
        say "FAILED: $name: $* succeeded"
        exit 1
    fi
}

# Lets the kernel run programs for aarch64 until the script ends, in trees too.
emulate() {
    local kernel=/proc/sys/fs/binfmt_misc
    [ -e $kernel/register ] || mount -t binfmt_misc binfmt_misc $kernel
    if [ ! -e $kernel/qemu-aarch64 ]; then
        cat /usr/lib/binfmt.d/qemu-aarch64.conf >$kernel/register
        trap 'echo -1 >/proc/sys/fs/binfmt_misc/qemu-aarch64' EXIT
    fi
}

# Makes the tree once. Its source is the one from which this machine installs.
debootstrap_tree() {
    local tree=target/debootstrap/$1 mirror
    [ ! -d "$tree" ] || return 0
    mirror=$(apt-get indextargets --format "\$(ORIGIN) \$(RELEASE) \$(SITE)" 'Created-By: Packages' |
        awk '$1 == "Debian" && $2 !~ /security/ { print $3; exit }')
    mkdir -p target/debootstrap
    rm -rf "$tree.new"
    debootstrap --arch="${1#*:}" --variant=minbase --include=openssh-client "${1%:*}" "$tree.new" "$mirror" >"$tree.log"
    mv "$tree.new" "$tree"
}

# Makes `tree`, a fresh one, with the package for its architecture and the sandbox's keys in it.
fresh_tree() {
    tree=$work/tree
    deb=$(echo target/packages/*_"${1#*:}".deb)
    rpm=$(echo target/packages/*."$(machine "$deb")".rpm)
    rm -rf --one-file-system "$tree"
    cp -a "target/debootstrap/$1" "$tree"
    mkdir -p "$tree$SANDBOX"
    cp -a "$SANDBOX/." "$tree$SANDBOX"
    cp "$deb" "$tree/remoteexe.deb"
}

# The kernel's name for the architecture of a package.
machine() {
    case $1 in
        *_amd64.deb) echo x86_64 ;;
        *_arm64.deb) echo aarch64 ;;
    esac
}

# inside COMMAND...: runs it in the tree. Its mounts go away with it.
inside() {
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive HOME=/root \
        tests/try/own_mounts.sh sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$tree" "$@"
}

files_in_tree() {
    (cd "$tree" && find . -path ./var/lib/dpkg -prune -o -path ./var/log -prune -o -print | LC_ALL=C sort)
}

# The script that remoteexe replaces; it names the key.
put_script() {
    # A link there would lead out of the tree.
    rm -f "$tree$program"
    printf '#!/bin/bash\nkey=/path/to/key\n' >"$tree$program"
}

refusal="remoteexe: not installed: $program is there and belongs to no package.
It may be the script that names the SSH key. Keep a copy, and install again:
    cp -a $program $kept
The package then replaces $program. To go back, remove the package, and
    mv $kept $program"

a_package_does_not_replace_a_script_or_a_link_of_which_there_is_no_copy() {
    put_script
    refuses "a script" inside dpkg -i /remoteexe.deb
    equal "the message" "$(grep -A 4 '^remoteexe:' <<<"$message")" "$refusal"
    equal "the script" "$(tail -n 1 "$tree$program")" key=/path/to/key
    equal "its state" "$(inside dpkg-query -f '${Status}' -W remoteexe)" "install ok not-installed"
    ln -sf /usr/local/bin/remoteexe "$tree$program"
    refuses "a link" inside dpkg -i /remoteexe.deb
    cp -a "$tree$program" "$tree$kept"
    put_script
    refuses "a copy of something else" inside dpkg -i /remoteexe.deb
    rm "$tree$program" "$tree$kept"
}

a_package_replaces_a_script_that_has_been_kept_and_the_way_back_is_open() {
    put_script
    inside cp -a "$program" "$kept"
    inside dpkg -i /remoteexe.deb >/dev/null
    equal "the version" "$(inside remoteexe -V)" "remoteexe $version"
    inside dpkg -r remoteexe >/dev/null
    inside mv "$kept" "$program"
    equal "the script" "$(tail -n 1 "$tree$program")" key=/path/to/key
    rm "$tree$program"
}

a_diverted_package_stands_beside_the_script() {
    put_script
    inside dpkg-divert --quiet --local --no-rename --divert "$program.new" --add "$program"
    inside dpkg -i /remoteexe.deb >/dev/null
    equal "the version" "$(inside "$program.new" -V)" "remoteexe $version"
    inside mv "$program" "$kept"
    inside dpkg-divert --quiet --local --rename --remove "$program"
    equal "the version after the swap" "$(inside remoteexe -V)" "remoteexe $version"
    inside dpkg -r remoteexe >/dev/null
    rm "$tree$kept"
}

an_installed_package_runs_jobs_and_a_report_and_is_complete() {
    local status=0 log
    inside dpkg -i /remoteexe.deb >/dev/null
    equal "what is not as it was packed" "$(inside dpkg -V remoteexe)" ""
    equal "its libraries" "$(readelf -ld "$tree$program" | grep -E 'NEEDED|interpreter' || true)" ""
    mkdir "$tree/log"
    inside remoteexe -F "$SANDBOX/ssh_config" --log-dir /log host01 'echo hello; exit 3' || status=$?
    equal "the exit status" "$status" 3
    log=$(sed 's/^\[[-0-9]* [:0-9]*\]\[[0-9]*\] //' "$tree"/log/*_remoteexe.log)
    equal "the log" "$log" "START,-,host01 echo hello; exit 3
command,ssh -F $SANDBOX/ssh_config root@host01 echo hello; exit 3
hello
END,3,host01 echo hello; exit 3"
    status=0
    inside remoteexe --report --log-dir /log >"$work/report" || status=$?
    equal "the exit status of the report" "$status" 1
    grep -q '^FAILING  .*host01 echo hello; exit 3$' "$work/report" ||
        equal "the report" "$(<"$work/report")" "FAILING … host01 echo hello; exit 3"
    rm -r "$tree/log"
    equal "the empty files" "$(inside sh -c 'find $(dpkg -L remoteexe) -maxdepth 0 -empty')" ""
    bash -n "$tree/usr/share/bash-completion/completions/remoteexe"
    equal "the manual's first request" "$(zcat "$tree/usr/share/man/man1/remoteexe.1.gz" | grep -c '^\.Dd\|^\.TH')" 1
}

an_upgrade_needs_no_copy() {
    dpkg-deb -R "$deb" "$work/next"
    sed -i "s/^Version: .*/&+next/" "$work/next/DEBIAN/control"
    dpkg-deb --root-owner-group -b "$work/next" "$tree/next.deb" >/dev/null
    rm -r "$work/next"
    inside dpkg -i /next.deb >/dev/null
    equal "the version" "$(inside dpkg-query -f '${Status} ${Version}' -W remoteexe)" \
        "install ok installed $version-$revision+next"
    rm "$tree/next.deb"
}

a_removed_package_leaves_nothing() {
    inside dpkg -r remoteexe >/dev/null
    equal "what is left" "$(diff <(echo "$before") <(files_in_tree) || true)" ""
}

the_rpm_has_these_files_and_needs_these_packages() {
    equal "the files" "$(rpm -qpl "$rpm")" "$program
/usr/share/bash-completion/completions/remoteexe
/usr/share/doc/remoteexe/CHANGELOG.md
/usr/share/fish/vendor_completions.d/remoteexe.fish
/usr/share/licenses/remoteexe/NOTICES
/usr/share/licenses/remoteexe/rust-standard-library.html.gz
/usr/share/man/man1/remoteexe.1.gz
/usr/share/remoteexe/alerts.yml
/usr/share/remoteexe/grafana.json
/usr/share/remoteexe/lnav.json
/usr/share/zsh/site-functions/_remoteexe"
    equal "what it needs" "$(rpm -qpR "$rpm" | grep -v '^rpmlib(' | sort -u)" "/bin/sh
openssh-clients"
    rm -rf "$work/rpm" "$work/deb"
    mkdir "$work/rpm" "$work/deb"
    # rpm2cpio would end with 1: it misses a size that cargo-generate-rpm does not write.
    rpm2archive -n <"$rpm" | tar -x -C "$work/rpm"
    dpkg-deb -x "$deb" "$work/deb"
    cmp "$work/rpm$program" "$work/deb$program"
}

the_rpm_does_not_replace_a_script_of_which_there_is_no_copy() {
    put_script
    refuses "a script" rpm_inside -i --ignorearch "$rpm"
    equal "the message" "$(grep -A 4 '^remoteexe: not' <<<"$message")" "$refusal"
    equal "the script" "$(tail -n 1 "$tree$program")" key=/path/to/key
    inside cp -a "$program" "$kept"
    rpm_inside -i --ignorearch "$rpm" 2>/dev/null
    equal "the version" "$(inside remoteexe -V)" "remoteexe $version"
    rm "$tree$kept"
    rpm_inside -U --ignorearch --replacepkgs "$rpm" 2>/dev/null
    rpm_inside -e remoteexe 2>/dev/null
    [ ! -e "$tree$program" ] || equal "$program" "is there" "is gone"
}

# rpm opens the file before it enters the tree. It knows nothing of Debian's packages there.
rpm_inside() {
    rpm --root "$tree" --nodeps "$@"
}

# Debian itself wants a number of its bug tracker in the first entry of a changelog. A static program at any address
# (static-pie) is one that needs no library, and no library itself.
lintian_finds_nothing() {
    local tags=initial-upload-closes-no-bugs,statically-linked-binary,shared-library-lacks-prerequisites
    equal "lintian" "$(lintian --suppress-tags $tags target/packages/*.deb)" ""
}

the_program_needs_no_library_and_runs_on_a_kernel_that_lacks_newer_calls() {
    local calls=pidfd_open,pidfd_send_signal,statx,getrandom,clone3,close_range,openat2,faccessat2,renameat2 status=0
    dpkg-deb -x "$deb" "$work/static"
    mkdir "$work/log"
    # As Linux 3.10 does, which RHEL 7 has.
    strace -qq -o "$work/trace" -e inject=$calls:error=ENOSYS "$work/static$program" -F "$SANDBOX/ssh_config" \
        --log-dir "$work/log" --retries 2 host01 'echo hello; exit 3' || status=$?
    equal "the exit status" "$status" 3
    grep -q INJECTED "$work/trace"
    equal "the log" "$(cut -d' ' -f3- "$work/log"/*.log | tail -n 2)" "hello
END,3,host01 echo hello; exit 3"
    status=0
    strace -qq -f -o "$work/trace" -e inject=$calls:error=ENOSYS "$work/static$program" --report \
        --log-dir "$work/log" --html "$work/page" || status=$?
    equal "the exit status of the report" "$status" 1
    grep -q FAILING "$work/page"
}

the_archives_install_the_same_programs_by_their_own_commands() {
    local deb archive
    for deb in target/packages/*.deb; do
        archive=remoteexe-$version-$revision.$(machine "$deb")
        rm -rf "$work/local" "$work/other"
        mkdir -p "$work/local/bin"
        tar -xzf "target/packages/$archive.tar.gz" -C "$work"
        (cd "$work/$archive" && sed "s|/usr/local|$work/local|" INSTALL | sh -eu)
        dpkg-deb -x "$deb" "$work/other"
        cmp "$work/local/bin/remoteexe" "$work/other$program"
    done
    (cd target/packages && sha256sum --quiet -c SHA256SUMS)
    equal "the files with a checksum" "$(cut -c67- target/packages/SHA256SUMS | wc -l)" $((3 * ${#targets[@]}))
}

# apt and dnf keep what is installed unless the version rises.
the_packages_have_the_time_of_their_commit_in_the_version() {
    equal "Debian's revision" "$revision" "$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y%m%d.%H%M%S)"
    equal "the release" "$(rpm -qp --queryformat '%{RELEASE}' "$rpm")" "$revision"
}

the_crate_that_is_packed_installs_the_same_program() {
    local crate=remoteexe-$version
    cargo build --locked --quiet --release
    cp target/release/remoteexe "$work/built"
    cargo package --locked --no-verify --allow-dirty --target-dir "$work/crate" 2>"$work/warnings"
    # There is no repository to name.
    equal "the warnings" "$(grep '^warning' "$work/warnings")" \
        "warning: manifest has no documentation, homepage or repository"
    tar -xzf "$work/crate/package/$crate.crate" -C "$work"
    # The files in a crate are old: cargo would take what it has built here for their program.
    touch "$work/$crate/src/main.rs"
    cargo install --locked --quiet --path "$work/$crate" --root "$work/installed" --target-dir target 2>/dev/null
    cmp "$work/installed/bin/remoteexe" "$work/built"
}

run() {
    trap 'say "FAILED: line $LINENO: $BASH_COMMAND"' ERR
    "$1"
    trap - ERR
    say "ok: ${1//_/ }"
}

inside_the_sandbox() {
    work=$(mktemp -d "${TMPDIR:-/tmp}/remoteexe-packages.XXXXXX")
    trap 'rm -rf --one-file-system "$work"' EXIT
    deb=$(echo target/packages/*_"$(dpkg --print-architecture)".deb)
    rpm=$(echo target/packages/*."$(uname -m)".rpm)
    version=$(dpkg-deb -f "$deb" Version)
    revision=${version#*-}
    version=${version%%-*}
    run lintian_finds_nothing
    run the_packages_have_the_time_of_their_commit_in_the_version
    run the_program_needs_no_library_and_runs_on_a_kernel_that_lacks_newer_calls
    run the_archives_install_the_same_programs_by_their_own_commands
    run the_crate_that_is_packed_installs_the_same_program
    local name
    for name in "${trees[@]}"; do
        say "$name"
        fresh_tree "$name"
        before=$(files_in_tree)
        run a_package_does_not_replace_a_script_or_a_link_of_which_there_is_no_copy
        run a_package_replaces_a_script_that_has_been_kept_and_the_way_back_is_open
        run a_diverted_package_stands_beside_the_script
        run an_installed_package_runs_jobs_and_a_report_and_is_complete
        run an_upgrade_needs_no_copy
        run a_removed_package_leaves_nothing
        run the_rpm_has_these_files_and_needs_these_packages
        run the_rpm_does_not_replace_a_script_of_which_there_is_no_copy
    done
}

if [ "${1-}" = inside ]; then
    inside_the_sandbox
    exit
fi
tests/setup.sh packages
if [ ${#targets[@]} -gt 1 ]; then
    tests/setup.sh cross
    emulate
fi
source tests/setup/rust.sh
use_cargo
.ci/package "${targets[@]}"
for name in "${trees[@]}"; do
    debootstrap_tree "$name"
done
tests/try/sandbox.sh "$0" inside
