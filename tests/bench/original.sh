#!/bin/bash
# Works like the bash script that remoteexe replaces, but is written anew. It holds the whole output in a
# variable and forks a process for the date of each record.
operands=$*
file=$LOG/$(date '+%Y%m%d')_remoteexe.log

record() {
    echo "[$(date '+%F %T')][$$] $1" >>"$file"
}

record "START,-,$operands"
host=$1
shift
set -- ssh -i /path/to/key "root@$host" "$@"
record "command,$*"
all=$("$@" 2>&1)
status=$?
while read -r one; do
    record "$one"
done <<<"$all"
record "END,$status,$operands"
