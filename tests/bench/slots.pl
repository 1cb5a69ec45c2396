#!/usr/bin/perl
# Writes a crontab of LINES lines, and the logs of January 2026 in which all of them ran, but for one slot:
# that of 2026-01-20 12:00 of the first line.
#
#     slots.pl LINES DIRECTORY
use strict;
use warnings;

my ($lines, $directory) = @ARGV;
my @steps = (5, 15, 30, 60, 1440);
my @schedules = ('*/5 * * * *', '*/15 * * * *', '*/30 * * * *', '0 * * * *', '0 3 * * *');

open my $crontab, '>', "$directory/crontab" or die "$directory/crontab: $!\n";
print $crontab "PATH=$ENV{PATH}\nREMOTEEXE_LOG_DIR=$directory/log\n";
for my $line (0 .. $lines - 1) {
    print $crontab $schedules[$line % @steps], " root remoteexe host_batch$line \"/path/to/job.sh action\"\n";
}
close $crontab or die "$directory/crontab: $!\n";

mkdir "$directory/log";
my $pid = 1000;
for my $day (1 .. 31) {
    my $date = sprintf '2026-01-%02d', $day;
    my $file = "$directory/log/" . ($date =~ tr/-//dr) . '_remoteexe.log';
    open my $log, '>', $file or die "$file: $!\n";
    for my $minute (0 .. 1439) {
        my ($started, $ended) = ('', '');
        for my $line (0 .. $lines - 1) {
            my $step = $steps[$line % @steps];
            next unless $step == 1440 ? $minute == 180 : $minute % $step == 0;
            next if $line == 0 && $day == 20 && $minute == 720;
            $pid = $pid < 30000 ? $pid + 1 : 1000;
            my $job = "host_batch$line /path/to/job.sh action";
            my $time = sprintf '%02d:%02d', $minute / 60, $minute % 60;
            $started .= "[$date $time:01][$pid] START,-,$job\n[$date $time:01][$pid] command,ssh root\@$job\n";
            $ended .= "[$date $time:02][$pid] END,0,$job\n";
        }
        print $log $started, $ended;
    }
    close $log or die "$file: $!\n";
}
