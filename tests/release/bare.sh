#!/bin/bash
# Does what README says on bare systems: Debian 12 and 13, each as root and as an ordinary user with sudo.
#
#     tests/release/bare.sh                               all of it, which takes an hour
#     tests/release/bare.sh trixie user try               a part: any of bookworm, trixie, root, user, try, tests, package
#     tests/release/bare.sh trixie root tests -- report_  only the tests with this name
#
# "try" is the block under README's "Try it", "tests" the one under "Contribute", and "package" the Debian part of the one
# about packages, which only root runs. Each release and user has a fresh tree of debootstrap in target/bare, with a git
# clone of the last commit in the user's home and nothing else that README does not name. Trees stay there; with
# BARE_KEEP=1 the next run goes on in them.
#
# No terminal and no input is there, the root directory is no mount point, and no systemd runs. What leads this machine
# to its registries leads the tree there too: apt's sources, proxies, certificates and cargo's configuration.
# Exits with 0 if each command did, if the demonstration shows what it should, and if no service was left that the next
# boot would start, no process and no file in /tmp.
set -Eeuo pipefail
cd "$(dirname "$0")/../.."
self=$PWD/tests/release/bare.sh
place=$(realpath -m target/bare)

say() {
    echo "bare: $(date +%T) $*"
}

# The repositories from which this machine installs: "URI URI-of-security". Debian's own, if it is no Debian.
repositories() {
    # shellcheck disable=SC2016  # apt expands its fields.
    apt-get indextargets --format '$(ORIGIN) $(RELEASE) $(REPO_URI)' 'Created-By: Packages' | awk '
        $1 != "Debian" { next }
        $2 ~ /security/ { security = security ? security : $3; next }
        $2 !~ /-/ { main = main ? main : $3 }
        END {
            print main ? main : "http://deb.debian.org/debian"
            print security ? security : "http://deb.debian.org/debian-security"
        }' | paste -sd ' '
}

# Makes the tree of a release once.
pristine() {
    local release=$1 tree=$place/$1 main security
    [ ! -d "$tree" ] || return 0
    say "debootstrap $release"
    read -r main security < <(repositories)
    mkdir -p "$place"
    rm -rf "$tree.new"
    # Without git there is no clone, and an ordinary user comes with sudo. Certificates are for git and https.
    debootstrap --variant=minbase --include=git,ca-certificates,sudo "$release" "$tree.new" "$main" >"$tree.log"
    printf 'deb %s main\n' "$main $release" "$main $release-updates" "$security $release-security" \
        >"$tree.new/etc/apt/sources.list"
    # How it gets there; not what is kept, or in which languages.
    apt-config dump | grep -iE '^Acquire::(http|https|ftp|Check)' >"$tree.new/etc/apt/apt.conf.d/90caller" || true
    mv "$tree.new" "$tree"
}

# Makes `tree`, a fresh one of a release with the ordinary user and the repository.
fresh_tree() {
    local release=$1 user=$2
    tree=$place/$release-$user
    if [[ -n ${BARE_KEEP-} && -d $tree ]]; then
        return 0
    fi
    rm -rf --one-file-system "$tree"
    cp -a "$place/$release" "$tree"
    cp -L /etc/resolv.conf /etc/hosts "$tree/etc/"
    cp -rL /usr/local/share/ca-certificates/. "$tree/usr/local/share/ca-certificates/"
    chroot "$tree" update-ca-certificates >/dev/null 2>&1
    chroot "$tree" useradd --create-home --shell /bin/bash newcomer
    echo 'newcomer ALL=(ALL) NOPASSWD: ALL' >"$tree/etc/sudoers.d/newcomer"
    git clone -q --bare --no-local . "$tree/srv/remoteexe.git"
    chroot "$tree" chown -R "$(login "$user")" /srv/remoteexe.git
    local config=${CARGO_HOME:-$HOME/.cargo}/config.toml home
    if [ -e "$config" ]; then
        for home in "$tree/root" "$tree/home/newcomer"; do
            install -D "$config" "$home/.cargo/config.toml"
        done
        chroot "$tree" chown -R newcomer: /home/newcomer/.cargo
    fi
}

login() {
    case $1 in
        root) echo root ;;
        user) echo newcomer ;;
    esac
}

# inside USER COMMAND: a shell of this user runs it in the tree, in namespaces that end with it. Proxies are the
# caller's, and cargo's settings that are no paths of this machine.
inside() {
    local name home path=/usr/local/bin:/usr/bin:/bin passed=() variable
    name=$(login "$1")
    home=/home/$name
    if [ "$name" = root ]; then
        home=/root path=/usr/local/sbin:/usr/sbin:/sbin:$path
    fi
    while read -r variable; do
        passed+=("$variable=${!variable}")
    done < <(compgen -e | grep -iE '^(https?_proxy|no_proxy|all_proxy|CARGO_(HTTP|NET|REGISTR|PROFILE)[A-Z_]*|RUST_TEST_THREADS|SEED)$')
    setsid tests/try/own_mounts.sh --pid --fork --kill-child "$self" --enter "$tree" "$name" \
        env -i HOME="$home" USER="$name" LOGNAME="$name" PATH="$path" "${passed[@]}" bash -c "$2" </dev/null
}

