//! The crontabs beside the logs: what is known of them, and the schedule of each job.

use super::page::{INDENT, Page};
use crate::report::format::crontabs::{self, Schedule};
use crate::report::format::report::Report;
use crate::report::history::JobId;

/// Shows what is known of them.
pub fn show(page: &mut Page, report: &Report) {
    let mut label = "Crontab";
    for line in crontabs::summary(report) {
        page.labelled(label, INDENT, &line);
        label = "";
    }
}

/// Shows the schedules, those first that are due first.
pub fn show_schedules(page: &mut Page, report: &Report) {
    if report.filter.failed {
        return;
    }
    let mut schedules = crontabs::schedules(report).collect::<Vec<_>>();
    if schedules.is_empty() {
        return;
    }
    schedules.sort_by_key(|(job, schedule)| {
        let next = schedule.next_second;
        (next.is_none(), next, *job)
    });
    page.heading("Schedules");
    let row = |(job, schedule): &(JobId, Schedule)| {
        let name = report.job_name(*job);
        vec![schedule.next.clone(), schedule.words.clone(), name]
    };
    let rows = schedules.iter().map(row).collect();
    page.table(&["Next", "Schedule", "Job"], &[], rows);
}
