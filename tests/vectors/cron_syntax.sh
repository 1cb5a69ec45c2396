#!/bin/bash
# Makes test data for the syntax of crontabs: odd lines, and whether the reader of a real cron accepts them.
#
#     tests/vectors/cron_syntax.sh >tests/data/cron_syntax/debian.txt
#     CRONTAB="/path/to/cronie/crontab -T" tests/vectors/cron_syntax.sh >tests/data/cron_syntax/cronie.txt
#
# Each line of the output is "ok" or "no", a tab and the line. Needs the package cron, or the crontab of cronie.
set -euo pipefail
read -ra crontab <<<"${CRONTAB:-crontab -n}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

awk 'BEGIN {
    srand(7)
    count = split("0 5 9 59 60 7 31 32 12 13 * */5 */0 *-5 5- -5 1-5 5-1 1-5/2 1-60 1/2 1,2 1, ,1 mon Mon sun jan " \
        "fri-sun sun-mon jan-dec mon-5 5~9 9~5 ~ ~5 5~ 5+ *x 5x x 1-5x 1-5/2x */5, 1-5-6 00 007 1.5 \" # = " \
        "99999999999 @ * * * * * * * *", pieces, " ")
    for (i = 0; i < 700; i++) {
        line = ""
        fields = rand() < 0.9 ? 5 : 3 + int(rand() * 4)
        for (j = 0; j < fields; j++) line = line (j ? " " : "") (rand() < 0.35 ? pieces[1 + int(rand() * count)] : "*")
        print line " true"
    }
    print "@hourly true"; print "@hourly"; print "@often true"; print "@ true"; print "@Daily true"; print "@reboot true"
    print "* * * * *"; print "* * * * * "; print "A=b"; print "A="; print "A= "; print "A=\"b\" # c"; print "A=b # c"
    print "A=\x27b"; print "A b=c"; print "=b"; print "\"A\"=b"; print "A =b"; print "  A=b"; print "  * * * * * true"
    print "- * * * * true"; print "-* * * * * true"; print "* * * * * -n true"; print "*\t*\t*\t*\t*\ttrue"; print "true"
}' >"$dir/lines"

while IFS= read -r line; do
    printf '%s\n' "$line" >"$dir/crontab"
    if "${crontab[@]}" "$dir/crontab" >/dev/null 2>&1; then answer=ok; else answer=no; fi
    printf '%s\t%s\n' "$answer" "$line"
done <"$dir/lines"
