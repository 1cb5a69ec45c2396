//! `--report`: reads logs and crontabs, finds out what happened and what is wrong, and shows that in one format.
//!
//! Understands the logs of remoteexe and of the bash original. Starts only a pager, and writes only the report's file.

pub mod diagnosis;
pub mod format;
pub mod history;
pub mod logs;
pub mod output;
pub mod query;
pub mod runs;
pub mod slots;

use chrono::{DateTime, Local};

use crate::{exit, machine::Machine};
use format::gather::Gatherer;
use format::html::Html;
use format::joblog::Joblog;
use format::json::Json;
use format::lint::Lint;
use format::prometheus::Prometheus;
use format::records::OneRun;
use format::rerun::Rerun;
use format::text::Text;
use format::upcoming::Upcoming;
use format::{Format, Needs};
use logs::find::{self, Logs};
use logs::open::{is_incomplete, writers};
use logs::scheduler::{more_log_dirs, unite};
use output::{ReportOutput, warn};
use query::window::Window;
use query::{Form, LogSource, Query};
use runs::assembler::Reading;
use runs::reading;
use slots::Planned;

impl Query {
    /// Answers the query on standard output or in a file, and prints errors on standard error. Returns the exit status:
    /// [`exit::SUCCESS`], [`exit::FOUND_FAILURES`] if a run failed or was lost or a crontab has a fault,
    /// [`exit::USAGE_ERROR`] if the host or the job is in no log and on no line, or [`exit::IO_ERROR`] if an input
    /// could not be read or the report could not be written.
    pub fn run(mut self, now: DateTime<Local>) -> u8 {
        let machine = Machine::at(now);
        let mut format = self.format(&machine);
        let needs = format.needs();
        let window = Window::of(&self, needs.reach, machine.now);
        let mut problems = IoProblems::default();
        let crontabs = self.read_crontabs(&needs, &window, &machine);
        problems.is_incomplete |= crontabs.as_ref().is_some_and(Planned::is_incomplete);
        self.follow_crontabs(crontabs.as_ref(), &window, &machine);
        let logs = self.find_logs(&window, crontabs.as_ref(), &machine);
        problems.note_empty(&logs);
        if self.source.dirs().is_some_and(|dirs| logs.empty_dirs.len() == dirs.len()) {
            return problems.exit_status(false, false);
        }
        if needs.warns_of_left_out {
            logs.left_out(&machine.users).iter().for_each(|line| warn(line));
        }
        let mut out = self.output(&needs);
        let mut gatherer = Gatherer::new(&self, &window, needs, &machine, crontabs);
        format.begin(gatherer.expected(), &mut out);
        let inputs = &logs.inputs;
        machine.running.keep(writers(inputs));
        let clock = gatherer.clock();
        let read = reading::read(inputs, &machine.running, clock, needs.records_of, |mut run| {
            gatherer.note(&mut run);
            if window.filter.matches(&run) && window.filter.shows(&run) {
                format.run(run, &mut out);
            }
        });
        let report = gatherer.finish(read, &logs);
        if needs.warns_of_left_out {
            report.read.early.iter().for_each(|line| warn(line));
        }
        let is_bad = format.finish(&report, &mut out) || self.watch_counts && report.watched().next().is_some();
        if let Err(error) = out.finish() {
            problems.note(&format!("{}: {error}", self.output_name()));
        }
        report.suggestions.iter().for_each(|line| warn(line));
        problems.note_unread(&logs, &report.read);
        problems.exit_status(is_bad, !report.suggestions.is_empty())
    }

