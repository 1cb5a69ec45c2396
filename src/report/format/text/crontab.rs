//! The crontabs beside the logs: what is known of them, and the schedule of each job.

use super::View;
use super::first_screen::INDENT;
use super::page::Page;
use crate::report::history::JobId;
use crate::report::slots::summary::Schedule;

/// What a page tells of the crontabs.
#[derive(Debug, Default)]
pub struct Crontabs {
    /// What a reader has to know of them. Without crontabs that is nothing.
    pub summary: Vec<String>,
    /// The schedules of the jobs that are on a line.
    pub schedules: Vec<(JobId, Schedule)>,
}

impl Crontabs {
    /// The schedule of a job, if it is on a line.
    pub fn schedule(&self, job: JobId) -> Option<&Schedule> {
        let mut schedules = self.schedules.iter();
        schedules
            .find(|(of, _)| *of == job)
            .map(|(_, schedule)| schedule)
    }
}

/// Shows what is known of them.
pub fn show(page: &mut Page, view: &View) {
    let mut label = "Crontab";
    for line in &view.crontabs.summary {
        page.labelled(label, INDENT, line);
        label = "";
    }
}

/// Shows the schedules, those first that are due first.
pub fn show_schedules(page: &mut Page, view: &View) {
    let mut schedules: Vec<_> = view.crontabs.schedules.iter().collect();
    if schedules.is_empty() || view.failed_only {
        return;
    }
    schedules.sort_by_key(|(job, schedule)| {
        let next = schedule.next_second;
        (next.is_none(), next, *job)
    });
    page.heading("Schedules");
    let row = |(job, schedule): &&(JobId, Schedule)| {
        let name = view.job_name(*job);
        vec![schedule.next.clone(), schedule.words.clone(), name]
    };
    let rows = schedules.iter().map(row).collect();
    page.table(&["Next", "Schedule", "Job"], &[], rows);
}