# The part of `inside` in the namespaces. Its mounts and its processes go away with it.
enter() {
    local tree=$1 name=$2 status=0 left deadline
    shift 2
    mount -t proc proc "$tree/proc"
    mount --rbind /dev "$tree/dev"
    mount --rbind /sys "$tree/sys"
    chroot --userspec="$name:$name" --groups="$name" "$tree" "$@" || status=$?
    # What is just ending has a moment.
    deadline=$((SECONDS + 10))
    while left=$(processes_in "$tree") && [ -n "$left" ]; do
        if [ $SECONDS -ge $deadline ]; then
            printf 'still running:\n%s\n' "$left" >&2
            exit 1
        fi
        sleep 0.2
    done
    exit "$status"
}

processes_in() {
    local process
    for process in "$1"/proc/[0-9]*; do
        if [ "$(readlink "$process/root")" = "$1" ]; then
            tr '\0' ' ' <"$process/cmdline"
            echo
        fi
    done
}

# readme HEADING [N]: the commands in the first or the Nth block of ```sh under the heading.
readme() {
    awk -v heading="## $1" -v wanted="${2-1}" '
        /^## / { inside = $0 == heading; next }
        inside && /^```sh$/ { block++; next }
        inside && /^```$/ { if (block == wanted) exit; next }
        inside && block == wanted' README.md
}

# step NAME USER COMMAND: runs it in the tree, with its output in a file, and notes how long it took.
step() {
    local name=$1 user=$2 log=$tree-$1.log begin=$SECONDS
    say "$(basename "$tree"): $name"
    if ! inside "$user" "set -e; cd; $3" >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        fail "$name failed; its output is in $log"
    fi
    times+=("$(printf '%-16s %-8s %5d s' "$(basename "$tree")" "$name" $((SECONDS - begin)))")
}

fail() {
    say "FAILED: $(basename "$tree"): $*"
    exit 1
}

# What an administrator would see of services, and of what is left behind.
state() {
    (
        cd "$tree"
        find etc/systemd/system etc/rc?.d -name 'K*' -prune -o -type l -printf '%p -> %l\n' 2>/dev/null
        find tmp usr/sbin -mindepth 1 -maxdepth 1 \( -path 'tmp/*' -o -name policy-rc.d \)
    ) | LC_ALL=C sort
}

has_clone='[ -d remoteexe ] || git clone -q /srv/remoteexe.git remoteexe; cd remoteexe;'

try_it() {
    local words
    step try "$1" "$(readme "Try it" | sed 's| URL | file:///srv/remoteexe.git |')"
    for words in 'END,0,host_user_batch02' 'END,3,host_sum_batch01' 'retry,1/8,255,wait' 'END,0,host_db01' '^FAILING' \
        '^NOT STARTED .*nightly.sh' '^a page for a browser: /.*html$'; do
        grep -q "$words" "$tree-try.log" || fail "try: no $words in $tree-try.log"
    done
}

run_tests() {
    local command
    command=$(readme Contribute)
    # As README says.
    [ "$1" = root ] || command="sudo $command"
    step tests "$1" "$has_clone $command ${filter[*]@Q}"
    grep '^test result: ' "$tree-tests.log" | sed 's/^/    /'
}

package() {
    step package root "$has_clone $(readme "Install, upgrade, remove" 2 | grep -v '^dnf'); cd /; remoteexe -V"
}

# one RELEASE USER
one() {
    local before after
    fresh_tree "$1" "$2"
    before=$(state)
    [[ " ${steps[*]} " != *" try "* ]] || try_it "$2"
    [[ " ${steps[*]} " != *" tests "* ]] || run_tests "$2"
    [[ " ${steps[*]} " != *" package "* || $2 != root ]] || package
    after=$(state)
    [ "$before" = "$after" ] || fail "left: $(diff <(echo "$before") <(echo "$after"))"
}

if [ "${1-}" = --enter ]; then
    shift
    enter "$@"
fi

releases=() users=() steps=() filter=() times=()
while [ $# -gt 0 ]; do
    case $1 in
        bookworm | trixie) releases+=("$1") ;;
        root | user) users+=("$1") ;;
        try | tests | package) steps+=("$1") ;;
        --) shift; filter=("$@"); break ;;
        *) sed -n '2,/^set/s/^# \{0,1\}//p' "$self" >&2; exit 2 ;;
    esac
    shift
done
[ ${#releases[@]} -gt 0 ] || releases=(bookworm trixie)
[ ${#users[@]} -gt 0 ] || users=(root user)
[ ${#steps[@]} -gt 0 ] || steps=(try tests package)

[ "$(id -u)" -eq 0 ] || { echo "$0: needs root" >&2; exit 1; }
tests/setup.sh packages
[ -z "$(git status --porcelain)" ] || say "the trees get the last commit, not what has changed since"
for release in "${releases[@]}"; do
    pristine "$release"
    for user in "${users[@]}"; do
        one "$release" "$user"
    done
done
printf '%s\n' "${times[@]}"
