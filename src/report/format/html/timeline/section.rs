//! The section of the timeline: its text, its legend, the filters, the scale, and the rows below it.

use std::fmt::Write;

use maud::{Markup, html};

use super::Timeline;
use super::draw::HEIGHT;
use super::rows::JobRow;
use crate::report::format::html::run_state::{RunState, in_text};
use crate::report::format::report::Report;
use crate::report::format::words::count;
use crate::report::format::words::shown_name;
use crate::report::history::HostId;

impl Timeline<'_> {
    /// Keeps the rows up to the first one that is not wanted, given its markup. The row of a host comes with its first
    /// job.
    pub fn keep(&mut self, report: &Report, mut is_wanted: impl FnMut(&JobRow, &Markup) -> bool) {
        let mut last = None;
        let kept = self.rows.iter().take_while(|row| {
            let is_first = last.replace(row.host) != Some(row.host);
            let drawn = html! {
                @if is_first { (option(report, row.host)) (self.head(report, row.host)) }
                (self.row(report, row))
            };
            is_wanted(row, &drawn)
        });
        let kept = kept.count();
        self.left_out += self.rows.len() - kept;
        self.rows.truncate(kept);
    }

    pub fn section(&self, report: &Report) -> Markup {
        html! {
            section #timeline aria-labelledby="timeline-title" {
                h2 #timeline-title { "Timeline" }
                p {
                    (self.scale.begin) " to " (self.scale.end) ", local time of the scheduler. A mark leads to the last "
                    "lines of its run, or of the last one of several; a hollow mark leads to the job. A row of more than 500 good runs shows how many "
                    "there were by its height. If there are too many bad runs for the page, the older ones of a row are "
                    "lines, and lead to the job: failures above, connection failures below."
                }
                (Self::legend())
                (self.filter(report))
                table.timeline role="table" aria-labelledby="timeline-title" {
                    thead role="rowgroup" { tr role="row" {
                        th role="columnheader" scope="col" { "Job" }
                        th.n role="columnheader" scope="col" { "Runs" }
                        th.n role="columnheader" scope="col" { "Bad" }
                        th.chart role="columnheader" scope="col" { (self.axis(report)) }
                    } }
                    @for rows in self.by_host() { (self.host(report, rows)) }
                }
                @if self.left_out > 0 {
                    p { (count(self.left_out as u64, "more job")) " (choose with --host or --job)" }
                }
            }
        }
    }

    fn legend() -> Markup {
        html! {
            ul.legend aria-label="Legend" {
                @for state in RunState::ALL { li { (in_text(state)) " " (state.name()) } }
                li { svg.key viewBox="0 0 14 14" aria-hidden="true" { path.o d="M0 10h14" {} } " two runs of a job at once" }
                li { svg.key viewBox="0 0 14 14" aria-hidden="true" { rect.bh width="14" height="14" {} } " host not reached" }
                li { svg.key viewBox="0 0 14 14" aria-hidden="true" { rect.bc width="14" height="14" {} } " nothing started, or all was lost" }
            }
        }
    }

    fn filter(&self, report: &Report) -> Markup {
        html! {
            form #filter hidden role="search" {
                label { "Host " input type="search" name="host" list="hosts" autocomplete="off"; }
                label { "Job " input type="search" name="job" autocomplete="off"; }
                label { "State " select name="state" {
                    option value="" { "all" }
                    @for state in RunState::ALL { option value=(state.letter()) { (state.name()) } }
                } }
                output role="status" { (count(self.rows.len() as u64, "job")) }
                datalist #hosts {
                    @for rows in self.by_host() { (option(report, rows[0].host)) }
                }
            }
        }
    }

    fn axis(&self, report: &Report) -> Markup {
        let mut lines = String::new();
        let ticks = self.scale.ticks();
        for tick in &ticks {
            _ = write!(lines, "M{} 0v{HEIGHT}", self.scale.unit(tick.time));
        }
        html! {
            span.sr { "Timeline" }
            svg.axis aria-hidden="true" {
                defs {
                    path #grid d=(lines) {}
                    g #cron { @for band in &self.bands.cron { (self.band("bc", band, report)) } }
                }
                @for tick in &ticks {
                    text x=(self.scale.percent(tick.time)) y="13" { (tick.label) }
                }
            }
        }
    }
}

/// A host in the list of the filter.
pub fn option(report: &Report, host: HostId) -> Markup {
    html! { option value=(shown_name(report.history.host(host))) {} }
}
