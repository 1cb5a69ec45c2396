//! `--report`: reads logs, assembles the runs in them, and shows them in one form.
//!
//! It understands the logs of remoteexe and of the bash original. It starts no program and writes no file.

mod assembler;
mod crontab;
mod directory;
mod input;
mod joblog;
mod json;
mod merge;
mod owner;
mod period;
mod process;
mod reader;
mod records;
mod run;
mod running;
mod summary;
mod tail;
mod terminal;
mod text;
mod time;
mod trace;

use std::io::{self, Write};
use std::path::PathBuf;

use chrono::{DateTime, Local};

use crate::escape::printable;
use crate::exit;
use assembler::Assembler;
use directory::Logs;
use input::{InputError, Unread};
use reader::Line;
use records::Search;
use run::{End, Run};
use running::Running;
use summary::{Leftovers, Summary};
use terminal::Output;

pub use crontab::{CrontabForm, CrontabReport};
pub use input::Input;
pub use owner::Users;
pub use period::{Period, parse as parse_time};
pub use records::Wanted;

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
    /// Counts, failures and tables for a person.
    Text,
    /// One JSON document on a line for each run.
    Json,
    /// One line for each run, in the columns of GNU parallel's joblog.
    Tsv,
    /// The records of one run.
    Run(Wanted),
}

impl Filter {
    /// Whether `run` meets all conditions but `failed`.
    fn matches(&self, run: &Run) -> bool {
        let end = (run.end != End::Running).then_some(run.trace.last);
        let is_host = |host: &Vec<u8>| run.host() == host;
        let has_text = |text: &Vec<u8>| memchr::memmem::find(&run.trace.job, text).is_some();
        self.period.overlaps(run.trace.start, end)
            && self.host.as_ref().is_none_or(is_host)
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
        let logs = match &self.source {
            Source::Inputs(inputs) => Logs::of(inputs.clone()),
            Source::LogDir(dir) => {
                let Filter { period, user, .. } = &self.filter;
                match directory::logs(dir, period, *user, &users, now) {
                    Ok(logs) => logs,
                    Err(error) => {
                        warn(&format!("{}: {error}", dir.display()));
                        return exit::IO_ERROR;
                    }
                }
            }
        };
        let mut out = Output::lock();
        let findings = self.write(&logs, &users, &mut out);
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

    fn write(&self, logs: &Logs, users: &Users, out: &mut Output) -> Findings {
        let inputs = &logs.inputs;
        let left_out = logs.left_out(users);
        if !matches!(self.form, Form::Text) {
            for line in &left_out {
                warn(line);
            }
        }
        match &self.form {
            Form::Text => self.text(inputs, left_out, users, out),
            Form::Json => self.lines(inputs, out, |_, run| json::document(run, users)),
            Form::Tsv => self.joblog(inputs, out),
            Form::Run(wanted) => self.records(wanted, inputs, out),
        }
    }

    fn text(
        &self,
        inputs: &[Input],
        left_out: Vec<String>,
        users: &Users,
        out: &mut Output,
    ) -> Findings {
        let mut summary = Summary {
            left_out,
            ..Summary::default()
        };
        let (unread, leftovers) = self.each_run(inputs, None, |run| summary.add(run));
        summary.leftovers = leftovers;
        let text = text::render(&summary, users, self.filter.failed);
        out.write(text.as_bytes());
        Findings {
            has_failures: summary.failed + summary.lost > 0,
            unread,
        }
    }

    fn joblog(&self, inputs: &[Input], out: &mut Output) -> Findings {
        out.write_line(joblog::TITLES);
        self.lines(inputs, out, joblog::line)
    }

    /// Writes one line for each run. `line` is given the run and its number, the first being 1.
    fn lines(
        &self,
        inputs: &[Input],
        out: &mut Output,
        line: impl Fn(u64, &Run) -> String,
    ) -> Findings {
        let mut has_failures = false;
        let mut number = 0;
        let (unread, _) = self.each_run(inputs, None, |run| {
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

    fn records(&self, wanted: &Wanted, inputs: &[Input], out: &mut Output) -> Findings {
        let mut search = Search::new(wanted);
        let (unread, _) = self.each_run(inputs, Some(wanted.pid), |run| {
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

    /// Gives each run that matches to `take`: those with END in the order of their ENDs, then the others.
    /// Those of the process id `recorded` have their records.
    fn each_run(
        &self,
        inputs: &[Input],
        recorded: Option<u32>,
        mut take: impl FnMut(Run),
    ) -> (Vec<(Input, InputError)>, Leftovers) {
        let running = Running::now();
        let mut assembler = Assembler::new(recorded);
        let mut unrecognized = 0;
        let mut finished = |run: Run| {
            if self.filter.matches(&run) {
                take(run);
            }
        };
        let unread = merge::read(inputs, &mut |owner, line| match line {
            Line::Record(record, line) => assembler.take(owner, &record, line, &mut finished),
            Line::Unrecognized => unrecognized += 1,
            Line::Empty => {}
        });
        let unmatched = assembler.unmatched;
        let forgotten = assembler.finish(|run| running.includes(run), &mut finished);
        if forgotten > 0 {
            warn(&format!(
                "left out: the {forgotten} oldest runs without END; there are too many to keep"
            ));
        }
        let leftovers = Leftovers {
            unrecognized,
            unmatched,
        };
        (unread, leftovers)
    }
}

fn warn(message: &str) {
    // There is nobody to tell if standard error is closed.
    let _ = writeln!(io::stderr(), "remoteexe: {}", printable(message.as_bytes()));
}
