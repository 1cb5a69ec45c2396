//! The report for a person: failures first, in the width of the terminal.

use std::cmp::Reverse;
use std::fmt::Write;

use chrono::NaiveDateTime;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::run::{End, Run};
use super::summary::{Host, Job, Seconds, Summary};
use super::terminal::{Style, width};
use crate::escape::printable;

/// How many of a failure's last lines are shown.
const SHOWN_LINES: usize = 3;

/// The bars of a chart, from low to high.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Shows summaries on a terminal or into a pipe.
#[derive(Debug)]
pub struct View {
    style: Style,
    width: u16,
    /// Only what has failed.
    failed_only: bool,
    text: String,
}

/// What a report has met that belongs to no run.
#[derive(Debug, Default, Clone, Copy)]
pub struct Remainder {
    /// Lines that are no records.
    pub foreign: u64,
    /// Records of runs whose START is not there.
    pub orphans: u64,
}

impl View {
    /// A view for standard output.
    pub fn of_stdout(failed_only: bool) -> Self {
        Self {
            style: Style::of_stdout(),
            width: width(),
            failed_only,
            text: String::new(),
        }
    }

    /// `summary` as text.
    pub fn show(mut self, summary: &Summary, remainder: Remainder) -> String {
        self.header(summary, remainder);
        self.failures(summary);
        self.jobs(summary);
        self.hosts(summary);
        self.seconds(&summary.seconds);
        self.overlaps(summary);
        self.text
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn heading(&mut self, text: &str) {
        let heading = self.style.heading(text);
        let _ = write!(self.text, "\n{heading}\n");
    }

    fn header(&mut self, summary: &Summary, remainder: Remainder) {
        let Some((first, last)) = summary.span else {
            self.line("no runs");
            return self.remainder(summary, remainder);
        };
        self.line(&self.style.heading(&format!("{first} to {last}")));
        let bad = |count: u64, what: &str| {
            let text = format!("{what} {count}");
            if count > 0 {
                self.style.bad(&text)
            } else {
                text
            }
        };
        let counts = [
            format!("runs {}", summary.runs),
            format!("ok {}", summary.ok),
            bad(summary.failed, "failed"),
            bad(summary.lost, "lost"),
            format!("running {}", summary.running),
        ];
        let kinds = [
            bad(summary.connection_failures, "connection failures"),
            bad(summary.usage_errors, "usage errors"),
            format!("retried {}", summary.retried),
            format!("overlaps {}", summary.overlaps),
        ];
        self.line(&counts.join("   "));
        self.line(&kinds.join("   "));
        self.remainder(summary, remainder);
    }

    /// What could not be understood, if there is any of it.
    fn remainder(&mut self, summary: &Summary, remainder: Remainder) {
        let Remainder { foreign, orphans } = remainder;
        let ambiguous = summary.ambiguous;
        if foreign + orphans + ambiguous > 0 {
            self.wrapped(&format!(
                "lines that are no records {foreign}   records without START {orphans}   ambiguous {ambiguous}"
            ));
        }
    }

    fn failures(&mut self, summary: &Summary) {
        if summary.failures.is_empty() {
            return;
        }
        let (shown, all) = (summary.failures.len(), summary.failed + summary.lost);
        self.heading(&format!("Newest failures ({shown} of {all})"));
        let mut table = self.table(&["At", "What, and its last lines"], &[]);
        let clock = Clock::of(summary);
        for run in summary.failures.iter().rev() {
            table.add_row([run.trace.last.to_string(), failure(run, clock)]);
        }
        self.add(&table);
    }

    fn jobs(&mut self, summary: &Summary) {
        let mut jobs: Vec<_> = summary.jobs.iter().collect();
        if self.failed_only {
            jobs.retain(|(_, job)| job.failed() > 0);
        }
        if jobs.is_empty() {
            return;
        }
        jobs.sort_by_key(|&(name, job)| (Reverse(job.failed()), name));
        self.heading("Jobs");
        let titles = [
            "Runs",
            "Failed",
            "Last start",
            "Last",
            "Last ok",
            "Median",
            "p95",
            "Longest",
            "Job, and its failures",
        ];
        let mut table = self.table(&titles, &[0, 1, 5, 6, 7]);
        let clock = Clock::of(summary);
        for &(name, job) in &jobs {
            let mut row = job_figures(job, clock);
            row.push(job_name(name, job));
            table.add_row(row);
        }
        if self.has_room_for(&mut table) {
            return self.add(&table);
        }
        // Each name on a line of its own, above its figures.
        let mut table = self.table(&titles[..8], &[0, 1, 5, 6, 7]);
        // One line each, also where the terminal has less than 80 columns.
        table.set_content_arrangement(ContentArrangement::Disabled);
        for (_, job) in &jobs {
            table.add_row(job_figures(job, clock));
        }
        let mut figures = table.lines();
        self.line(figures.next().unwrap_or_default().trim_end());
        for ((name, job), figures) in jobs.into_iter().zip(figures) {
            self.wrapped(&job_name(name, job));
            self.line(figures.trim_end());
        }
    }

    fn hosts(&mut self, summary: &Summary) {
        let mut hosts: Vec<_> = summary.hosts.iter().collect();
        if self.failed_only {
            hosts.retain(|(_, host)| host.failed > 0);
        }
        if hosts.is_empty() {
            return;
        }
        // The connection tells a dead host, the rest a broken script.
        hosts.sort_by_key(|(_, host)| Reverse((host.connection_failures, host.failed)));
        self.heading("Hosts");
        let titles = [
            "Host",
            "Runs",
            "Failed",
            "Not connected",
            "Last reached",
            "Last reason",
        ];
        let mut table = self.table(&titles, &[1, 2, 3]);
        let clock = Clock::of(summary);
        for (name, host) in hosts {
            table.add_row(host_row(name, host, clock));
        }
        self.add(&table);
    }

    fn seconds(&mut self, seconds: &Seconds) {
        let Some((first, failures)) = seconds.cluster() else {
            return;
        };
        self.heading("Starts and connection failures by the second of the minute");
        for (what, counts) in [("starts", &seconds.starts), ("failures", &seconds.failures)] {
            let most = counts.iter().max().copied().unwrap_or_default();
            self.line(&format!("{what:9} {} {most}", chart(counts)));
        }
        self.line(&format!(
            "{:10}{:61}most",
            "", "0         10        20        30        40        50"
        ));
        let all: u64 = seconds.failures.iter().sum();
        let last = (first + 2) % 60;
        self.wrapped(&format!(
            "{failures} of {all} connection failures that may pass are of jobs that started in seconds {first} to {last}. \
             Let them try again (REMOTEEXE_RETRIES=8 at the head of the crontab, or --retries 8), \
             or spread the starts over the minute."
        ));
    }

    fn overlaps(&mut self, summary: &Summary) {
        let mut jobs: Vec<_> = summary
            .jobs
            .iter()
            .filter(|(_, job)| job.overlaps > 0)
            .collect();
        if jobs.is_empty() {
            return;
        }
        jobs.sort_by(|(a, a_job), (b, b_job)| b_job.overlaps.cmp(&a_job.overlaps).then(a.cmp(b)));
        self.heading("Started again while still running (flock -n prevents it)");
        let mut table = self.table(&["Times", "Job"], &[0]);
        for (name, job) in jobs {
            table.add_row([job.overlaps.to_string(), printable(name)]);
        }
        self.add(&table);
    }

    /// A table with these titles, the columns of numbers aligned to the right.
    fn table(&self, titles: &[&str], numbers: &[usize]) -> Table {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(self.width);
        if !titles.is_empty() {
            table.set_header(titles);
        }
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if numbers.contains(&index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }

    /// Whether nothing in `table` needs to be wrapped.
    fn has_room_for(&self, table: &mut Table) -> bool {
        table.set_content_arrangement(ContentArrangement::Disabled);
        // All its lines are as wide as that of the titles, which is ASCII.
        let width = table.lines().next().map_or(0, |titles| titles.len());
        table.set_content_arrangement(ContentArrangement::Dynamic);
        width <= usize::from(self.width)
    }

    fn add(&mut self, table: &Table) {
        for line in table.lines() {
            self.line(line.trim_end());
        }
    }

    /// A text of any length.
    fn wrapped(&mut self, text: &str) {
        let mut table = self.table(&[], &[]);
        table.add_row([text]);
        for column in table.column_iter_mut() {
            column.set_padding((0, 0));
        }
        self.add(&table);
    }
}

/// How points in time are shown: without the date where all are of one day.
#[derive(Debug, Clone, Copy)]
struct Clock {
    is_one_day: bool,
}

impl Clock {
    fn of(summary: &Summary) -> Self {
        let span = summary.span;
        Self {
            is_one_day: span.is_some_and(|(first, last)| first.date() == last.date()),
        }
    }

    /// A run as `--run` takes it.
    fn name(self, run: &Run) -> String {
        if self.is_one_day {
            format!("{}@{}", run.trace.pid, run.trace.start.time())
        } else {
            format!("{}@{}", run.trace.pid, run.trace.start)
        }
    }

    fn show(self, time: Option<NaiveDateTime>) -> String {
        let format = if self.is_one_day {
            "%H:%M:%S"
        } else {
            "%m-%d %H:%M"
        };
        time.map_or_else(|| "-".to_owned(), |time| time.format(format).to_string())
    }
}

fn job_figures(job: &Job, clock: Clock) -> Vec<String> {
    let quantile = |percent| {
        job.quantile(percent)
            .map_or_else(|| "?".to_owned(), duration)
    };
    vec![
        job.runs.to_string(),
        job.failed().to_string(),
        clock.show(job.last.map(|(start, _)| start)),
        job.last.map_or_else(String::new, |(_, end)| status(end)),
        clock.show(job.last_success),
        quantile(50),
        quantile(95),
        quantile(100),
    ]
}

/// The name of a job, and how often it has failed with which status.
fn job_name(name: &[u8], job: &Job) -> String {
    let mut text = printable(name);
    let mut separator = ": ";
    for (end, count) in &job.failures {
        let _ = write!(text, "{separator}{} x{count}", status(*end));
        separator = ", ";
    }
    text
}

fn host_row(name: &[u8], host: &Host, clock: Clock) -> [String; 6] {
    [
        printable(name),
        host.runs.to_string(),
        host.failed.to_string(),
        host.connection_failures.to_string(),
        clock.show(host.last_reached),
        host.cause
            .map_or_else(String::new, |cause| cause.to_string()),
    ]
}

/// How a run failed, its job, and below it the last lines of its output.
fn failure(run: &Run, clock: Clock) -> String {
    let mut text = match run.end {
        End::Exit(code) => format!("{code}: {}", run.cause()),
        _ => run.cause().into_owned(),
    };
    let _ = write!(
        text,
        " (run {})\n{}",
        clock.name(run),
        printable(&run.trace.job)
    );
    let lines: Vec<_> = run.trace.tail.lines().collect();
    let skipped = lines.len().saturating_sub(SHOWN_LINES);
    for line in &lines[skipped..] {
        let _ = write!(text, "\n| {}", printable(line.trim_ascii_end()));
    }
    text
}

fn status(end: End) -> String {
    match end {
        End::Exit(code) => code.to_string(),
        End::Running => "running".to_owned(),
        End::Lost => "lost".to_owned(),
    }
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// One bar a count.
fn chart(counts: &[u64]) -> String {
    let most = counts.iter().max().copied().unwrap_or_default().max(1);
    let bar = |count: &u64| match count {
        0 => ' ',
        count => {
            let height = (count * BARS.len() as u64).div_ceil(most);
            usize::try_from(height - 1)
                .ok()
                .and_then(|height| BARS.get(height))
                .copied()
                .unwrap_or('█')
        }
    };
    counts.iter().map(bar).collect()
}
