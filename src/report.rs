//! `--report`: reads logs, assembles the runs in them, and shows them in one form.
//!
//! It understands the logs of remoteexe and of the bash original. It starts no program and writes no file.

mod assembler;
mod diagnosis;
mod directory;
mod incident;
mod input;
mod joblog;
mod json;
mod ledger;
mod merge;
mod outcome;
mod owner;
mod period;
mod process;
mod reader;
mod records;
mod run;
mod running;
mod tail;
mod tally;
mod terminal;
mod text;
mod time;
mod trace;

use std::io::{self, Write};
use std::path::PathBuf;

use chrono::{DateTime, Local, NaiveDateTime, NaiveTime, TimeDelta};

use crate::escape::printable;
use crate::exit;
use assembler::Assembler;
use diagnosis::Scope;
use directory::{Choice, Logs};
use input::{InputError, Unread};
use ledger::Collector;
use reader::Line;
use records::Search;
use run::Run;
use running::Running;
use tally::Tally;
use terminal::Output;
use text::{Remarks, View};
use trace::Trace;

pub use input::Input;
pub use owner::Users;
pub use period::{Period, parse as parse_time};
pub use records::Wanted;
pub use text::Question;

/// A request for a report.
#[derive(Debug)]
pub struct Report {
    /// The logs to read.
    pub source: Source,
    /// The runs to show.
    pub filter: Filter,
    /// How to show them.
    pub form: Form,
}

/// The logs to read.
#[derive(Debug)]
pub enum Source {
    /// These inputs.
    Inputs(Vec<Input>),
    /// The logs in this directory that may have records of the period.
    LogDir(PathBuf),
}

/// The conditions that a run has to meet, all of them.
#[derive(Debug)]
pub struct Filter {
    /// It was going on at some time in this period.
    pub period: Period,
    /// It is on this host.
    pub host: Option<Vec<u8>>,
    /// Its operands contain this text.
    pub job: Option<Vec<u8>>,
    /// Its records belong to this user. Without a user, the logs of others than root and the reader are
    /// read only if they are inputs of their own.
    pub user: Option<u32>,
    /// It failed or was lost. The form for a person still counts the others.
    pub failed: bool,
}

/// The form of a report.
#[derive(Debug)]
pub enum Form {
    /// The answer to a question, for a person.
    Text(Shown),
    /// One JSON document on a line for each run.
    Json,
    /// One line for each run, in the columns of GNU parallel's joblog.
    Tsv,
    /// The records of one run.
    Run(Wanted),
}

/// What a person is shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// The question.
    pub question: Question,
    /// Healthy jobs and hosts are listed too.
    pub all: bool,
}

/// How much time before the period is read: a run that was lost may be dead only in the period, and what is wrong
/// may have begun before.
const HISTORY: TimeDelta = TimeDelta::days(1);

impl Filter {
    /// Whether `run` meets all conditions but `failed`.
    fn matches(&self, run: &Run) -> bool {
        self.period.overlaps(run.trace.start, run.until()) && self.has_job(run)
    }

    /// Whether `run` meets the conditions for its job, and started before the end of the period.
    fn is_known(&self, run: &Run) -> bool {
        self.period
            .until
            .is_none_or(|until| run.trace.start < until)
            && self.has_job(run)
    }

    fn has_job(&self, run: &Run) -> bool {
        let is_host = |host: &Vec<u8>| run.host() == host;
        let has_text = |text: &Vec<u8>| memchr::memmem::find(&run.trace.job, text).is_some();
        self.host.as_ref().is_none_or(is_host)
            && self.job.as_ref().is_none_or(has_text)
            && self.user.is_none_or(|uid| run.trace.owner.uid == Some(uid))
    }

    /// Whether `run`, which matches, is to be shown.
    fn shows(&self, run: &Run) -> bool {
        run.has_failed() || !self.failed
    }
}

/// The parts of a report that its exit status depends on.
#[derive(Debug)]
struct Findings {
    has_failures: bool,
    unread: Vec<(Input, InputError)>,
}

