//! The form of `--next`: the coming starts, and the seconds in which many jobs connect at once.

use std::{collections::HashSet, fmt::Write, path::Path};

use chrono::{DateTime, Datelike, Local};

use super::{Format, Needs, Report, ReportOutput, count};
use crate::clock::local_time;
use crate::cron::upcoming::{CROWD, crowds, next_start, periods};
use crate::cron::{ClockInterval, CronJob, CronJobs, Crontabs, UnknownCall};
use crate::escape::{printable, shortened};
use crate::report::slots::Planned;

/// The most bytes of a job or a host that are shown.
const LONGEST: usize = 1_000;
/// The widest column. A longer schedule sticks out.
const WIDEST: usize = 60;
/// The most unknown calls that are listed.
const MOST_UNKNOWN: usize = 100;

pub struct Upcoming;

impl Format for Upcoming {
    fn needs(&self) -> Needs {
        Needs { crontabs: true, ..Needs::default() }
    }

    fn finish(self: Box<Self>, report: &Report, out: &mut ReportOutput) -> bool {
        if let Some(crontabs) = &report.crontabs {
            let Planned { plan, crontabs, .. } = &crontabs.planned;
            let entries =
                plan.entries.iter().map(|it| &**it).filter(|it| !it.is_ignored && report.filter.names(&it.job));
            let now = report.machine.zoned_now;
            out.write(render(&entries.collect::<Vec<_>>(), plan, crontabs, now).as_bytes());
        }
        false
    }
}

fn render(entries: &[&CronJob], plan: &CronJobs, crontabs: &Crontabs, now: DateTime<Local>) -> String {
    let periods = periods(now);
    let mut text = String::new();
    let files: HashSet<_> = entries.iter().map(|entry| &entry.place.file).collect();
    let title = format!(
        "{}: {} in {}; {}",
        now.format("%a %-d %b %Y, %H:%M:%S"),
        count(entries.len() as u64, "job"),
        count(files.len() as u64, "crontab"),
        crontabs.cron.name,
    );
    line(&mut text, &title);
    add_crowds(&mut text, entries, &periods[0]);
    add_starts(&mut text, entries, &periods, now);
    add_unknown(&mut text, &plan.unknown);
    add_ignored(&mut text, crontabs);
    text
}

fn file_name(path: &Path) -> &[u8] {
    path.file_name().unwrap_or(path.as_os_str()).as_encoded_bytes()
}

fn add_crowds(text: &mut String, entries: &[&CronJob], day: &[ClockInterval]) {
    let crowds = crowds(entries, day);
    if crowds.is_empty() {
        return;
    }
    line(text, "\nCrowds in the next 24 hours: jobs that connect in one second");
    line(text, "  Jobs  On one host  When");
    for crowd in &crowds {
        let times = match crowd.times {
            1 => String::new(),
            2 => ", and once more".to_owned(),
            times => format!(", and {} times more", times - 1),
        };
        let (most, host) = &crowd.on_one_host;
        let host = if *most > 1 { format!(" (most on {})", shortened(host, LONGEST)) } else { String::new() };
        let when = local_time(crowd.first).format("%H:%M:%S");
        let row = format!("{:>6}  {most:>11}  {when}{times}{host}", crowd.jobs);
        line(text, &row);
    }
    if crowds.iter().any(|crowd| crowd.on_one_host.0 >= CROWD) {
        let advice = "sshd's default MaxStartups drops connections from 10 at once on: spread them with \
                      REMOTEEXE_SPLAY=20.";
        line(text, advice);
    }
}

fn add_starts(text: &mut String, entries: &[&CronJob], periods: &[Vec<ClockInterval>], now: DateTime<Local>) {
    // If there are lines of cron and of another scheduler, each line shows its scheduler.
    let are_mixed = entries.iter().any(|entry| entry.is_of_cron != entries[0].is_of_cron);
    let rows = entries.iter().map(|entry| {
        let next = next_start(entry, periods);
        let of = match (are_mixed, entry.is_of_cron) {
            (false, _) => String::new(),
            (true, true) => ", by cron".to_owned(),
            (true, false) => format!(", by the scheduler of {}", printable(file_name(&entry.place.file))),
        };
        let words = schedule_in_words(entry) + &of;
        (next, [start_in_words(next, entry, now), words, shortened(&entry.job, LONGEST)])
    });
    let mut rows: Vec<(Option<i64>, [String; 3])> = rows.collect();
    // Starts at boot and jobs that are never due come last.
    rows.sort_by(|(one, one_row), (other, other_row)| {
        (one.is_none(), one, one_row).cmp(&(other.is_none(), other, other_row))
    });
    if rows.is_empty() {
        return;
    }
    let width = |column: usize, title: &str| {
        rows.iter().map(|(_, row)| row[column].chars().count()).max().unwrap_or(0).clamp(title.len(), WIDEST)
    };
    let (next, schedule) = (width(0, "Next"), width(1, "Schedule"));
    line(text, &format!("\n{:next$}  {:schedule$}  Job", "Next", "Schedule"));
    for (_, [start, words, job]) in &rows {
        line(text, &format!("{start:next$}  {words:schedule$}  {job}"));
    }
}

pub fn start_in_words(next: Option<i64>, entry: &CronJob, now: DateTime<Local>) -> String {
    let Some(next) = next.map(local_time) else {
        return if entry.timing.is_reboot { "at boot" } else { "never" }.to_owned();
    };
    let format = match next.date() {
        date if date == now.date_naive() => "%H:%M:%S",
        date if date.year() == now.year() => "%a %-d %b %H:%M:%S",
        _ => "%a %-d %b %Y %H:%M:%S",
    };
    next.format(format).to_string()
}

/// The schedule of a job, with all that makes its STARTs uncertain.
pub fn schedule_in_words(entry: &CronJob) -> String {
    let more = match entry.wait.most {
        Some(most) if most == entry.wait.least => String::new(),
        Some(most) => format!(", up to {}s later", most - entry.wait.least),
        None => ", or later".to_owned(),
    };
    let perhaps = if entry.is_conditional { ", perhaps" } else { "" };
    format!("{}{more}{perhaps}", printable(entry.schedule.as_bytes()))
}

fn add_unknown(text: &mut String, unknown: &[UnknownCall]) {
    if !unknown.is_empty() {
        line(text, "\nNot understood");
    }
    for UnknownCall { place, reason } in unknown.iter().take(MOST_UNKNOWN) {
        let place = format!("{}:{}: {reason}", place.file.display(), place.line);
        line(text, &shortened(place.as_bytes(), LONGEST));
    }
    let more = unknown.len().saturating_sub(MOST_UNKNOWN);
    if more > 0 {
        line(text, &count(more as u64, "more call"));
    }
}

fn add_ignored(text: &mut String, crontabs: &Crontabs) {
    let ignored = crontabs.read.iter().filter(|crontab| {
        let contents = &crontab.contents;
        (crontab.rejection.is_some() || contents.is_ignored) && contents.mentions_remoteexe
    });
    for (number, crontab) in ignored.enumerate() {
        if number == 0 {
            line(text, "\nIgnored by cron (remoteexe --report --check says why)");
        }
        line(text, &printable(crontab.path.display().to_string().as_bytes()));
    }
}

fn line(text: &mut String, line: &str) {
    let _ = writeln!(text, "{}", line.trim_end());
}
