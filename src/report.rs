//! `--report`: reads logs, assembles the runs in them, and shows them in one form.
//!
//! It understands the logs of remoteexe and of the bash original. It starts no program but a pager, and writes
//! no file but the one that it is told to replace.

pub mod diagnosis;
pub mod format;
pub mod history;
pub mod logs;
pub mod output;
pub mod query;
pub mod runs;
pub mod slots;

use std::io::{self, Write};

use chrono::{DateTime, Local, Timelike};

use crate::escape::printable;
use crate::exit;
use crate::machine::Running;
use format::{json, records};
use logs::open::{Input, InputError, Unread, Writers};
use logs::owner::Users;
use logs::scheduler::more_log_dirs;
use output::Output;
use query::basis::Basis;
use query::filter::Filter;
use query::{Form, Report, Source};
use runs::reading::Reading;
use slots::{Expected, Judged, Planned};

/// The parts of a report that its exit status depends on.
#[derive(Debug)]
pub struct Findings {
    has_failures: bool,
    reading: Reading,
}

impl Report {
    /// Prints the report on standard output, and errors on standard error.
    ///
    /// Returns the exit status: [`exit::SUCCESS`], [`exit::FOUND_FAILURES`] if a run failed or was lost,
    /// or [`exit::IO_ERROR`] if an input could not be read or the report could not be written.
    pub fn run(mut self, now: DateTime<Local>) -> u8 {
        let users = Users::read();
        let mut running = Running::now();
        let local = now.naive_local();
        // Records have whole seconds.
        let local = local.with_nanosecond(0).unwrap_or(local);
        let filter = self.filter_at(local);
        let planned = self.planned(&filter, &users);
        if let (Some(planned), Source::LogDirs(dirs)) = (&planned, &mut self.source)
            && self.follows_crontabs
        {
            let is_read = |uid| filter.reads_user(uid, &users);
            more_log_dirs(planned.log_dirs(&users, is_read), dirs);
        }
        let reach = self.reach(&filter.period, local);
        let days = running.days(|uid| uid == 0 || filter.reads_user(uid, &users));
        let logs = self.logs(&filter, reach, planned.as_ref(), &users, &days);
        let writers = Writers::of(&logs.inputs);
        running.keep(|uid| writers.include(uid));
        for (dir, reason) in &logs.empty_dirs {
            warn(&format!("{}: {reason}", dir.display()));
        }
        if let Source::LogDirs(dirs) = &self.source
            && dirs.len() == logs.empty_dirs.len()
        {
            return exit::IO_ERROR;
        }
        let is_unplanned = planned.as_ref().is_some_and(Planned::is_incomplete);
        let expected = planned.map(|planned| self.expected(planned, &filter, &users));
        let mut out = self.output();
        let basis = Basis {
            logs: &logs,
            filter,
            reach,
            users: &users,
            running: &running,
            now: local,
            zoned_now: now,
        };
        let findings = self.write(&basis, expected, &mut out);
        let written = out.finish();
        if let Err(error) = &written {
            warn(&format!("{}: {error}", self.output_name()));
        }
        let has_failures = findings.has_failures;
        if !self.form.has_remarks() {
            findings
                .reading
                .early
                .iter()
                .for_each(|remark| warn(remark));
        }
        let is_incomplete = tell(logs.refused, logs.more_refused, findings.reading);
        match has_failures {
            _ if written.is_err() || is_incomplete || is_unplanned => exit::IO_ERROR,
            _ if !logs.empty_dirs.is_empty() => exit::IO_ERROR,
            true => exit::FOUND_FAILURES,
            false => exit::SUCCESS,
        }
    }

    /// The jobs of the crontabs that are judged.
    fn expected(&self, planned: Planned, filter: &Filter, users: &Users) -> Expected {
        let is_read = |uid| filter.reads_user(uid, users);
        let judged = match &self.source {
            Source::Inputs(_) => Judged::All,
            Source::LogDirs(dirs) => Judged::In(dirs, &is_read),
        };
        Expected::new(planned, &judged, users)
    }

    fn write(&self, basis: &Basis, expected: Option<Expected>, out: &mut Output) -> Findings {
        if !self.form.has_remarks() {
            for line in basis.logs.left_out(basis.users) {
                warn(&line);
            }
        }
        match &self.form {
            Form::Text(shown) => self.text(*shown, basis, expected, out),
            Form::Html => self.html(basis, expected, out),
            Form::Json => self.documents(basis, expected, out),
            Form::Tsv => self.joblog(basis, out),
            Form::Run(wanted) => {
                self.one_run(wanted, basis, |run| out.write_records(records::of(run)))
            }
            Form::RunJson(wanted) => self.one_run(wanted, basis, |run| {
                out.write_line(&json::document_with_output(run, basis.users));
            }),
            Form::Prometheus => self.metrics(basis, expected, out),
        }
    }
}

/// Tells what else was found in the logs, and which were not read, and why: the `refused`, and so many more. Returns
/// whether that makes the report incomplete.
fn tell(refused: Vec<(Input, InputError)>, more_refused: u64, reading: Reading) -> bool {
    for remark in &reading.remarks {
        warn(remark);
    }
    let mut unread = Unread(refused);
    unread.0.extend(reading.unread);
    for (input, error) in &unread.0 {
        warn(&format!("{}: {error}", input.name()));
    }
    if more_refused > 0 {
        warn(&format!(
            "{more_refused} more logs are refused for the same reasons"
        ));
    }
    unread.is_incomplete()
}

fn warn(message: &str) {
    // There is nobody to tell if standard error is closed.
    let _ = writeln!(io::stderr(), "remoteexe: {}", printable(message.as_bytes()));
}
