//! `--report`: reads logs, assembles the runs in them, and shows them in one form.
//!
//! It understands the logs of remoteexe and of the bash original. It starts no program but a pager, and writes
//! no file but the one that it is told to replace.

mod accepted;
mod assembler;
mod batch;
mod coverage;
mod crontab;
mod decompress;
mod diagnosis;
mod directory;
mod expected;
mod expecting;
mod file_name;
mod filter;
mod html;
mod incident;
mod input;
mod joblog;
mod json;
mod ledger;
mod look_back;
mod merge;
mod missing;
mod nearest;
mod outcome;
mod outputs;
mod owner;
mod pager;
mod period;
mod process;
mod prometheus;
mod reader;
mod reading;
mod records;
mod replacement;
mod run;
mod running;
mod scheduler;
mod scope;
mod splitter;
mod style;
mod tail;
mod tally;
mod terminal;
mod text;
mod time;
mod trace;
mod when;

use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;

use chrono::{DateTime, Local, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

use crate::escape::printable;
use crate::exit;
use diagnosis::Scope;
use directory::{Choice, Logs};
use expected::{Expected, Judged, Planned};
use expecting::wanted_jobs;
use input::{InputError, Unread};
use ledger::Collector;
use prometheus::LOOK_BACK;
use reading::Reading;
use records::Search;
use replacement::Access;
use run::Run;
use running::Running;
use style::Style;
use tally::Tally;
use terminal::Output;
use text::{Answer, Crontabs, Remarks, View};

pub use accepted::Accepted;
pub use crontab::{CrontabForm, CrontabReport};
pub use expected::CrontabSource;
pub use file_name::is_like_log;
pub use filter::Filter;
pub use input::Input;
pub use owner::Users;
pub use period::Period;
pub use records::Wanted;
use scheduler::more_log_dirs;
pub use scheduler::{LogDir, log_dirs};
pub use style::ColorChoice;
pub use text::Question;
pub use when::{StartTime, is_clock_alone, is_day_alone, parse as parse_time};

/// A request for a report.
#[derive(Debug)]
pub struct Report {
    /// The logs to read.
    pub source: Source,
    /// The crontabs that say what should have run.
    pub crontabs: Option<CrontabSource>,
    /// The log directories of the crontabs' jobs are read too: none was given.
    pub follows_crontabs: bool,
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
    /// The file that it replaces, if it does not go to standard output.
    pub file: Option<PathBuf>,
}

/// The logs to read.
#[derive(Debug)]
pub enum Source {
    /// These inputs.
    Inputs(Vec<Input>),
    /// The logs in these directories that may have records of the period.
    LogDirs(Vec<LogDir>),
}

/// The form of a report.
#[derive(Debug)]
pub enum Form {
    /// The answer to a question, for a person.
    Text(Shown),
    /// A page for a browser.
    Html,
    /// One JSON document on a line for each run.
    Json,
    /// One line for each run, in the columns of GNU parallel's joblog.
    Tsv,
    /// The records of one run.
    Run(Wanted),
    /// One JSON document of one run, with all its output.
    RunJson(Wanted),
    /// Gauges for Prometheus.
    Prometheus,
}

/// What a person is shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// The question.
    pub question: Question,
    /// Healthy jobs and hosts are listed too.
    pub all: bool,
}

impl Form {
    /// Whether it shows incidents, not only runs.
    fn has_incidents(&self) -> bool {
        match self {
            Self::Text(shown) => matches!(shown.question, Question::Wrong | Question::Changes),
            Self::Html | Self::Prometheus => true,
            Self::Json | Self::Tsv | Self::Run(_) | Self::RunJson(_) => false,
        }
    }
}

/// How much time before the period is read: a run that was lost may be dead only in the period, and what is wrong
/// may have begun before.
const HISTORY: TimeDelta = TimeDelta::days(1);

/// The parts of a report that its exit status depends on.
#[derive(Debug)]
struct Findings {
    has_failures: bool,
    reading: Reading,
}

/// What is read, what is wanted of it, and by whom.
struct Basis<'a> {
    logs: &'a Logs,
    /// With the period that is meant if none was given.
    filter: Filter,
    /// The time from which on logs are read, if the period has a beginning.
    reach: Option<NaiveDateTime>,
    users: &'a Users,
    running: &'a Running,
    /// The local time.
    now: NaiveDateTime,
    /// The same with its zone.
    zoned_now: DateTime<Local>,
}

