//! The end of the page: the counts, and what was read.

use maud::{Markup, html};

use crate::escape::printable;
use crate::report::format::report::Report;
use crate::report::format::text::heading::ends;
use crate::report::format::words::grouped;
use crate::report::format::{crontabs, sources};
use crate::report::history::counts::Count;

pub fn section(report: &Report) -> Markup {
    let (tally, read) = (&report.tally, &report.read);
    html! {
        section #read aria-labelledby="read-title" {
            h2 #read-title { "What was read" }
            @if tally.first_to_last.is_some() {
                dl.counts {
                    @for Count { name, number, is_bad } in ends(report).into_iter().chain(tally.kinds()) {
                        div.bad[is_bad] { dt { (name) } dd { (grouped(number)) } }
                    }
                }
            }
            @if read.unrecognized + read.unmatched + tally.ambiguous > 0 {
                p { "unrecognized lines " (read.unrecognized) ", records without START " (read.unmatched)
                    ", ambiguous runs " (tally.ambiguous) }
            }
            @for line in sources::lines(report) { p { (printable(line.as_bytes())) } }
            @for line in crontabs::summary(report) { p { (line) } }
        }
    }
}
