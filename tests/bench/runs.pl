#!/usr/bin/perl
# Prints the log of RUNS runs with LINES lines of output each. They are interleaved as on a busy day: a few
# start in each second, and each prints some lines at a time. Every fiftieth fails. Process ids are reused.
#
#     runs.pl RUNS LINES
use strict;
use warnings;

my ($runs, $lines) = @ARGV;
srand 1;
my ($pid, $second, $started, @active) = (1000, 0, 0);
while ($started < $runs || @active) {
    my $time = sprintf '2026-11-%02d %02d:%02d:%02d', 23 + int($second / 86400),
        $second / 3600 % 24, $second / 60 % 60, $second % 60;
    my $starts = $started < $runs ? 2 + int rand 3 : 0;
    while ($starts-- > 0 && $started < $runs) {
        $pid = $pid < 30000 ? $pid + 1 : 1000;
        my $job = sprintf 'host_batch%02d /path/to/starting_sh/job%d.sh action', $started % 40, $started % 300;
        print "[$time][$pid] START,-,$job\n[$time][$pid] command,ssh root\@$job\n";
        push @active, {pid => $pid, job => $job, left => $lines, fails => $started++ % 50 == 0};
    }
    for my $run (@active) {
        my $prefix = "[$time][$run->{pid}] ";
        my $count = 1 + int rand 20;
        $count = $run->{left} if $count > $run->{left};
        print $prefix, "line $run->{left} ", 'x' x 60, "\n" for 1 .. $count;
        next if $run->{left} -= $count;
        print $prefix, "kex_exchange_identification: Connection closed by remote host\r\n" if $run->{fails};
        print $prefix, 'END,', $run->{fails} ? 255 : 0, ",$run->{job}\n";
    }
    @active = grep { $_->{left} } @active;
    $second++;
}