impl Basis<'_> {
    /// The same, as if no logs of the time before `reach` were read.
    fn since(&self, reach: Option<NaiveDateTime>) -> Self {
        Self {
            filter: self.filter.clone(),
            reach: reach.or(self.reach),
            ..*self
        }
    }
}

impl Report {
    /// Prints the report on standard output, and errors on standard error.
    ///
    /// Returns the exit status: [`exit::SUCCESS`], [`exit::FOUND_FAILURES`] if a run failed or was lost,
    /// or [`exit::IO_ERROR`] if an input could not be read or the report could not be written.
    pub fn run(mut self, now: DateTime<Local>) -> u8 {
        let users = Users::read();
        let running = Running::now();
        let local = now.naive_local();
        // Records have whole seconds.
        let local = local.with_nanosecond(0).unwrap_or(local);
        let filter = self.filter_at(local);
        let planned = self.planned();
        if let (Some(planned), Source::LogDirs(dirs)) = (&planned, &mut self.source)
            && self.follows_crontabs
        {
            let is_read = |uid| filter.reads_user(uid, &users);
            more_log_dirs(planned.log_dirs(&users, is_read), dirs);
        }
        let reach = self.reach(&filter.period, local);
        let logs = self.logs(&filter, reach, planned.as_ref(), &users, &running);
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
        let is_incomplete = tell(logs.refused, logs.more_refused, findings.reading);
        match has_failures {
            _ if written.is_err() || is_incomplete || is_unplanned => exit::IO_ERROR,
            _ if !logs.empty_dirs.is_empty() => exit::IO_ERROR,
            true => exit::FOUND_FAILURES,
            false => exit::SUCCESS,
        }
    }

