//! The starts and the connection failures by the second of the minute, to show crowds.

use chrono::Timelike;
use maud::{Markup, html};

use crate::report::format::report::Report;
use crate::report::format::words::{count, grouped};
use crate::report::history::RunFlag;

const HEIGHT: u64 = 60;

const SECONDS: usize = 60;

type Counts = [u64; SECONDS];

pub fn section(report: &Report) -> Markup {
    let (mut starts, mut failures): (Counts, Counts) = ([0; SECONDS], [0; SECONDS]);
    for run in report.history.runs.iter().filter(|run| report.scope.includes(run.start)) {
        // A leap second counts as the second before it.
        let second = run.start.second().min(59) as usize;
        starts[second] += u64::from(run.is(RunFlag::HasCommand));
        failures[second] += u64::from(run.outcome.connection_failure().is_some());
    }
    html! {
        section #seconds aria-labelledby="seconds-title" {
            h2 #seconds-title { "Starts by second of the minute" }
            p { "Where many jobs start in one second, a server may drop their connections." }
            (chart("Starts", "g", &starts))
            (chart("Connection failures", "c", &failures))
            details {
                summary { "The numbers" }
                (table(&starts, &failures))
            }
        }
    }
}

fn chart(name: &str, class: &str, counts: &Counts) -> Markup {
    let most = counts.iter().max().copied().unwrap_or_default();
    let second = counts.iter().position(|count| *count == most).unwrap_or_default();
    let caption = if most == 0 {
        format!("{name}: none")
    } else {
        format!("{name}: {} at most, at second {second}", grouped(most))
    };
    let bars = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    html! {
        figure {
            figcaption { (caption) }
            svg.bars role="img" aria-label=(caption) {
                @for (second, count) in bars {
                    @let height = (count * HEIGHT).div_ceil(most);
                    rect class=(class) x=(place(second)) y=(HEIGHT - height) width="1.4%" height=(height) {
                        title { "second " (second) ": " (grouped(*count)) }
                    }
                }
                line.x x1="0" x2="100%" y1=(HEIGHT) y2=(HEIGHT) {}
                @for second in (0..SECONDS).step_by(10) {
                    text x=(place(second)) y=(HEIGHT + 14) { (second) }
                }
            }
        }
    }
}

/// The left end of a second's bar, in percent.
fn place(second: usize) -> String {
    let hundredths = second * 10_000 / SECONDS;
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

fn table(starts: &Counts, failures: &Counts) -> Markup {
    let rows = starts.iter().zip(failures).enumerate();
    let all = count(starts.iter().sum(), "start");
    html! {
        table.numbers {
            caption { (all) }
            thead { tr { th scope="col" { "Second" } th.n scope="col" { "Starts" } th.n scope="col" { "Connection failures" } } }
            tbody {
                @for (second, (starts, failures)) in rows {
                    tr { th scope="row" { (second) } td.n { (grouped(*starts)) } td.n { (grouped(*failures)) } }
                }
            }
        }
    }
}
