#!/bin/bash
# Runs the commands of README as printed, in their order, as root on a copy of this machine that is thrown away.
#
#     tests/release/documents.sh
#
# The copy is an overlay over the root directory, in namespaces of its own. On it the bash script is in place with its
# key, the sandbox's sshd stands for each host, and the log of a made-up day is in /tmp. A block of ```sh is run line by
# line. In a block of ```crontab each line is run as cron would run it. The options in the table of questions are given to
# `remoteexe --report`. Exits with 1 if a command fails. Commands that need what the copy does not have are named, with
# the reason.
set -eu
self=$(realpath "$0")
cd "$(dirname "$self")/../.."

not_run() {
    case $1 in
        git\ clone* | tests/demo.sh | tests/run.sh) reason="tests/release/bare.sh runs it, on bare systems" ;;
        *.ci/package* | apt\ * | dnf\ *) reason="tests/release/packages.sh builds and installs them" ;;
        *) return 1 ;;
    esac
}

# Prints the fenced blocks of this language, each line with its number.
blocks() {
    awk -v language="$1" '/^```/ { inside = $0 == "```" language; next } inside { print NR ":" $0 }' README.md
}

# Makes what the commands find: hosts, a key, scripts, a day of logs, and the bash script that is to be replaced.
furnish() {
    local script hosts='host_sum_batch01 host_user_batch02 host_db01'
    /usr/sbin/sshd -f "$SANDBOX/sshd_config" -p 22 -o PidFile=none -E "$SANDBOX/sshd22.log"
    echo "127.0.0.1 $hosts" >>/etc/hosts
    rm -rf ~/.ssh
    install -d -m 700 ~/.ssh
    echo "${hosts// /,} $(cat "$SANDBOX/host_key.pub")" >~/.ssh/known_hosts
    # The last is a directory that README makes in a sentence.
    install -d /path/to/starting_sh /srv /var/log/remoteexe /etc/remoteexe /opt/airflow/dags
    echo '*/5 * * * * root remoteexe host_sum_batch01 /srv/sum.sh' >/etc/remoteexe/airflow.crontab
    install -m 600 "$SANDBOX/id" /path/to/key
    for script in /path/to/starting_sh/{sum,user_log,backup}.sh /srv/{nightly,sum}.sh; do
        # shellcheck disable=SC2016  # The script expands them.
        printf '#!/bin/sh\necho "$0 $*"\n' >"$script"
        chmod 755 "$script"
    done
    find /tmp -maxdepth 1 -name '*_remoteexe*' -delete
    tests/try/history.pl /tmp
    # The run of a question, which is at the last 15:09.
    day=today
    [[ $(date +%H:%M) > 15:09 ]] || day=yesterday
    date -d "$day" '+[%F 15:09:02][913] START,-,host_db01 /srv/sum.sh%n[%F 15:09:05][913] END,0,host_db01 /srv/sum.sh' \
        >>"/tmp/$(date -d "$day" +%Y%m%d)_remoteexe.log"
    sed "s|\$LOG|/tmp|" tests/bench/original.sh >/usr/bin/remoteexe
    chmod 755 /usr/bin/remoteexe
    {
        echo '* * * * * root remoteexe host_user_batch02 "/path/to/starting_sh/user_log.sh action"'
        # A job of a question, which has not run on the made-up day.
        echo '0 2 * * * root remoteexe host_db01 /srv/nightly.sh'
    } >>/etc/crontab
}

# In /etc/crontab /usr/local/bin comes first, and the program is there already. So this looks at the file itself.
what_cron_runs() {
    if cmp -s /usr/bin/remoteexe /opt/remoteexe/bin/remoteexe; then
        echo program
    elif grep -q 'ssh -i /path/to/key' /usr/bin/remoteexe; then
        echo script
    else
        echo neither
    fi
}

