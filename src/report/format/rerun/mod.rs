//! The form of `--rerun`: shell lines that make up for what did not run.
//!
//! A line runs a line of a crontab as cron does: as its user, with its variables, shell, directory and input. If the
//! job may have begun its work, its line is a comment. All words of a crontab are quoted, and all words of a log are
//! in comments, without control characters.

mod events;
mod shell;

use std::collections::BTreeMap;
use std::fmt::Write;

use super::report::Report;
use super::words::count;
use super::{Format, Needs};
use crate::cron::{CronJob, LineRef};
use crate::escape::printable;
use crate::report::history::JobId;
use crate::report::output::ReportOutput;
use crate::report::slots::Expected;
use crate::report::slots::missed::Slot;
use crate::splay;
use events::Events;
use shell::command;

const HEAD: &str = "\
# Nothing was run. Read these lines, mend what they need, and give them to sh.
# A job behind a # may have begun its work: take the # away if it may run once more.
umask 022
";

#[derive(Debug)]
pub struct Rerun;

impl Format for Rerun {
    fn needs(&self) -> Needs {
        Needs {
            slots: true,
            history: true,
            as_of_end: true,
            warns_of_left_out: true,
            ..Needs::default()
        }
    }

    fn finish(self: Box<Self>, report: &Report, out: &mut ReportOutput) -> bool {
        let Some(crontabs) = &report.crontabs else { return false };
        let unmade = unmade(report, crontabs);
        let mut text = format!(
            "# {}: {} not made up for\n",
            report.period().unwrap_or_else(|| report.machine.now.to_string()),
            count(unmade.jobs, "job"),
        );
        if unmade.jobs > 0 {
            text += HEAD;
        }
        for line in &unmade.lines {
            text += &shell_line(line, report, crontabs);
        }
        for remark in remarks(report, crontabs) {
            let _ = writeln!(text, "# {remark}");
        }
        out.write(text.as_bytes());
        unmade.jobs > 0
    }
}

struct Unmade<'a> {
    jobs: u64,
    lines: Vec<UnmadeLine<'a>>,
}

/// A line of a crontab with a job that did not run, or not well, and has not run well since.
struct UnmadeLine<'a> {
    entry: &'a CronJob,
    /// What happened, a line for each job.
    reasons: Vec<String>,
    may_have_begun: bool,
}

/// The lines of the jobs to make up for, in the order in which `--splay` would start them.
fn unmade<'a>(report: &'a Report, crontabs: &'a Expected) -> Unmade<'a> {
    let mut missed: BTreeMap<JobId, Vec<&Slot>> = BTreeMap::new();
    for slot in report.missed_slots() {
        missed.entry(slot.job).or_default().push(slot);
    }
    let mut jobs = 0;
    let mut lines: BTreeMap<usize, UnmadeLine> = BTreeMap::new();
    let ids = report.history.job_ids().zip(crontabs.wanted());
    for (id, job) in ids {
        let slots = missed.remove(&id).unwrap_or_default();
        let events = Events::of(report, id, slots);
        if events.is_over() {
            continue;
        }
        jobs += 1;
        let place = events.slots.first().map(|slot| &slot.place);
        let is_there = |line: &&usize| Some(&crontabs.line(**line).place) == place;
        let Some(&line) = job.lines.iter().find(is_there).or(job.lines.first()) else { continue };
        let unmade = lines.entry(line).or_insert_with(|| UnmadeLine {
            entry: crontabs.line(line),
            reasons: Vec::new(),
            may_have_begun: false,
        });
        unmade.may_have_begun |= events.may_have_begun();
        let name = report.job_name(id);
        unmade.reasons.push(format!("{name}: {}", events.words(report.clock())));
    }
    let mut lines: Vec<_> = lines.into_values().collect();
    lines.sort_by_key(|line| splay::wait(&line.entry.job, line.entry.splay));
    Unmade { jobs, lines }
}

/// The comment and the shell line of a line of a crontab.
fn shell_line(line: &UnmadeLine, report: &Report, crontabs: &Expected) -> String {
    let place = &line.entry.place;
    let mut text = String::from("\n");
    for reason in &line.reasons {
        let _ = writeln!(text, "# {reason} ({})", shown_place(place));
    }
    let others = jobs_of(place, crontabs) - line.reasons.len();
    if others > 0 {
        let others = count(others as u64, "other job");
        let _ = writeln!(text, "# this line also runs {others}");
    }
    match command(place, &report.machine.users, crontabs) {
        Ok(command) if line.may_have_begun || others > 0 => text + "# " + &command + "\n",
        Ok(command) => text + &command + "\n",
        Err(reason) => text + "# left out: " + &printable(reason.as_bytes()) + "\n",
    }
}

fn shown_place(place: &LineRef) -> String {
    format!("{}:{}", printable(place.file.as_os_str().as_encoded_bytes()), place.line)
}

/// The number of different jobs on a line.
fn jobs_of(place: &LineRef, crontabs: &Expected) -> usize {
    let entries = crontabs.planned.plan.entries.iter();
    let mut jobs: Vec<_> = entries.filter(|it| it.place == *place).map(|it| &it.job).collect();
    jobs.sort_unstable();
    jobs.dedup();
    jobs.len()
}

/// What the list cannot have.
fn remarks(report: &Report, crontabs: &Expected) -> Vec<String> {
    let clock = report.clock();
    let unknown = crontabs.planned.plan.unknown.iter();
    let unknown = unknown.map(|call| {
        format!(
            "not understood: {}: {}",
            shown_place(&call.place),
            printable(call.reason.as_bytes())
        )
    });
    let unjudged = (crontabs.unjudged > 0).then(|| {
        let lines = count(crontabs.unjudged as u64, "line");
        format!("{lines} not compared with the logs: of other users, or with logs elsewhere (--user, --log-dir)")
    });
    let on_no_line = report.history.job_ids().skip(crontabs.wanted().len()).filter_map(|id| {
        let events = Events::of(report, id, Vec::new());
        let name = report.job_name(id);
        let words = events.words(clock);
        (!events.is_over()).then(|| format!("on no line that is understood: {name}: {words}"))
    });
    unknown.chain(unjudged).chain(on_no_line).collect()
}
