#!/bin/bash
# Makes test data for the schedules of cron from a second implementation: cronsim of PyPI (2.8), which follows
# Debian's cron.
#
#     tests/vectors/cron_second.sh ZONE START DAYS SEED [rare] >tests/data/cron_second/NAME.txt
#
# START is a local date. With "rare" the lines are due on some days only. The output is as that of
# tests/vectors/cron.sh, but cronsim tells only once what cron runs in a row after a skipped hour. Made with:
#
#     berlin-forward:      Europe/Berlin    2026-03-26   5 1
#     berlin-back:         Europe/Berlin    2026-10-23   5 2
#     new-york-forward:    America/New_York 2026-03-06   5 3
#     new-york-back:       America/New_York 2026-10-30   5 4
#     year:                Europe/Berlin    2026-01-01 365 5 rare
set -euo pipefail
echo "# tests/vectors/cron_second.sh $*"
exec python3 - "$@" <<'PYTHON'
import random
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

zone_name, start, days, seed, *rare = sys.argv[1:]
zone = ZoneInfo(zone_name)
random.seed(int(seed))


def field(low, high, star, names=""):
    def value():
        number = random.randint(low, high)
        if names and random.random() < 0.5:
            return names[3 * (number - low):][:3]
        return str(number)

    def span():
        first, last = sorted((random.randint(low, high), random.randint(low, high)))
        # cronsim takes 6-6/2 for 6-LAST/2. cron does not.
        step = f"/{random.randint(1, 9)}" if first < last and random.random() < 0.5 else ""
        return f"{first}-{last}{step}"

    if random.random() < star:
        return "*"
    kind = random.random()
    if kind < 0.4:
        return value()
    if kind < 0.6:
        return f"*/{random.randint(2, high - low)}"
    if kind < 0.8:
        return span()
    return ",".join(random.choice((value, span))() for _ in range(random.randint(2, 3)))


first = datetime.fromisoformat(start).replace(tzinfo=zone)
begin = int(first.timestamp()) // 60
minutes = int(days) * 1440
print(f"zone {zone_name}\nstart {begin * 60}\nminutes {minutes}")
count = 0
while count < 60:
    months = field(1, 12, 0.2 if rare else 0.8, "janfebmaraprmayjunjulaugsepoctnovdec")
    weekdays = field(0, 7, 0.4, "sunmontuewedthufrisatsun")
    minute = str(random.randint(0, 59)) if rare else field(0, 59, 0)
    hour = str(random.randint(0, 23)) if rare else field(0, 23, 0.1)
    line = f"{minute} {hour} {field(1, 31, 0.4)} {months} {weekdays}"
    runs = []
    try:
        for time in CronSim(line, first):
            run = int(time.timestamp()) // 60 - begin
            if run >= minutes:
                break
            runs.append(str(run))
    except Exception as error:
        if "CronSimError" in type(error).__name__:
            continue
        raise
    if 0 < len(runs) < 500:
        print(line + "\t" + " ".join(runs))
        count += 1
PYTHON