# Prints what stands in backquotes in the second column of the table of questions, each with the number of its line.
questions() {
    awk -F'|' '
        /^\| Question/ { inside = 1; getline; next }
        inside && !NF { exit }
        inside {
            while (match($3, /`[^`]*`/)) {
                print NR ":" substr($3, RSTART + 1, RLENGTH - 2)
                $3 = substr($3, RSTART + RLENGTH)
            }
        }' README.md
}

if [ "${1-}" = --on-the-copy ]; then
    # Each command is run as an operator would, who has none of the sandbox's settings.
    unset REMOTEEXE_LOGIN REMOTEEXE_LOG_DIR
    # There is no network. The crates are here, because the program has been built.
    export CARGO_NET_OFFLINE=true
    furnish
    failed=0
    # try LINE COMMAND: a report exits with 1 where it tells of a problem.
    try() {
        local status=0
        if not_run "$2"; then
            echo "not run: README.md:$1: $2 ($reason)"
            return
        fi
        eval "$2" >/tmp/output 2>&1 </dev/null || status=$?
        if [ "$status" -ne 0 ] && ! [[ $status -eq 1 && $2 == *remoteexe\ --report* ]]; then
            echo "README.md:$1: exit status $status: $2" >&2
            cat /tmp/output >&2
            failed=1
        fi
        if [[ $2 == *' /usr/bin/remoteexe' && $2 == *mv* ]]; then
            swaps+=" $(what_cron_runs)"
        fi
        count=$((count + 1))
    }
    count=0 swaps=
    while IFS=: read -r number command; do
        [[ -z $command || $command == \#* ]] || try "$number" "$command"
    done < <(blocks sh)
    echo "$count commands run"

    count=0
    while IFS=: read -r number options; do
        try "$number" "remoteexe --report $options"
    done < <(questions)
    echo "$count questions asked"

    # The migration was among them, and the way back.
    [ "$swaps" = ' program script' ] || { echo "$0: /usr/bin/remoteexe became:$swaps" >&2; failed=1; }
    ln -sf /opt/remoteexe/bin/remoteexe /usr/bin/remoteexe
    # The migration has put the key at the head of the crontab.
    eval "export $(grep '^REMOTEEXE_IDENTITY=' /etc/crontab)"

    count=0
    while IFS=: read -r number line; do
        case $line in
            '' | \#*) ;;
            [A-Z]*=*) export "${line?}" ;;
            *)
                [[ $line =~ ^([^ ]+ +){5}root\ (.*) ]]
                command=${BASH_REMATCH[2]}
                input=
                # cron(8): a % that is not escaped ends the command. Input follows.
                if [[ $command =~ ^([^%]*[^%\\])%(.*) ]]; then
                    command=${BASH_REMATCH[1]} input=${BASH_REMATCH[2]//%/$'\n'}
                fi
                try "$number" "sh -c ${command@Q} <<<${input@Q}"
                ;;
        esac
    done < <(blocks crontab)
    echo "$count crontab lines run"
    exit "$failed"
fi

if [ "${1-}" = --make-copy ]; then
    # In the namespaces. The network has nothing but 127.0.0.1.
    ip link set lo up
    copy=$(mktemp -d)
    root=$copy/root
    mount -t tmpfs copy "$copy"
    mkdir "$copy"/{upper,work,root}
    mount -t overlay copy "$root" -o "lowerdir=/,upperdir=$copy/upper,workdir=$copy/work"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    # README asks a host for its ed25519 key.
    ssh-keygen -q -t ed25519 -N '' -f "$root/root/host_key"
    exec env HOME=/root SANDBOX_SSHD_CONFIG="HostKey /root/host_key" chroot "$root" "$PWD/tests/try/sandbox.sh" "$self" --on-the-copy
fi

tests/setup.sh tests
source tests/setup/rust.sh
use_cargo
# The copy has this build, so that README's commands install it and build nothing.
cargo build --locked --release
exec tests/try/own_mounts.sh --pid --net --fork --kill-child "$self" --make-copy
