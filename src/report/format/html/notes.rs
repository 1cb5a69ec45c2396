//! The sections about what is no problem: Watch, changes, counts, and what was read.

use maud::{Markup, html};

use super::{durations, limits, rows::View};
use crate::escape::printable;
use crate::report::format::changed::changes;
use crate::report::format::text::heading::ends;
use crate::report::format::watch::facts;
use crate::report::format::{Count, JobId, Report, WatchFinding, crontabs, grouped, sources};

pub fn watched(report: &Report, view: Option<&View>) -> Markup {
    let findings: Vec<&WatchFinding> = report.watched().collect();
    let more = findings.len().saturating_sub(limits::WATCHED);
    let job = |finding: &WatchFinding| {
        let is_it = |job: &JobId| {
            let known = report.history.job(*job);
            known.name == finding.job && known.account == finding.account
        };
        report.history.job_ids().find(is_it)
    };
    html! {
        @if !findings.is_empty() {
            section #watch aria-labelledby="watch-title" {
                h2 #watch-title { "Watch: good runs that are not as usual" }
                @for finding in findings.iter().take(limits::WATCHED) {
                    @let job = job(finding);
                    @let row = job.filter(|job| view.is_some_and(|view| view.rows.contains_key(job)));
                    article.problem.doubtful {
                        div.head {
                            h4 {
                                span.state { (finding.oddity.word()) } " "
                                span.time { "since " (report.clock().time(finding.since)) } " "
                                @match row { Some(job) => a href={ "#j" (job) } { (report.job_of(finding)) }, None => (report.job_of(finding)) }
                            }
                            p.facts { (facts(finding, report)) }
                        }
                        div.beside { @if let Some(job) = job.filter(|_| durations::is_about(&finding.oddity)) { (durations::of_job(report, job)) } }
                    }
                }
                @if more > 0 { p { "and " (more) " more" } }
            }
        }
    }
}

pub fn changed(report: &Report) -> Markup {
    let changes = changes(report);
    html! {
        @if !changes.is_empty() {
            section #changed aria-labelledby="changed-title" {
                h2 #changed-title { "Changed" }
                ul.notes { @for (label, text) in &changes { li { b { (label) } " " (text) } } }
            }
        }
    }
}

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
            @if read.merged.unrecognized + read.unmatched + tally.ambiguous > 0 {
                p { "unrecognized lines " (read.merged.unrecognized) ", records without START " (read.unmatched)
                    ", ambiguous runs " (tally.ambiguous) }
            }
            @for line in sources::lines(report) { p { (printable(line.as_bytes())) } }
            @for line in crontabs::summary(report) { p { (line) } }
        }
    }
}
