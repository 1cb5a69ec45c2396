#!/usr/bin/perl
# Writes a crontab of LINES lines, each due every STEP minutes, in turn, and the logs of DAYS days from 2026-01-01 on in
# which all of them ran, but for one slot: that of 2026-01-20 12:00 of the first line.
#
#     logs.pl DIRECTORY LINES DAYS OUTPUT STEP...
#
# Each run prints OUTPUT lines, some at a time, between those of the others that are due in the same minute. If there is
# output, one run in a hundred fails because of ssh, and one because of the script. Process ids are reused.
use strict;
use warnings;
use POSIX 'strftime';

my ($directory, $lines, $days, $output, @steps) = @ARGV;
my %schedule = (60 => '0 * * * *', 1440 => '0 3 * * *');
my @failures = (
    undef,
    [255, "kex_exchange_identification: Connection closed by remote host\r"],
    [2, 'ORDER_DB: connection refused: order 4711'],
);
my (@jobs, @due);
open my $crontab, '>', "$directory/crontab" or die "$directory/crontab: $!\n";
print $crontab "PATH=$ENV{PATH}\nREMOTEEXE_LOG_DIR=$directory/log\n";
for my $line (0 .. $lines - 1) {
    my $step = $steps[$line % @steps];
    push @jobs, sprintf 'host_batch%d /path/to/starting_sh/job%d.sh action', $line % 50, $line;
    push @{$due[$_ * $step + ($step == 1440 ? 180 : 0)]}, $line for 0 .. 1440 / $step - 1;
    print $crontab $schedule{$step} // "*/$step * * * *", " root remoteexe $jobs[$line]\n";
}
close $crontab or die "$directory/crontab: $!\n";

mkdir "$directory/log";
srand 1;
my $pid = 1000;
for my $day (0 .. $days - 1) {
    my $date = strftime '%F', gmtime 1767225600 + 86400 * $day;
    my $file = "$directory/log/" . ($date =~ tr/-//dr) . '_remoteexe.log';
    open my $log, '>', $file or die "$file: $!\n";
    for my $minute (0 .. 1439) {
        my @active;
        for (my $second = 1; $second == 1 || @active; $second++) {
            my $time = sprintf '%s %02d:%02d:%02d', $date, $minute / 60, $minute % 60, $second;
            print $log proceed($_, "[$time][$_->{pid}] ", $second) for @active;
            @active = grep { !$_->{ended} } @active;
            next if $second > 1;
            for my $line (@{$due[$minute]}) {
                next if $line == 0 && $day == 19 && $minute == 720;
                $pid = $pid < 30000 ? $pid + 1 : 1000;
                my $fails = $output > 0 ? int(rand 100) : 0;
                print $log map { "[$time][$pid] $_\n" } "START,-,$jobs[$line]", "command,ssh root\@$jobs[$line]";
                push @active, {pid => $pid, job => $jobs[$line], left => $output, fails => $fails};
            }
        }
    }
    close $log or die "$file: $!\n";
}

# The next records of a run. They are all that are left if the minute is nearly over.
sub proceed {
    my ($run, $prefix, $second) = @_;
    my $count = $second < 58 ? 1 + int rand 20 : $run->{left};
    $count = $run->{left} if $count > $run->{left};
    my $records = join '', map { $prefix . "line $_ " . 'x' x 60 . "\n" } $run->{left} - $count + 1 .. $run->{left};
    return $records if $run->{left} -= $count;
    my ($status, $reason) = @{$failures[$run->{fails}] // [0, '']};
    $run->{ended} = 1;
    return $records . ($reason && "$prefix$reason\n") . "${prefix}END,$status,$run->{job}\n";
}