    /// The logs to read.
    fn logs(
        &self,
        filter: &Filter,
        reach: Option<NaiveDateTime>,
        planned: Option<&Planned>,
        users: &Users,
        running: &Running,
    ) -> Logs {
        let mut logs = match &self.source {
            Source::Inputs(inputs) => Logs::of(inputs.clone()),
            Source::LogDirs(dirs) => {
                let choice = Choice {
                    since: reach,
                    until: filter.period.until,
                    user: filter.user,
                    days: &running.days(),
                };
                directory::logs(dirs, &choice, users)
            }
        };
        if self.follows_crontabs && logs.empty_dirs.len() == 1 {
            // The crontabs have led to others, and it is only the usual one.
            self.forget_usual_dir(planned, &mut logs);
        }
        logs
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

    fn output(&self) -> Output {
        // A page is no text for a pager.
        let is_paged = self.is_paged && !matches!(self.form, Form::Html);
        // node_exporter reads gauges as a user of its own. A page may show what not all may read.
        let access = match self.form {
            Form::Prometheus => Access::All,
            _ => Access::AsBefore,
        };
        let file = self.file.as_deref().map(|file| (file, access));
        Output::new(is_paged, file)
    }

    fn output_name(&self) -> String {
        let file = self.file.as_ref().map(|file| file.display().to_string());
        file.unwrap_or_else(|| "standard output".to_owned())
    }

    /// The filter at the local time `now`: without a period, the log directories are asked for today, or for what
    /// jobs did last.
    fn filter_at(&self, now: NaiveDateTime) -> Filter {
        let mut filter = self.filter.clone();
        let Period { since, until } = filter.period;
        if (since, until) == (None, None) && matches!(self.source, Source::LogDirs(_)) {
            filter.period.since = match self.form {
                Form::Prometheus => now.checked_sub_signed(LOOK_BACK),
                _ => Some(midnight(now)),
            };
        }
        filter
    }

    /// The time from which on logs are read, if the period has a beginning.
    fn reach(&self, period: &Period, now: NaiveDateTime) -> Option<NaiveDateTime> {
        let since = period.since?;
        let usual = midnight(since).checked_sub_signed(HISTORY)?;
        match self.form {
            Form::Text(Shown {
                question: Question::Comparison,
                ..
            }) => {
                let until = period.until.unwrap_or(now);
                Some(usual.min(since.checked_sub_signed(until - since)?))
            }
            _ => Some(usual),
        }
    }

    fn write(&self, basis: &Basis, expected: Option<Expected>, out: &mut Output) -> Findings {
        if !matches!(self.form, Form::Text(_) | Form::Html) {
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

    fn text(
        &self,
        shown: Shown,
        basis: &Basis,
        expected: Option<Expected>,
        out: &mut Output,
    ) -> Findings {
        // A list of runs has their ends. What is wrong at the end of a period does not depend on what came later.
        let until = basis.filter.period.until;
        let collector = Collector::new(until.filter(|_| shown.question != Question::Runs));
        self.viewed(collector, shown.all, basis, expected, out, |view| {
            view.answer(shown.question, Style::of_stdout(self.color))
        })
    }

    fn html(&self, basis: &Basis, expected: Option<Expected>, out: &mut Output) -> Findings {
        let collector = Collector::new(basis.filter.period.until).with_tails();
        self.viewed(collector, false, basis, expected, out, html::page)
    }

    /// Fills the ledger with all runs of the period and before and with what is missing, and writes what `show` makes
    /// of it.
    fn viewed(
        &self,
        mut collector: Collector,
        all: bool,
        basis: &Basis,
        mut expected: Option<Expected>,
        out: &mut Output,
        show: impl FnOnce(&View) -> Answer,
    ) -> Findings {
        let wanted = wanted_jobs(expected.as_ref(), &basis.filter);
        collector.keep_apart(wanted.iter().map(|(_, name)| Rc::clone(name)));
        let mut expect = |run: &Run| {
            if let Some(expected) = &mut expected {
                expected.add(run);
            }
        };
        let reading = self.each_run(
            basis,
            None,
            |_| true,
            |run| {
                if basis.filter.has_begun(&run) {
                    expect(&run);
                }
                if basis.filter.is_known(&run) {
                    collector.add(&run);
                }
            },
        );
        let scope = self.scope(collector.latest().max(reading.latest), basis);
        for (account, name) in &wanted {
            collector.expect(*account, name);
        }
        let mut ledger = collector.finish();
        let mut files = reading.files;
        if self.form.has_incidents() {
            files += self.look_back(&mut ledger, &scope, basis);
        }
        let mut crontabs = Crontabs::default();
        if let Some(expected) = &mut expected {
            crontabs = self.judge(expected, &mut ledger, &reading, &scope, basis, all);
        }
        let mut said = vec![scope::describe(self, files, basis.users)];
        said.extend(basis.logs.left_out(basis.users));
        let view = View {
            ledger: &ledger,
            scope,
            tally: Tally::of(&ledger, &scope),
            users: basis.users,
            remarks: Remarks {
                unrecognized: reading.unrecognized,
                unmatched: reading.unmatched,
                scope: said,
            },
            all,
            is_job_asked: basis.filter.job.is_some(),
            failed_only: basis.filter.failed,
            crontabs,
        };
        let answer = show(&view);
        out.write(answer.text.as_bytes());
        Findings {
            has_failures: answer.is_bad,
            reading,
        }
    }

    /// The time that a diagnosis of logs is about whose last record has the time `latest`.
    fn scope(&self, latest: Option<NaiveDateTime>, basis: &Basis) -> Scope {
        let Period { since, until } = basis.filter.period;
        let after = latest.map(|latest| latest + TimeDelta::seconds(1));
        // Only the logs in the log directories go on until now.
        let is_here = matches!(self.source, Source::LogDirs(_));
        let live = is_here.then_some(basis.now);
        let end = live.max(after).unwrap_or(basis.now);
        let now = until.unwrap_or(end).min(end);
        Scope {
            since: since.unwrap_or(NaiveDateTime::MIN),
            now,
            is_live: is_here && basis.now - now < TimeDelta::minutes(1),
            boot: basis.running.boot,
        }
    }

    fn joblog(&self, basis: &Basis, out: &mut Output) -> Findings {
        out.write_line(joblog::TITLES);
        self.lines(basis, out, joblog::line)
    }

    /// Writes one line for each run. `line` is given the run and its number, the first being 1.
    fn lines(
        &self,
        basis: &Basis,
        out: &mut Output,
        line: impl Fn(u64, &Run) -> String,
    ) -> Findings {
        let mut has_failures = false;
        let mut number = 0;
        let matches = |run: &Run| basis.filter.matches(run);
        let reading = self.each_run(basis, None, matches, |run| {
            has_failures |= run.has_failed();
            if basis.filter.shows(&run) {
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
    fn one_run(&self, wanted: &Wanted, basis: &Basis, show: impl FnOnce(&Run)) -> Findings {
        let mut search = Search::new(wanted);
        let matches = |run: &Run| basis.filter.matches(run);
        let reading = self.each_run(basis, Some(wanted.pid), matches, |run| {
            if basis.filter.shows(&run) {
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

/// The beginning of a day.
fn midnight(time: NaiveDateTime) -> NaiveDateTime {
    time.date().and_time(NaiveTime::MIN)
}

fn warn(message: &str) {
    // There is nobody to tell if standard error is closed.
    let _ = writeln!(io::stderr(), "remoteexe: {}", printable(message.as_bytes()));
}
