//! The form for a person: counts, the newest failures, and tables.

mod format;
mod page;

use std::cmp::Reverse;
use std::fmt::Write;

use super::owner::{Account, Users};
use super::run::{End, Run};
use super::style::Style;
use super::summary::{Host, Job, Seconds, Summary};
use crate::escape::printable;
use format::{Clock, chart, duration};
use page::Page;

/// The number of last lines of output that are shown of each failure.
const SHOWN_LINES: usize = 3;

/// The most bytes of a job's or a host's name that are shown, as many as of a line of output. The table
/// takes time by the square of a word's length: a name of 1 MB took it minutes.
const SHOWN_NAME: usize = 1024;

/// The report on the runs in `summary`, with these looks.
///
/// With `failed_only`, jobs and hosts without a failure are left out.
///
/// A user is named who is neither root nor the reader.
pub fn render(summary: &Summary, users: &Users, failed_only: bool, style: Style) -> String {
    let mut page = Page::new(style);
    let clock = Clock::of(summary);
    show_counts(&mut page, summary);
    show_failures(&mut page, summary, users, clock);
    show_jobs(&mut page, summary, users, clock, failed_only);
    show_hosts(&mut page, summary, clock, failed_only);
    show_seconds(&mut page, &summary.seconds);
    show_overlaps(&mut page, summary, users);
    page.into_text()
}

/// ` of USER on SCHEDULER`, where they are to be named.
fn of_account(account: Account, users: &Users) -> String {
    let user = match account.uid {
        Some(uid) if users.is_stranger(uid) => {
            let name = users.name(uid).map(|name| printable(name.as_bytes()));
            format!(" of {}", name.unwrap_or_else(|| format!("uid {uid}")))
        }
        _ => String::new(),
    };
    match account.scheduler.name() {
        Some(name) => format!("{user} on {}", printable(name.as_bytes())),
        None => user,
    }
}

fn show_counts(page: &mut Page, summary: &Summary) {
    if let Some((first, last)) = summary.span {
        page.title(&format!("{first} to {last}"));
        let mut ends = vec![
            format!("runs {}", summary.runs),
            format!("ok {}", summary.ok),
            page.bad_count("failed", summary.failed),
            page.bad_count("lost", summary.lost),
            format!("running {}", summary.running),
        ];
        if summary.accepted > 0 {
            ends.insert(2, format!("ok by --ok {}", summary.accepted));
        }
        let kinds = [
            page.bad_count("connection failures", summary.connection_failures),
            page.bad_count("usage errors", summary.usage_errors),
            format!("retried {}", summary.retried),
            format!("overlaps {}", summary.overlaps),
        ];
        page.line(&ends.join("   "));
        page.line(&kinds.join("   "));
    } else {
        page.line("no runs");
    }
    let (leftovers, ambiguous) = (summary.leftovers, summary.ambiguous);
    if leftovers.unrecognized + leftovers.unmatched + ambiguous > 0 {
        page.paragraph(&format!(
            "unrecognized lines {}   records without START {}   ambiguous runs {ambiguous}",
            leftovers.unrecognized, leftovers.unmatched
        ));
    }
    for line in &summary.scope {
        page.paragraph(&printable(line.as_bytes()));
    }
}

fn show_failures(page: &mut Page, summary: &Summary, users: &Users, clock: Clock) {
    if summary.failures.is_empty() {
        return;
    }
    let (shown, all) = (summary.failures.len(), summary.failed + summary.lost);
    page.heading(&format!("Newest failures ({shown} of {all})"));
    let mut table = page.table(&["Time", "Failure and last lines of output"], &[]);
    for run in summary.failures.iter().rev() {
        table.add_row([run.trace.last.to_string(), failure(run, users, clock)]);
    }
    page.add(&table);
}

/// The end of a run and its cause, its job, and the last lines of its output.
fn failure(run: &Run, users: &Users, clock: Clock) -> String {
    let cause = printable(run.cause().as_bytes());
    let mut text = match run.end {
        End::Exit(status) => format!("{status}: {cause}"),
        End::Running | End::Lost => cause,
    };
    let (name, job) = (clock.run_name(run), shown_name(&run.trace.job));
    let user = of_account(run.trace.owner.account(), users);
    // Writing to a string cannot fail.
    let _ = write!(text, " (run {name}{user})\n{job}");
    let lines: Vec<_> = run.telling_lines().collect();
    let skipped = lines.len().saturating_sub(SHOWN_LINES);
    for line in &lines[skipped..] {
        let _ = write!(text, "\n| {}", printable(line.trim_ascii_end()));
    }
    text
}

/// A name for the page, with an ellipsis where its end is left out.
fn shown_name(name: &[u8]) -> String {
    match name.split_at_checked(SHOWN_NAME) {
        Some((begin, end)) if !end.is_empty() => printable(begin) + "…",
        _ => printable(name),
    }
}

