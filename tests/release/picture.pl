#!/usr/bin/perl
# Draws what a program prints on a terminal, with its colours, as an SVG on standard output. The picture in README:
#
#     mkdir history
#     tests/try/history.pl history
#     COLUMNS=96 remoteexe --report --color always --log-dir history --crontab history/crontab --since 1d |
#         tests/release/picture.pl >.github/report.svg
use strict;
use warnings;
use open qw(:std :encoding(UTF-8));

my %colours = (31 => '#ff7b72', 32 => '#7ee787', 33 => '#e3b341', 34 => '#79c0ff', 35 => '#d2a8ff', 36 => '#76e3ea');
my ($line_height, $em, $margin) = (17, 7.83, 14);

my @lines = <STDIN>;
chomp @lines;
my $width = 0;
my $text = '';
for my $number (0 .. $#lines) {
    my ($columns, $style) = (0, '');
    my $y = $margin + 12 + $number * $line_height;
    for my $part (split /(\e\[[0-9;]*m)/, $lines[$number]) {
        if ($part =~ /^\e\[([0-9;]*)m/) {
            $style = '';
            for my $code (split /;/, $1) {
                $style .= ' font-weight="bold"' if $code == 1;
                $style .= ' opacity="0.65"' if $code == 2;
                $style .= " fill=\"$colours{$code}\"" if $colours{$code};
            }
            next;
        }
        # Each part has its own place, so that the columns agree whatever font there is.
        my $x = $margin + $columns * $em;
        my $length = length($part) * $em;
        $columns += length $part;
        next if $part =~ /^\s*$/;
        $part =~ s/([&<>])/{'&' => '&amp;', '<' => '&lt;', '>' => '&gt;'}->{$1}/ge;
        # Blanks in a row would be one.
        $part =~ tr/ /\x{a0}/;
        $text .= qq{<text x="$x" y="$y" textLength="$length"$style>$part</text>\n};
    }
    $width = $columns if $columns > $width;
}
my ($w, $h) = (2 * $margin + $width * $em, 2 * $margin + @lines * $line_height);
print qq{<svg xmlns="http://www.w3.org/2000/svg" width="$w" height="$h" viewBox="0 0 $w $h"
    font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="13" fill="#e6edf3">
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
$text</svg>
};