impl Report {
    /// Prints the report on standard output, and errors on standard error.
    ///
    /// Returns the exit status: [`exit::SUCCESS`], [`exit::FOUND_FAILURES`] if a run failed or was lost,
    /// or [`exit::IO_ERROR`] if an input could not be read or the report could not be written.
    pub fn run(&self, now: DateTime<Local>) -> u8 {
        let users = Users::read();
        let running = Running::now();
        let logs = match &self.source {
            Source::Inputs(inputs) => Logs::of(inputs.clone()),
            Source::LogDir(dir) => {
                let choice = Choice {
                    since: self.reach(now.naive_local()),
                    until: self.filter.period.until,
                    user: self.filter.user,
                    days: &running.days(),
                };
                match directory::logs(dir, &choice, &users) {
                    Ok(logs) => logs,
                    Err(error) => {
                        warn(&format!("{}: {error}", dir.display()));
                        return exit::IO_ERROR;
                    }
                }
            }
        };
        let mut out = Output::lock();
        let reading = Reading {
            logs: &logs,
            users: &users,
            running: &running,
            now: now.naive_local(),
        };
        let findings = self.write(&reading, &mut out);
        let written = out.finish();
        if let Err(error) = &written {
            warn(&format!("standard output: {error}"));
        }
        let mut unread = Unread(logs.refused);
        unread.0.extend(findings.unread);
        for (input, error) in &unread.0 {
            warn(&format!("{}: {error}", input.name()));
        }
        if logs.more_refused > 0 {
            let more = logs.more_refused;
            warn(&format!(
                "{more} more logs are refused for the same reasons"
            ));
        }
        match findings.has_failures {
            _ if written.is_err() || unread.is_incomplete() => exit::IO_ERROR,
            true => exit::FOUND_FAILURES,
            false => exit::SUCCESS,
        }
    }

    /// The time from which on logs are read, if the period has a beginning.
    fn reach(&self, now: NaiveDateTime) -> Option<NaiveDateTime> {
        let since = self.filter.period.since?;
        let day = since.date().and_time(NaiveTime::MIN);
        let usual = day.checked_sub_signed(HISTORY)?;
        match &self.form {
            Form::Text(Shown {
                question: Question::Comparison,
                ..
            }) => {
                let until = self.filter.period.until.unwrap_or(now);
                Some(usual.min(since.checked_sub_signed(until - since)?))
            }
            _ => Some(usual),
        }
    }

    fn write(&self, reading: &Reading, out: &mut Output) -> Findings {
        let left_out = reading.logs.left_out(reading.users);
        if !matches!(self.form, Form::Text(_)) {
            for line in &left_out {
                warn(line);
            }
        }
        match &self.form {
            Form::Text(shown) => self.text(*shown, reading, left_out, out),
            Form::Json => self.lines(reading, out, |_, run| json::document(run, reading.users)),
            Form::Tsv => self.joblog(reading, out),
            Form::Run(wanted) => self.records(wanted, reading, out),
        }
    }

    fn text(
        &self,
        shown: Shown,
        reading: &Reading,
        left_out: Vec<String>,
        out: &mut Output,
    ) -> Findings {
        // A list of runs has their ends. What is wrong at the end of a period does not depend on what came later.
        let until = self.filter.period.until;
        let mut collector = Collector::new(until.filter(|_| shown.question != Question::Runs));
        let is_known = |run: &Run| self.filter.is_known(run);
        let (unread, leftovers) = each_run(reading, None, is_known, |run| collector.add(&run));
        let ledger = collector.finish();
        let latest = ledger.latest().max(leftovers.latest);
        let scope = self.scope(latest, reading);
        let view = View {
            ledger: &ledger,
            scope,
            tally: Tally::of(&ledger, &scope),
            users: reading.users,
            remarks: Remarks {
                unrecognized: leftovers.unrecognized,
                unmatched: leftovers.unmatched,
                left_out,
            },
            all: shown.all,
            is_job_asked: self.filter.job.is_some(),
            failed_only: self.filter.failed,
        };
        let answer = view.answer(shown.question);
        out.write(answer.text.as_bytes());
        Findings {
            has_failures: answer.is_bad,
            unread,
        }
    }