fn show_jobs(page: &mut Page, summary: &Summary, users: &Users, clock: Clock, failed_only: bool) {
    let jobs = summary.jobs.iter();
    let mut jobs: Vec<_> = jobs
        .filter(|(_, job)| job.failed() > 0 || !failed_only)
        .collect();
    if jobs.is_empty() {
        return;
    }
    jobs.sort_by_key(|&((account, name), job)| (Reverse(job.failed()), name, account));
    page.heading("Jobs");
    let titles = [
        "Runs",
        "Failed",
        "Last start",
        "Last",
        "Last ok",
        "Median",
        "p95",
        "Longest",
        "Job and its failures",
    ];
    let numbers = [0, 1, 5, 6, 7];
    let mut wide = page.table(&titles, &numbers);
    let mut narrow = page.table(&titles[..8], &numbers);
    let mut names = Vec::new();
    for ((account, name), job) in jobs {
        let figures = job_figures(job, clock);
        let name = job_name(name, &of_account(*account, users), job);
        narrow.add_row(&figures);
        wide.add_row(figures.iter().chain([&name]));
        names.push(name);
    }
    if page.has_room_for(&mut wide) {
        page.add(&wide);
    } else {
        page.add_with_names(&names, narrow);
    }
}

fn job_figures(job: &Job, clock: Clock) -> [String; 8] {
    let percentile = |percent| duration(job.percentile(percent));
    [
        job.runs.to_string(),
        job.failed().to_string(),
        clock.time(job.last.map(|(start, _)| start)),
        job.last
            .map_or_else(String::new, |(_, end)| format::end(end)),
        clock.time(job.last_success),
        percentile(50),
        percentile(95),
        percentile(100),
    ]
}

/// A job, its user, and the number of its failures by their end.
fn job_name(name: &[u8], user: &str, job: &Job) -> String {
    let failure = |(end, count): (&End, &u64)| format!("{} x{count}", format::end(*end));
    let failures: Vec<String> = job.failures.iter().map(failure).collect();
    let name = with_user(name, user);
    if failures.is_empty() {
        return name;
    }
    format!("{name}: {}", failures.join(", "))
}

/// A job, and its user if that is to be named.
fn with_user(job: &[u8], user: &str) -> String {
    let job = shown_name(job);
    if user.is_empty() {
        job
    } else {
        format!("{job} (job{user})")
    }
}

fn show_hosts(page: &mut Page, summary: &Summary, clock: Clock, failed_only: bool) {
    let mut hosts: Vec<_> = summary.hosts.iter().collect();
    hosts.retain(|(_, host)| host.failed > 0 || !failed_only);
    if hosts.is_empty() {
        return;
    }
    // Connection failures first: they tell a dead host from a broken script.
    hosts.sort_by_key(|(_, host)| Reverse((host.connection_failures, host.failed)));
    page.heading("Hosts");
    let titles = [
        "Host",
        "Runs",
        "Failed",
        "Not connected",
        "Last reached",
        "Last reason",
    ];
    let mut table = page.table(&titles, &[1, 2, 3]);
    for (name, host) in hosts {
        table.add_row(host_row(name, host, clock));
    }
    page.add(&table);
}

fn host_row(name: &[u8], host: &Host, clock: Clock) -> [String; 6] {
    let cause = host.cause.map(|cause| cause.to_string());
    [
        shown_name(name),
        host.runs.to_string(),
        host.failed.to_string(),
        host.connection_failures.to_string(),
        clock.time(host.last_reached),
        cause.unwrap_or_default(),
    ]
}

fn show_seconds(page: &mut Page, seconds: &Seconds) {
    let Some(cluster) = seconds.cluster() else {
        return;
    };
    page.heading("Starts and connection failures by the second of the minute");
    for (name, counts) in [("starts", &seconds.starts), ("failures", &seconds.failures)] {
        let most = counts.iter().max().copied().unwrap_or_default();
        page.line(&format!("{name:9} {} {most}", chart(counts)));
    }
    let scale = "0         10        20        30        40        50";
    page.line(&format!("{:10}{scale:61}most", ""));
    page.paragraph(&format!(
        "{} of {} transient connection failures are of jobs that started in seconds {} to {}. \
         Retry them (REMOTEEXE_RETRIES=8 at the top of the crontab, or --retries 8), \
         or spread the starts over the minute.",
        cluster.failures, cluster.all, cluster.first, cluster.last
    ));
}

fn show_overlaps(page: &mut Page, summary: &Summary, users: &Users) {
    let jobs = summary.jobs.iter().filter(|(_, job)| job.overlaps > 0);
    let mut jobs: Vec<_> = jobs.collect();
    if jobs.is_empty() {
        return;
    }
    jobs.sort_by_key(|&((account, name), job)| (Reverse(job.overlaps), name, account));
    page.heading("Started again while still running (flock -n prevents it)");
    let mut table = page.table(&["Times", "Job"], &[0]);
    for ((account, name), job) in jobs {
        let name = with_user(name, &of_account(*account, users));
        table.add_row([job.overlaps.to_string(), name]);
    }
    page.add(&table);
}
