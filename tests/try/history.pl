#!/usr/bin/perl
# Writes two days of made-up history into DIR, up to now: the logs of a scheduler with 20 jobs, and its crontab.
# Things go wrong on the second day, so that a report has something to tell.
#
#     tests/try/history.pl DIR
use strict;
use warnings;
use Cwd qw(realpath);
use POSIX qw(strftime);

my $dir = realpath $ARGV[0];
# A log belongs to the user of its jobs.
my $user = getpwuid($>) // 'root';
my $minute = 60;
my $hour = 60 * $minute;
my $now = time;
my $end = $now - $now % $minute;
my $begin = $end - 48 * $hour;
# The scheduler goes down while jobs run, and comes back after 20 minutes. At a full hour connections are dropped.
my $down = $end - 15 * $hour;
$down -= $down % $hour - 10 * $minute - 20;
my $up = $down + 20 * $minute;
srand 1;

# [host, script, schedule, seconds that a good run takes]
my @jobs = (
    (map { ["host_sum_batch0$_", '/srv/sum.sh', '*/5 * * * *', 40] } 1 .. 4),
    (map { ["host_order_batch0$_", '/srv/rotate_orders.sh', '*/5 * * * *', 5] } 1 .. 6),
    (map { ["host_user_batch0$_", '/srv/user_log.sh action', '* * * * *', 3] } 1 .. 4),
    (map { ["host_web0$_", '/srv/check.sh --all', '*/15 * * * *', 10] } 1 .. 4),
    ['host_db01', '/srv/backup.sh --incremental', '30 * * * *', 90],
    ['host_db01', '/srv/nightly.sh', '0 2 * * *', 600],
);

sub is_due {
    my ($schedule, $at) = @_;
    my @time = localtime $at;
    my ($minutes, $hours) = split ' ', $schedule;
    return ($hours eq '*' || $hours == $time[2])
        && ($minutes eq '*' || ($minutes =~ m{^\*/(\d+)} ? $time[1] % $1 == 0 : $time[1] == $minutes));
}

# The status, the output and the seconds of a run, or nothing if it was not started.
sub outcome {
    my ($host, $script, $at, $seconds) = @_;
    my $age = $now - $at;
    my $took = int $seconds * (0.8 + rand 0.4);
    return if $at > $down && $at < $up;
    return if $script =~ /nightly/ && $age < 25 * $hour;
    return (2, 'ORDER_DB: unbound variable', 1) if $script =~ /rotate/ && $age < 5 * $hour;
    return (255, "ssh: connect to host $host port 22: Connection timed out\r", 55)
        if $host eq 'host_web02' && $age > 8 * $hour && $age < 9 * $hour;
    return (255, 'kex_exchange_identification: Connection closed by remote host', 1)
        if $at % $hour == 0 && $script =~ /sum|user/ && rand() < 0.3;
    return (1, 'cannot lock /run/user_log', 1) if $host eq 'host_user_batch03' && $age < 6 * $hour && rand() < 0.1;
    return (0, '', $took * 3) if $script =~ /backup/ && $age < 10 * $hour;
    return (0, $script =~ /user_log/ ? 'collect user log(action)' : '', $took);
}

my ($pid, @records) = (4000);
for (my $at = $begin; $at < $end; $at += $minute) {
    for my $job (grep { is_due($_->[2], $at) } @jobs) {
        my ($host, $script, undef, $seconds) = @$job;
        my ($status, $output, $took) = outcome($host, $script, $at, $seconds) or next;
        my $start = $at + 1 + int rand 2;
        next if $start + $took >= $now;
        $pid = $pid < 32000 ? $pid + 1 + int rand 9 : 4000;
        push @records, [$start, "[$pid] START,-,$host $script"], [$start, "[$pid] command,ssh root\@$host $script"];
        next if $start < $down && $start + $took >= $down;
        push @records, [$start + $took, "[$pid] $output"] if $output;
        push @records, [$start + $took, "[$pid] END,$status,$host $script"];
    }
}

my %logs;
for (sort { $a->[0] <=> $b->[0] } @records) {
    my ($time, $text) = @$_;
    $logs{strftime '%Y%m%d', localtime $time} .= strftime('[%F %T]', localtime $time) . "$text\n";
}
write_file("${_}_remoteexe.log", $logs{$_}) for keys %logs;
my $head = "PATH=$ENV{PATH}\nREMOTEEXE_LOG_DIR=$dir\n";
write_file('crontab', join '', $head, map { "$_->[2] $user remoteexe $_->[0] $_->[1]\n" } @jobs);
# A crontab is judged from its last change on.
utime $begin, $begin, "$dir/crontab";

sub write_file {
    my ($name, $text) = @_;
    open my $file, '>', "$dir/$name" or die "$dir/$name: $!\n";
    print $file $text;
    close $file or die "$dir/$name: $!\n";
}
