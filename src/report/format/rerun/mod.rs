//! The form of `--rerun`: shell lines that make up for bad and missed runs.
//!
//! Each shell line runs a line of a crontab as cron does: as its user, with its variables, shell, directory and input.
//! If the job may have begun its work, the shell line is a comment. All words of a crontab are quoted, and all words of
//! a log are in comments, without control characters.

mod events;
mod shell;

use std::{collections::BTreeMap, fmt::Write, path::Path, rc::Rc};

use super::{Format, Needs, Report, count, crontabs};
use crate::cron::{CronJob, LineRef};
use crate::report::format::{Expected, ReportOutput};
use crate::{escape::printable, splay};
use events::Events;
use shell::Shell;

const HEAD: &str = "\
# Nothing was run. Check these lines, then give them to sh.
# The job of a line behind # may have begun its work: remove the # if it may run again.
umask 022
";

pub struct Rerun;

impl Format for Rerun {
    fn needs(&self) -> Needs {
        Needs { slots: true, history: true, as_of_end: true, warns_of_left_out: true, ..Needs::default() }
    }

    fn finish(self: Box<Self>, report: &Report, out: &mut ReportOutput) -> bool {
        let Some(expected) = &report.crontabs else { return false };
        let lines = unmade(report, expected);
        let jobs: usize = lines.iter().map(|line| line.reasons.len()).sum();
        let mut text = format!(
            "# {}: {} to make up for\n",
            report.period().unwrap_or_else(|| report.machine.now.to_string()),
            count(jobs as u64, "job"),
        );
        if jobs > 0 {
            text += HEAD;
        }
        let shell = Shell::of(&report.machine.users, &expected.planned.crontabs);
        for line in &lines {
            text += &shell_line(line, expected, &shell);
        }
        for remark in remarks(report, expected) {
            let _ = writeln!(text, "# {remark}");
        }
        out.write(text.as_bytes());
        jobs > 0
    }
}

/// A line of a crontab with a job to make up for: a run was bad or missed, and there was no good run since.
struct UnmadeLine<'a> {
    entry: &'a CronJob,
    /// What happened, a line for each job.
    reasons: Vec<String>,
    may_have_begun: bool,
}

/// The lines of the jobs to make up for, in the order in which `--splay` would start them.
fn unmade<'a>(report: &'a Report, expected: &'a Expected) -> Vec<UnmadeLine<'a>> {
    let mut missed = report.missed_by_job(&report.scope);
    let mut lines: BTreeMap<(&Path, usize), UnmadeLine> = BTreeMap::new();
    let ids = report.history.job_ids().zip(expected.wanted());
    for (id, job) in ids {
        let slots = missed.remove(&id).unwrap_or_default();
        let events = Events::of(report, id, slots);
        if events.is_over() {
            continue;
        }
        let missed_at = events.slots.first().map(|slot| &slot.place);
        let mut lines_of_job = job.lines.iter();
        let is_missed = |line: &&Rc<CronJob>| Some(&line.place) == missed_at;
        let Some(entry) = lines_of_job.find(is_missed).or(job.lines.first()) else { continue };
        // Several jobs may share a line.
        let place = (&*entry.place.file, entry.place.line);
        let unmade =
            lines.entry(place).or_insert_with(|| UnmadeLine { entry, reasons: Vec::new(), may_have_begun: false });
        unmade.may_have_begun |= events.may_have_begun();
        let name = report.job_name(id);
        unmade.reasons.push(format!("{name}: {}", events.words(report.clock())));
    }
    let mut lines: Vec<_> = lines.into_values().collect();
    lines.sort_by_key(|line| splay::wait(&line.entry.job, line.entry.splay));
    lines
}

fn shell_line(line: &UnmadeLine, expected: &Expected, shell: &Shell) -> String {
    let place = &line.entry.place;
    let mut text = String::from("\n");
    for reason in &line.reasons {
        let _ = writeln!(text, "# {reason} ({})", crontabs::place(place));
    }
    let others = jobs_of(place, expected) - line.reasons.len();
    if others > 0 {
        let others = count(others as u64, "other job");
        let _ = writeln!(text, "# this line also runs {others}");
    }
    match shell.command(place) {
        Ok(command) if line.may_have_begun || others > 0 => text + "# " + &command + "\n",
        Ok(command) => text + &command + "\n",
        Err(reason) => text + "# left out: " + &printable(reason.as_bytes()) + "\n",
    }
}

/// The number of different jobs on a line.
fn jobs_of(place: &LineRef, expected: &Expected) -> usize {
    let entries = expected.planned.plan.entries.iter();
    let mut jobs: Vec<_> = entries.filter(|it| it.place == *place).map(|it| &it.job).collect();
    jobs.sort_unstable();
    jobs.dedup();
    jobs.len()
}

/// The jobs and calls that the list cannot have, and why.
fn remarks(report: &Report, expected: &Expected) -> Vec<String> {
    let clock = report.clock();
    let unknown = expected.planned.plan.unknown.iter();
    let unknown = unknown
        .map(|call| format!("not understood: {}: {}", crontabs::place(&call.place), printable(call.reason.as_bytes())));
    let on_no_line = report.history.job_ids().skip(expected.wanted().len()).filter_map(|id| {
        let events = Events::of(report, id, Vec::new());
        let name = report.job_name(id);
        let words = events.words(clock);
        (!events.is_over()).then(|| format!("on no line that is understood: {name}: {words}"))
    });
    unknown.chain(crontabs::not_checked(expected)).chain(on_no_line).collect()
}