    /// The only place that knows all formats.
    fn format<'a>(&self, machine: &'a Machine) -> Box<dyn Format + 'a> {
        let users = &machine.users;
        match &self.form {
            Form::Text(query) => Box::new(Text { query: *query, color: self.color }),
            Form::Html => Box::new(Html),
            Form::Json => Box::new(Json { users, is_bad: false }),
            Form::Tsv => Box::new(Joblog::default()),
            Form::Run(id, is_json) => Box::new(OneRun::new(id, is_json.then_some(users))),
            Form::Prometheus => Box::new(Prometheus::new(machine.zoned_now)),
            Form::Check => Box::new(Lint),
            Form::Next => Box::new(Upcoming),
            Form::Rerun => Box::new(Rerun),
        }
    }

    fn read_crontabs(&self, needs: &Needs, window: &Window, machine: &Machine) -> Option<Planned> {
        let source = self.crontabs.as_ref().filter(|_| needs.crontabs || needs.slots)?;
        let users = &machine.users;
        let is_asked = |uid| needs.crontabs || window.filter.reads_user(uid, users);
        let planned = Planned::read(source, users, is_asked);
        if planned.is_given || needs.crontabs {
            for left_out in &planned.crontabs.left_out {
                warn(&format!("left out: {}", left_out.shown("")));
            }
        }
        Some(planned)
    }

    /// Adds the log directories of the crontabs' jobs, if the user gave none. If the user gave both directories and
    /// crontabs, a directory that no cron of this machine logs to belongs to a worker of another scheduler.
    fn follow_crontabs(&mut self, crontabs: Option<&Planned>, window: &Window, machine: &Machine) {
        let (Some(planned), LogSource::LogDirs(dirs)) = (crontabs, &mut self.source) else { return };
        if self.follows_crontabs {
            more_log_dirs(planned.log_dirs(&window.filter, &machine.users), dirs);
        } else if planned.is_given {
            unite(dirs, |dir| !planned.is_of_cron(dir));
        }
    }

    fn find_logs(&self, window: &Window, crontabs: Option<&Planned>, machine: &Machine) -> Logs {
        let dirs = match &self.source {
            LogSource::Inputs(inputs) => return Logs::of(inputs.clone()),
            LogSource::LogDirs(dirs) => dirs,
        };
        let is_read = |uid| uid == 0 || window.filter.reads_user(uid, &machine.users);
        let mut logs = find::logs(dirs, window, &machine.running.days(is_read), &machine.users);
        // The usual directory may be empty if the crontabs' jobs log elsewhere.
        if let (Some(planned), [usual, _, ..]) = (crontabs, dirs.as_slice())
            && self.follows_crontabs
            && logs.empty_dirs.len() == 1
            && !planned.logs_to(&usual.path)
        {
            logs.empty_dirs.retain(|(dir, _)| *dir != usual.path);
        }
        logs
    }

    fn output(&self, needs: &Needs) -> ReportOutput {
        let file = self.file.clone().map(|file| (file, needs.is_public));
        ReportOutput::new(self.is_paged && needs.is_paged, file)
    }
}

/// Whether something could not be read or written. `note` prints each problem at once.
#[derive(Default)]
struct IoProblems {
    is_incomplete: bool,
}

impl IoProblems {
    fn note(&mut self, problem: &str) {
        warn(problem);
        self.is_incomplete = true;
    }

    fn note_empty(&mut self, logs: &Logs) {
        for (dir, reason) in &logs.empty_dirs {
            self.note(&format!("{}: {reason}", dir.display()));
        }
    }

    fn note_unread(&mut self, logs: &Logs, read: &Reading) {
        let unread = logs.refused.iter().chain(&read.merged.unread);
        for (input, error) in unread.clone() {
            warn(&format!("{}: {error}", input.name()));
        }
        if logs.more_refused > 0 {
            let more = logs.more_refused;
            warn(&format!("{more} more logs are refused for the same reasons"));
        }
        self.is_incomplete |= is_incomplete(unread);
    }

    /// An unknown host or job is a usage error, unless an input that could not be read may have it.
    fn exit_status(&self, is_bad: bool, is_unknown_name: bool) -> u8 {
        match (is_unknown_name, is_bad) {
            _ if self.is_incomplete => exit::IO_ERROR,
            (true, _) => exit::USAGE_ERROR,
            (false, true) => exit::FOUND_FAILURES,
            (false, false) => exit::SUCCESS,
        }
    }
}
