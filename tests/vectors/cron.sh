#!/bin/bash
# Makes test data for the schedules of cron: random lines, and the minutes at which a real cron daemon ran them.
#
#     tests/vectors/cron.sh ZONE START MINUTES SEED >tests/data/cron/NAME.txt
#
# ZONE is a time zone, START a local time such as "2026-03-29 00:30". The daemon is Debian's cron, or the one that
# CROND names (for cronie: CROND="/path/to/crond -n -s"). A minute takes a second: faketime makes the clock run
# 60 times as fast. Each line of the crontab writes the time when it ran. A late start would be a wrong minute, so run
# this on a machine with little else to do. Needs root, and the packages cron, faketime and tzdata.
#
# The files in tests/data/cron were made with:
#
#     day:                 Europe/Berlin    "2026-11-02 23:50" 1450 1
#     berlin-forward:      Europe/Berlin    "2026-03-29 00:30"  270 2
#     berlin-back:         Europe/Berlin    "2026-10-25 00:30"  330 3
#     new-york-forward:    America/New_York "2026-03-08 00:30"  270 4
#     new-york-back:       America/New_York "2026-11-01 00:30"  330 5
#
# and those named cronie-… with the same words and cronie 1.7.2, of which these also with a zone of the lines'
# own, CRON_TZ=America/New_York:
#
#     cronie-zone-forward: Europe/Berlin    "2026-03-29 00:30"  270 6
#     cronie-zone-back:    Europe/Berlin    "2026-10-25 00:30"  330 7
#     cronie-zone-other:   Europe/Berlin    "2026-11-01 05:30"  330 8
#
# and those named busybox-… with the words of berlin-forward and berlin-back, COLUMN= and BusyBox 1.37, which is not
# linked statically, without @hourly and the like: CROND="/path/to/busybox crond -f -c /var/spool/cron/crontabs".
set -euo pipefail

zone=$1 start=$2 minutes=$3 seed=$4
crond=${CROND:-/usr/sbin/cron -f} column=${COLUMN- root}
speed=60

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/none" "$dir/run"
: >"$dir/runs"

# Random lines, most of them of the hours and days around the start, so that most of them run.
awk -v seed="$seed" -v day="$(TZ=$zone date -d "$start + 1 hour" +%-d)" -v hours="$((minutes / 60 + 1))" '
    function pick(n) { return int(rand() * n) }
    function one(low, high, names, n) {
        n = low + pick(high - low + 1)
        return names != "" && rand() < 0.5 ? substr(names, 3 * (n - low) + 1, 3) : n
    }
    function range(low, high, names, a, b, c) {
        a = low + pick(high - low + 1); b = low + pick(high - low + 1)
        if (a > b) { c = a; a = b; b = c }
        return a "-" b (rand() < 0.6 ? "/" 1 + pick(7) : "")
    }
    function field(low, high, star, names, kind, text, i) {
        if (rand() < star) return "*"
        kind = rand()
        if (kind < 0.4) return one(low, high, names)
        if (kind < 0.55) return "*/" 2 + pick(high - low)
        if (kind < 0.75) return range(low, high, names)
        text = one(low, high, names)
        for (i = pick(3); i >= 0; i--) text = text "," (rand() < 0.3 ? range(low, high, names) : one(low, high, names))
        return rand() < 0.1 ? text ",*/" 5 + pick(20) : text
    }
    function near(value, low, high) {
        value += pick(3) - 1
        return value < low ? low : value > high ? high : value
    }
    BEGIN {
        srand(seed)
        print "@hourly"; print "@daily"; print "@midnight"; print "@weekly"; print "@monthly"; print "@yearly"
        print "@annually"; print "@reboot"; print "* * * * *"; print "30 * * * *"; print "*/30 2 * * *"
        print "30 1 * * *"; print "30 2 * * *"; print "0 3 * * *"; print "*/5 1-2 * * *"; print "0-59/10 2 * * *"
        print "0-59 2 * * *"; print "15 0-23 * * *"; print "15 */1 * * *"; print "0 2,3 * * 0"; print "59 1 * * 7"
        for (i = 0; i < 180; i++) {
            dom = rand() < 0.6 ? "*" : rand() < 0.5 ? near(day, 1, 31) : field(1, 31, 0)
            hour = hours > 12 || rand() < 0.2 ? field(0, 23, 0.3) : field(0, hours, 0.2)
            print field(0, 59, 0.02), hour, dom, field(1, 12, 0.7, "janfebmaraprmayjunjulaugsepoctnovdec"), \
                field(0, 7, 0.6, "SunMonTueWedThuFriSatSun")
        }
    }' | sort -u | if [ -n "$column" ]; then cat; else grep -v @; fi >"$dir/lines"

export TZ=$zone
export FALSE="@$start:00 x$speed" DIR="$dir" CROND="$crond" COLUMN="$column"
{
    printf 'SHELL=%s\nMAILTO=""\n' "$dir/bash"
    [ -z "${CRON_TZ-}" ] || echo "CRON_TZ=$CRON_TZ"
    awk -v out="$dir/runs" -v user="$column" \
        '{ print $0 user " echo $EPOCHREALTIME " NR " >>" out }' "$dir/lines"
} >"$dir/crontab"
# The crond of busybox hands on its environment.
printf '#!/bin/sh\nunset LD_PRELOAD\nexec bash "$@"\n' >"$dir/bash"
chmod +x "$dir/bash"
# In a mount namespace the daemon sees this crontab only.
# shellcheck disable=SC2016  # the shell there expands it
timeout "$((minutes * 60 / speed + 3))" "$(dirname "$0")/../try/own_mounts.sh" bash -euc '
    mkdir "$DIR/none/crontabs"
    for hidden in /etc/cron.d /var/spool/cron; do
        [ ! -d $hidden ] || mount --bind "$DIR/none" $hidden
    done
    [ -n "$COLUMN" ] || cp "$DIR/crontab" "$DIR/none/crontabs/root"
    mount --bind "$DIR/run" /run
    mount --bind "$DIR/crontab" /etc/crontab
    exec faketime -f "$FALSE" bash -euc "env -u LD_PRELOAD bash -c \"echo \\\$EPOCHREALTIME\" >\"\$DIR/begin\"; exec \$CROND"
' || [ $? -eq 124 ]

first=$(date -d "$start" +%s)
printf '# %s\nzone %s\nstart %d\nminutes %d\n' \
    "tests/vectors/cron.sh $zone \"$start\" $minutes $seed" "$zone" "$first" "$minutes"
[ -z "${CRON_TZ-}" ] || echo "cron_tz $CRON_TZ"
sort -n "$dir/runs" | awk -v begin="$(cat "$dir/begin")" -v speed="$speed" -v minutes="$minutes" -v lines="$dir/lines" '
    { minute = int(($1 - begin) * speed / 60); if (minute < minutes) runs[$2] = runs[$2] " " minute }
    END { while ((getline line <lines) > 0) { n++; print line "\t" substr(runs[n], 2) } }'