    /// The time that a diagnosis of logs is about whose last record has the time `latest`.
    fn scope(&self, latest: Option<NaiveDateTime>, reading: &Reading) -> Scope {
        let Period { since, until } = self.filter.period;
        let after = latest.map(|latest| latest + TimeDelta::seconds(1));
        // Only the logs in the log directory go on until now.
        let is_here = matches!(self.source, Source::LogDir(_));
        let live = is_here.then_some(reading.now);
        let end = live.max(after).unwrap_or(reading.now);
        let now = until.unwrap_or(end).min(end);
        Scope {
            since: since.unwrap_or(NaiveDateTime::MIN),
            now,
            is_live: is_here && reading.now - now < TimeDelta::minutes(1),
            boot: reading.running.boot,
        }
    }

    fn joblog(&self, reading: &Reading, out: &mut Output) -> Findings {
        out.write_line(joblog::TITLES);
        self.lines(reading, out, joblog::line)
    }

    /// Writes one line for each run. `line` is given the run and its number, the first being 1.
    fn lines(
        &self,
        reading: &Reading,
        out: &mut Output,
        line: impl Fn(u64, &Run) -> String,
    ) -> Findings {
        let mut has_failures = false;
        let mut number = 0;
        let matches = |run: &Run| self.filter.matches(run);
        let (unread, _) = each_run(reading, None, matches, |run| {
            has_failures |= run.has_failed();
            if self.filter.shows(&run) {
                number += 1;
                out.write_line(&line(number, &run));
            }
        });
        Findings {
            has_failures,
            unread,
        }
    }

    fn records(&self, wanted: &Wanted, reading: &Reading, out: &mut Output) -> Findings {
        let mut search = Search::new(wanted);
        let matches = |run: &Run| self.filter.matches(run);
        let (unread, _) = each_run(reading, Some(wanted.pid), matches, |run| {
            if self.filter.shows(&run) {
                search.add(run);
            }
        });
        if let Some(remark) = search.remark() {
            warn(&remark);
        }
        let run = search.found();
        if let Some(run) = run {
            out.write_records(records::of(run));
        }
        Findings {
            has_failures: run.is_none_or(Run::has_failed),
            unread,
        }
    }
}

/// What is read, and by whom.
struct Reading<'a> {
    logs: &'a Logs,
    users: &'a Users,
    running: &'a Running,
    /// The local time.
    now: NaiveDateTime,
}

/// What is known of the logs besides their runs.
struct Leftovers {
    /// The local time of the latest START or END.
    latest: Option<NaiveDateTime>,
    /// Lines that are no records.
    unrecognized: u64,
    /// Records whose START is missing.
    unmatched: u64,
}

/// Gives each run for which `matches` is true to `take`: those with END in the order of their ENDs, then the
/// others. Those of the process id `recorded` have their records.
fn each_run(
    reading: &Reading,
    recorded: Option<u32>,
    matches: impl Fn(&Run) -> bool,
    mut take: impl FnMut(Run),
) -> (Vec<(Input, InputError)>, Leftovers) {
    let running = reading.running;
    let mut assembler = Assembler::new(recorded);
    let mut unrecognized = 0;
    let mut finished = |run: Run| {
        if matches(&run) {
            take(run);
        }
    };
    let unread = merge::read(&reading.logs.inputs, &mut |owner, line| match line {
        Line::Record(record, line) => assembler.take(owner, &record, line, &mut finished),
        Line::Unrecognized => unrecognized += 1,
        Line::Empty => {}
    });
    let (unmatched, latest) = (assembler.unmatched, assembler.latest);
    let is_running = |run: &Trace| running.includes(run);
    let forgotten = assembler.finish(is_running, running.boot, &mut finished);
    if forgotten > 0 {
        warn(&format!(
            "left out: the {forgotten} oldest runs without END; there are too many to keep"
        ));
    }
    let leftovers = Leftovers {
        latest,
        unrecognized,
        unmatched,
    };
    (unread, leftovers)
}

fn warn(message: &str) {
    // There is nobody to tell if standard error is closed.
    let _ = writeln!(io::stderr(), "remoteexe: {}", printable(message.as_bytes()));
}
