#!/usr/bin/perl
# Stands in for ssh and watches its parent, remoteexe. Writes its figures to the file REPORT.
#
#     probe.pl idle SECONDS         keeps still. Figures: wake-ups and CPU ticks of the parent
#     probe.pl trickle LINES        writes a line once the line before is in the log. Figures: the median and
#                                   the longest time until then in microseconds, wake-ups of the parent
#     probe.pl paced RATE SECONDS   writes RATE lines of 80 bytes a second. No figures
use strict;
use warnings;
use Time::HiRes qw(sleep time);

$| = 1;

# The parent's wake-ups and CPU ticks so far.
sub parent {
    open my $status, '<', '/proc/' . getppid . '/status' or die "status: $!";
    my ($wakeups) = join('', <$status>) =~ /^voluntary_ctxt_switches:\s*(\d+)/m;
    open my $stat, '<', '/proc/' . getppid . '/stat' or die "stat: $!";
    my @fields = split ' ', (<$stat> =~ s/.*\) //r);
    return ($wakeups, $fields[11] + $fields[12]);
}

sub report {
    open my $report, '>', $ENV{REPORT} or die "$ENV{REPORT}: $!";
    print $report "@_\n";
    close $report or die "$ENV{REPORT}: $!";
}

sub idle {
    my ($seconds) = @_;
    print "a line\n";
    sleep 0.5;
    my ($wakeups, $ticks) = parent();
    sleep $seconds;
    my ($wakeups_after, $ticks_after) = parent();
    report($wakeups_after - $wakeups, $ticks_after - $ticks);
}

sub trickle {
    my ($lines) = @_;
    my ($log) = glob "$ENV{LOG}/*_remoteexe.log";
    my @microseconds;
    my ($wakeups) = parent();
    for my $number (1 .. $lines) {
        my $size = -s $log;
        my $written = time;
        print "line $number\n";
        # A busy wait makes the figure exact. It ends if a line is held back.
        while (-s $log == $size) { die "line $number is not in the log\n" if time - $written > 10 }
        push @microseconds, int 1e6 * (time - $written);
        # Lets the parent go back to sleep.
        sleep 0.005;
    }
    my ($wakeups_after) = parent();
    @microseconds = sort { $a <=> $b } @microseconds;
    report($microseconds[@microseconds / 2], $microseconds[-1], $wakeups_after - $wakeups);
}

sub paced {
    my ($rate, $seconds) = @_;
    my $chunk = ('x' x 79 . "\n") x ($rate / 100);
    my $next = time;
    for (1 .. 100 * $seconds) {
        print $chunk;
        $next += 0.01;
        my $rest = $next - time;
        sleep $rest if $rest > 0;
    }
}

my %mode = (idle => \&idle, trickle => \&trickle, paced => \&paced);
my $mode = $mode{shift // ''} or die "usage: $0 idle | trickle | paced ...\n";
$mode->(@ARGV);
