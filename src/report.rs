//! `--report`: reads logs, assembles the runs in them, and shows them in one form.
//!
//! It understands the logs of remoteexe and of the bash original. It starts no program but a pager, and writes
//! no file.

mod accepted;
mod assembler;
mod batch;
mod crontab;
mod decompress;
mod directory;
mod file_name;
mod input;
mod joblog;
mod json;
mod merge;
mod nearest;
mod outputs;
mod owner;
mod pager;
mod period;
mod process;
mod reader;
mod records;
mod run;
mod running;
mod scheduler;
mod scope;
mod splitter;
mod style;
mod summary;
mod tail;
mod terminal;
mod text;
mod time;
mod trace;
mod when;

use std::io::{self, Write};

use chrono::{DateTime, Local};

use crate::escape::printable;
use crate::exit;
use assembler::Assembler;
use batch::Line;
use directory::Logs;
use input::{InputError, Unread};
use nearest::Names;
use records::Search;
use run::{End, Run};
use running::Running;
use style::Style;
use summary::{Leftovers, Summary};
use terminal::Output;

pub use accepted::Accepted;
pub use crontab::{CrontabForm, CrontabReport};
pub use file_name::is_like_log;
pub use input::Input;
pub use owner::Users;
pub use period::Period;
pub use records::Wanted;
pub use scheduler::{LogDir, log_dirs};
pub use style::ColorChoice;
pub use when::{StartTime, is_clock_alone, is_day_alone, parse as parse_time};

/// A request for a report.
#[derive(Debug)]
pub struct Report {
    /// The logs to read.
    pub source: Source,
    /// The runs to show.
    pub filter: Filter,
    /// The exit statuses of scripts that count as no failure.
    pub accepted: Accepted,
    /// How to show them.
    pub form: Form,
    /// When the form for a person has colours.
    pub color: ColorChoice,
    /// Whether a pager is wanted, if standard output is a terminal.
    pub is_paged: bool,
}

/// The logs to read.
#[derive(Debug)]
pub enum Source {
    /// These inputs.
    Inputs(Vec<Input>),
    /// The logs in these directories that may have records of the period.
    LogDirs(Vec<LogDir>),
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
    /// One JSON document of one run, with all its output.
    RunJson(Wanted),
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
    reading: Reading,
}

/// What was read.
#[derive(Debug)]
struct Reading {
    /// How many different files.
    files: usize,
    unread: Vec<(Input, InputError)>,
    leftovers: Leftovers,
    /// What to tell about names that are in no log.
    remarks: Vec<String>,
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
            Source::LogDirs(dirs) => {
                let Filter { period, user, .. } = &self.filter;
                directory::logs(dirs, period, *user, &users, now)
            }
        };
        logs.empty_dirs.iter().for_each(|message| warn(message));
        if let Source::LogDirs(dirs) = &self.source
            && dirs.len() == logs.empty_dirs.len()
        {
            return exit::IO_ERROR;
        }
        let mut out = Output::new(self.is_paged);
        let findings = self.write(&logs, &users, &mut out);
        let written = out.finish();
        if let Err(error) = &written {
            warn(&format!("standard output: {error}"));
        }
        findings
            .reading
            .remarks
            .iter()
            .for_each(|remark| warn(remark));
        let mut unread = Unread(logs.refused);
        unread.0.extend(findings.reading.unread);
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
            _ if !logs.empty_dirs.is_empty() => exit::IO_ERROR,
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
            Form::Run(wanted) => {
                self.one_run(wanted, inputs, |run| out.write_records(records::of(run)))
            }
            Form::RunJson(wanted) => self.one_run(wanted, inputs, |run| {
                out.write_line(&json::document_with_output(run, users));
            }),
        }
    }

    fn text(
        &self,
        inputs: &[Input],
        left_out: Vec<String>,
        users: &Users,
        out: &mut Output,
    ) -> Findings {
        let mut summary = Summary::default();
        let reading = self.each_run(inputs, None, |run| summary.add(run));
        summary.leftovers = reading.leftovers;
        summary.scope = vec![scope::describe(self, reading.files, users)];
        summary.scope.extend(left_out);
        let text = text::render(
            &summary,
            users,
            self.filter.failed,
            Style::of_stdout(self.color),
        );
        out.write(text.as_bytes());
        Findings {
            has_failures: summary.failed + summary.lost > 0,
            reading,
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
        let reading = self.each_run(inputs, None, |run| {
            has_failures |= run.has_failed();
            if self.filter.shows(&run) {
                number += 1;
                out.write_line(&line(number, &run));
            }
        });
        Findings {
            has_failures,
            reading,
        }
    }

    /// Gives the wanted run to `show`, if it is there.
    fn one_run(&self, wanted: &Wanted, inputs: &[Input], show: impl FnOnce(&Run)) -> Findings {
        let mut search = Search::new(wanted);
        let reading = self.each_run(inputs, Some(wanted.pid), |run| {
            if self.filter.shows(&run) {
                search.add(run);
            }
        });
        if let Some(remark) = search.remark() {
            warn(&remark);
        }
        let run = search.found();
        if let Some(run) = run {
            show(run);
        }
        Findings {
            has_failures: run.is_none_or(Run::has_failed),
            reading,
        }
    }

    /// Gives each run that matches to `take`: those with END in the order of their ENDs, then the others.
    /// Those of the process id `recorded` have their records.
    fn each_run(
        &self,
        inputs: &[Input],
        recorded: Option<u32>,
        mut take: impl FnMut(Run),
    ) -> Reading {
        let running = Running::now();
        let mut assembler = Assembler::new(recorded);
        let mut unrecognized = 0;
        let mut hosts = self.filter.host.as_deref().map(Names::near);
        let mut jobs = self.filter.job.as_deref().map(Names::near);
        let mut finished = |mut run: Run| {
            if let Some(hosts) = &mut hosts {
                hosts.add_host(run.host());
            }
            if let Some(jobs) = &mut jobs {
                jobs.add_job(&run.trace.job);
            }
            run.accept(&self.accepted);
            if self.filter.matches(&run) {
                take(run);
            }
        };
        let outcome = merge::read(inputs, &mut |owner, line| match line {
            Line::Record(record, line) => assembler.take(owner, &record, line, &mut finished),
            Line::Outputs(outputs) => assembler.take_row(owner, &outputs),
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
        let host = hosts.and_then(|hosts| hosts.remark("host"));
        let job = jobs.and_then(|jobs| jobs.remark("job with"));
        Reading {
            files: outcome.files,
            unread: outcome.unread,
            leftovers: Leftovers {
                unrecognized,
                unmatched,
            },
            remarks: host.into_iter().chain(job).collect(),
        }
    }
}

fn warn(message: &str) {
    // There is nobody to tell if standard error is closed.
    let _ = writeln!(io::stderr(), "remoteexe: {}", printable(message.as_bytes()));
}
