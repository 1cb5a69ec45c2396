//! `--report`: what ran, what failed and why, what never ended.
//!
//! Reads logs, of remoteexe and of the bash original, and nothing else; runs and writes nothing.

mod assembler;
mod input;
mod joblog;
mod json;
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

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use chrono::{DateTime, Local};

use crate::escape::printable;
use crate::exit;
use assembler::Assembler;
use input::Unread;
use reader::Line;
use run::Run;
use running::Running;
use summary::Summary;
use text::{Remainder, View};

pub use input::Input;
pub use period::{Period, parse as parse_time};
pub use records::Wanted;

/// A command line that asks for a report.
#[derive(Debug)]
pub struct Report {
    /// What to read.
    pub source: Source,
    /// Which runs it is about.
    pub filter: Filter,
    /// What to show of them.
    pub form: Form,
}

/// Where the records are.
#[derive(Debug)]
pub enum Source {
    /// In these files.
    Inputs(Vec<Input>),
    /// In those files of this log directory that belong to the period.
    LogDir(PathBuf),
}

/// Which runs a report is about.
#[derive(Debug)]
pub struct Filter {
    /// Those that were going on in it.
    pub period: Period,
    /// Those on this host.
    pub host: Option<Vec<u8>>,
    /// Those with this in their operands.
    pub job: Option<Vec<u8>>,
    /// Those that have failed or were lost. The default view counts the others nevertheless.
    pub failed: bool,
}

/// The form of a report.
#[derive(Debug)]
pub enum Form {
    /// For a person.
    Text,
    /// A JSON document a run.
    Json,
    /// A line a run, as GNU parallel's joblog has it.
    Tsv,
    /// The records of one run.
    Run(Wanted),
}

impl Filter {
    fn lets_through(&self, run: &Run) -> bool {
        let is_host = self.host.as_ref().is_none_or(|host| run.host() == host);
        let has_job = |job: &Vec<u8>| memchr::memmem::find(&run.trace.job, job).is_some();
        self.period.has(run) && is_host && self.job.as_ref().is_none_or(has_job)
    }
}

/// What a report has found, for its exit status.
#[derive(Debug, Default)]
struct Findings {
    has_failures: bool,
    unread: Unread,
}

impl Findings {
    fn exit_status(&self) -> u8 {
        if self.has_failures {
            exit::FOUND_FAILURES
        } else {
            exit::SUCCESS
        }
    }
}

impl Report {
    /// Prints the report, and gives its exit status: 0 if nothing has failed, 1 if something has or was
    /// lost, 74 if an input could not be read or the report not be written.
    pub fn run(&self, now: DateTime<Local>) -> u8 {
        let inputs = match &self.source {
            Source::Inputs(inputs) => inputs.clone(),
            Source::LogDir(dir) => match input::logs(dir, &self.filter.period, now) {
                Ok(inputs) => inputs,
                Err(error) => {
                    complain(&format!("{}: {error}", dir.display()));
                    return exit::IO_ERROR;
                }
            },
        };
        let mut out = BufWriter::new(io::stdout().lock());
        let findings = match &self.form {
            Form::Text => self.view(&inputs, &mut out),
            Form::Json => self.json(&inputs, &mut out),
            Form::Tsv => self.tsv(&inputs, &mut out),
            Form::Run(wanted) => self.one_run(wanted, &inputs, &mut out),
        };
        let mut is_incomplete = findings.unread.is_incomplete();
        // What could not be written is still in the buffer, and fails again. A reader that closed the pipe
        // early has seen what it wanted.
        if let Err(error) = out.flush()
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            complain(&format!("standard output: {error}"));
            is_incomplete = true;
        }
        for (input, error) in &findings.unread.0 {
            complain(&format!("{}: {error}", input.name()));
        }
        if is_incomplete {
            exit::IO_ERROR
        } else {
            findings.exit_status()
        }
    }

    fn view(&self, inputs: &[Input], out: &mut impl Write) -> Findings {
        let mut summary = Summary::default();
        let (unread, remainder) = self.each_run(inputs, None, |run| summary.add(run));
        let text = View::of_stdout(self.filter.failed).show(&summary, remainder);
        let _ = out.write_all(text.as_bytes());
        Findings {
            has_failures: summary.failed + summary.lost > 0,
            unread,
        }
    }

    fn json(&self, inputs: &[Input], out: &mut impl Write) -> Findings {
        self.export(inputs, out, |_, run| json::json(run).unwrap_or_default())
    }

    fn tsv(&self, inputs: &[Input], out: &mut impl Write) -> Findings {
        let _ = writeln!(out, "{}", joblog::JOBLOG_TITLES);
        self.export(inputs, out, joblog::joblog)
    }

    /// Writes a line a run.
    fn export(
        &self,
        inputs: &[Input],
        out: &mut impl Write,
        line: impl Fn(u64, &Run) -> String,
    ) -> Findings {
        let mut has_failures = false;
        let mut number = 0;
        let (unread, _) = self.each_run(inputs, None, |run| {
            has_failures |= run.has_failed();
            if run.has_failed() || !self.filter.failed {
                number += 1;
                let _ = writeln!(out, "{}", line(number, &run));
            }
        });
        Findings {
            has_failures,
            unread,
        }
    }

    fn one_run(&self, wanted: &Wanted, inputs: &[Input], out: &mut impl Write) -> Findings {
        let mut last: Option<Run> = None;
        let mut found = 0;
        let (unread, _) = self.each_run(inputs, Some(wanted.pid), |run| {
            if wanted.is(&run) && (run.has_failed() || !self.filter.failed) {
                found += 1;
                if last
                    .as_ref()
                    .is_none_or(|last| last.trace.start <= run.trace.start)
                {
                    last = Some(run);
                }
            }
        });
        let Some(run) = last else {
            let pid = wanted.pid;
            complain(&format!(
                "no such run of process {pid} in these logs; those of other days are read with --since"
            ));
            return Findings {
                has_failures: true,
                unread,
            };
        };
        if found > 1 {
            let start = run.trace.start;
            complain(&format!(
                "{found} such runs of process {}; this is the last, of {start}; for another one give its time: {}@TIME",
                run.trace.pid, run.trace.pid
            ));
        }
        let records = run.trace.records.as_deref().unwrap_or_default();
        let _ = terminal::show(records, out);
        Findings {
            has_failures: run.has_failed(),
            unread,
        }
    }

    /// Gives each run that the filter lets through to `take`, those that have ended in the order of
    /// their ends.
    fn each_run(
        &self,
        inputs: &[Input],
        recorded: Option<u32>,
        mut take: impl FnMut(Run),
    ) -> (Unread, Remainder) {
        let running = Running::now();
        let mut assembler = Assembler::new(recorded);
        let mut foreign = 0;
        let mut finished = |run: Run| {
            if self.filter.lets_through(&run) {
                take(run);
            }
        };
        let unread = input::read(inputs, &mut |line| match line {
            Line::Record(record, line) => assembler.take(&record, line, &mut finished),
            Line::Foreign => foreign += 1,
            Line::Empty => {}
        });
        let orphans = assembler.unmatched;
        assembler.finish(|run| running.includes(run), &mut finished);
        (unread, Remainder { foreign, orphans })
    }
}

fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "remoteexe: {}", printable(message.as_bytes()));
}
