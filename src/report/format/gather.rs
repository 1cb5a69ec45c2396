//! Gathers a report: notes each run as it is read, and collects what the format needs.

use std::cell::{Cell, OnceCell};
use std::collections::HashSet;

use chrono::{NaiveDateTime, TimeDelta};
use rustix::fs::statvfs;

use super::{Expected, MissedStarts, Needs, Report, Run, Scope, Tally};
use crate::report::diagnosis::watch::samples::Samples;
use crate::report::diagnosis::watch::{Watch, older};
use crate::report::history::builder::HistoryBuilder;
use crate::report::history::older_logs::OlderLogs;
use crate::report::logs::excerpt::ReadBudget;
use crate::report::logs::find::Logs;
use crate::report::logs::open::{InputError, is_incomplete};
use crate::report::logs::scheduler::LogDir;
use crate::report::output::warn;
use crate::report::query::Query;
use crate::report::query::filter::{Filter, Period};
use crate::report::query::suggestions::Suggestions;
use crate::report::query::window::Window;
use crate::report::runs::assembler::{FullLog, Reading};
use crate::report::runs::reading::ReadClock;
use crate::report::slots::check::Coverage;
use crate::report::slots::check::Timeframe;
use crate::report::slots::{Planned, not_made_up};
use crate::{clock::latest_shown, machine::Machine};

/// How far the clock of a record may be ahead of ours.
const TOLERANCE: TimeDelta = TimeDelta::seconds(10);
/// Earlier days are read for the only wanted job until there are this many runs, and at most this many days.
const ENOUGH_RUNS: usize = 7;
const MAX_DAYS_BACK: usize = 35;
/// A job without a START on this many earlier days is new.
const MAX_DAYS_OF_NEW: usize = 7;

pub struct Gatherer<'a> {
    query: &'a Query,
    window: &'a Window,
    needs: Needs,
    machine: &'a Machine,
    /// The first local time of the future.
    end_of_time: NaiveDateTime,
    expected: Option<Expected>,
    builder: Option<HistoryBuilder>,
    /// The runs for Watch.
    samples: Option<Samples>,
    coverage: Coverage,
    suggestions: Vec<Suggestions>,
}

impl<'a> Gatherer<'a> {
    pub fn new(
        query: &'a Query,
        window: &'a Window,
        needs: Needs,
        machine: &'a Machine,
        crontabs: Option<Planned>,
    ) -> Self {
        let dirs = query.source.dirs();
        let expected = crontabs.map(|planned| Expected::new(planned, dirs, &window.filter, &machine.users));
        let builder = needs.history.then(|| {
            let until = window.filter.period.until.filter(|_| needs.as_of_end);
            let mut builder = HistoryBuilder::new(until, needs.tails);
            for job in expected.iter().flat_map(Expected::wanted) {
                builder.plan(job.account(), &job.name);
            }
            builder
        });
        let mut suggestions = Suggestions::of(&query.filter);
        for name in expected.iter().flat_map(Expected::names) {
            for suggestions in &mut suggestions {
                suggestions.add(name);
            }
        }
        Self {
            query,
            window,
            needs,
            machine,
            end_of_time: end_of_time(query, window, machine),
            expected,
            builder,
            samples: needs.watch.then(Samples::default),
            coverage: Coverage::default(),
            suggestions,
        }
    }

    /// The time to compare records with. A format without a history shows records of any time.
    pub fn clock(&self) -> ReadClock {
        ReadClock { now: self.machine.now, end: if self.needs.history { self.end_of_time } else { NaiveDateTime::MAX } }
    }

    pub fn expected(&self) -> Option<&Expected> {
        self.expected.as_ref()
    }

    /// Notes a run, whether it passes the filter or not.
    pub fn note(&mut self, run: &mut Run) {
        self.coverage.entry(run.trace.owner.scheduler).or_default().add(run.trace.start);
        for suggestions in &mut self.suggestions {
            suggestions.add(&run.trace.job);
        }
        self.accept(run);
        let (filter, until) = (&self.window.filter, self.window.filter.period.until.filter(|_| self.needs.as_of_end));
        // Of all jobs: a job may fail after another job, and may have had another date in its name on an earlier day.
        if let Some(samples) = self.samples.as_mut().filter(|_| filter.has_begun(run) && filter.has_user(run)) {
            samples.add(run, until);
        }
        if !self.window.diagnoses(run) {
            return;
        }
        let has_come = run.trace.start < self.end_of_time;
        if let Some(expected) = self.expected.as_mut().filter(|_| has_come) {
            expected.add(run);
        }
        if let Some(builder) = self.builder.as_mut().filter(|_| filter.is_known(run)) {
            builder.add(run);
        }
    }

    /// Accepts the exit status of a run, if the query or a line of the run's job does.
    fn accept(&self, run: &mut Run) {
        let is_of_line = match (&self.expected, run.end.status()) {
            (Some(expected), Some(status @ 1..)) => expected.accepts(run, status),
            _ => false,
        };
        run.accept(|status| is_of_line || self.query.accepted.0.contains(&status));
    }

    pub fn finish(mut self, mut read: Reading, logs: &'a Logs) -> Report<'a> {
        if read.forgotten > 0 {
            warn(&format!("left out: the {} oldest runs without END; there are too many to keep", read.forgotten));
        }
        let older = self.older_logs(logs);
        let mut builder = self.builder.take();
        if let (Some(builder), Some(older)) = (&mut builder, &older) {
            self.look_back(builder, older);
            if older.files.get() > 0 && builder.runs() > 0 {
                self.suggestions.retain(|it| it.is_host);
            }
        }
        let mut history = builder.map(HistoryBuilder::finish).unwrap_or_default();
        let scope = self.scope(history.latest().max(read.latest));
        if let Some(older) = older.as_ref().filter(|_| self.needs.baseline) {
            older.add_good_runs(&mut history, &scope, &|run| self.accept(run));
        }
        // No user's log changes the report about another user's jobs.
        let users = &self.machine.users;
        read.back.retain(|back| back.uid.is_none_or(|uid| !users.is_other_user(uid)));
        // The check frees the STARTs of all runs before Watch needs memory.
        let mut missed = self.check(&read, &scope, logs);
        let watch = self.watch(logs);
        for finding in watch.idle() {
            history.set_idle(finding.account, &finding.job, finding.since);
        }
        let crontabs = self.expected.take();
        if let Some(expected) = &crontabs {
            leave_out_new_jobs(&mut missed, expected, older.as_ref());
            let is_asked = self.needs.slots && self.needs.baseline && !self.needs.is_news && scope.is_live;
            if let Some(older) = older.as_ref().filter(|_| is_asked) {
                let budget = ReadBudget::new(logs.size());
                missed.gaps.extend(not_made_up::gaps(expected, &missed, older, budget));
            }
        }
        read.merged.files += older.map_or(0, |older| older.files.get());
        missed.full = self.full_now(&read);
        missed.full.append(&mut read.full);
        missed.back.append(&mut read.back);
        Report {
            query: self.query,
            machine: self.machine,
            filter: &self.window.filter,
            logs,
            read,
            suggestions: self.suggestions.iter().filter_map(Suggestions::remark).collect(),
            tally: Tally::of(&history, &scope),
            scope,
            history,
            missed,
            crontabs,
            watch,
            periods: OnceCell::new(),
        }
    }

    /// Compares the last runs of each job with earlier runs, also from older logs.
    fn watch(&mut self, logs: &Logs) -> Watch {
        let Some(mut samples) = self.samples.take() else { return Watch::default() };
        let from = self.window.read_from.filter(|_| self.query.source.dirs().is_some());
        if let Some(from) = from {
            let (read, files) = (logs.read_files().collect(), Cell::default());
            let older = OlderLogs { known: &logs.known, read, from, machine: self.machine, files };
            older::add(&mut samples, &older, &self.window.filter, logs.size(), &|run| self.accept(run));
        }
        for job in &mut samples.jobs {
            job.limit = self.expected.as_ref().and_then(|expected| expected.limit(job.account, &job.name));
        }
        Watch::of(samples)
    }

    /// The log directories of this machine on a disk that is full now. They count as full since the last record.
    fn full_now(&self, read: &Reading) -> Vec<FullLog> {
        let dirs = self.query.source.dirs().unwrap_or_default();
        let is_full = |dir: &&LogDir| !dir.scheduler.is_remote() && statvfs(&dir.path).is_ok_and(|it| it.f_bfree == 0);
        let full = dirs.iter().filter(is_full).map(|dir| FullLog {
            scheduler: dir.scheduler,
            since: read.latest,
            until: self.machine.now,
        });
        full.collect()
    }

    /// The period to diagnose, given the time of the last record.
    fn scope(&self, latest: Option<NaiveDateTime>) -> Scope {
        let Filter { period: Period { until, .. }, host, job, .. } = &self.window.filter;
        let after = latest.map(|latest| latest + TimeDelta::seconds(1));
        // Only the logs in the log directories continue until now.
        let reads_dirs = self.query.source.dirs().is_some();
        let live = reads_dirs.then_some(self.machine.now);
        let after = after.filter(|after| !reads_dirs || *after <= self.end_of_time);
        let end = live.max(after).unwrap_or(self.machine.now);
        let now = until.unwrap_or(end).min(end);
        Scope {
            since: self.window.since.unwrap_or(NaiveDateTime::MIN),
            now,
            is_live: reads_dirs && self.machine.now - now < TimeDelta::minutes(1),
            boot: self.machine.running.boot,
            has_all_jobs: host.is_none() && job.is_none(),
        }
    }

    /// Adds earlier runs of the only wanted job, until there are enough: the job may run once a week.
    fn look_back(&self, builder: &mut HistoryBuilder, older: &OlderLogs) {
        let Filter { job, period, .. } = &self.query.filter;
        if !self.needs.looks_back || job.is_none() || period.since.is_some() || !builder.is_of_one_job() {
            return;
        }
        for logs in older.earlier_days().into_values().rev().take(MAX_DAYS_BACK) {
            if builder.runs() >= ENOUGH_RUNS {
                break;
            }
            older.read_day(logs, |mut run| {
                self.accept(&mut run);
                if self.window.filter.is_known(&run) {
                    builder.add(&run);
                }
            });
        }
    }

    /// The logs that are older than the logs that were read, if there are log directories.
    fn older_logs(&self, logs: &'a Logs) -> Option<OlderLogs<'a>> {
        let from = self.window.diagnosed_from()?;
        self.query.source.dirs()?;
        // Without `history_from`, all runs of the logs that were read are in the history.
        let is_whole = self.window.history_from.is_none();
        let read = logs.read_files().filter(|_| is_whole).collect();
        Some(OlderLogs { known: &logs.known, read, from, machine: self.machine, files: Cell::default() })
    }

    /// Compares the slots with the STARTs, if the format needs that. Nothing is missing if some logs could not be read.
    fn check(&mut self, read: &Reading, scope: &Scope, logs: &Logs) -> MissedStarts {
        let Some(expected) = self.expected.as_mut().filter(|_| self.needs.slots) else {
            return MissedStarts::default();
        };
        let unread = read.merged.unread.iter().chain(&logs.refused);
        // If another user's file has the name of a log, the records are in another file, which is read.
        let unread = unread.filter(|(_, error)| !matches!(error, InputError::Stranger(_)));
        if is_incomplete(unread) {
            return MissedStarts::default();
        }
        expected.check(&Timeframe {
            scope,
            is_news: self.needs.is_news,
            read_from: self.window.diagnosed_from(),
            first_days: &logs.first_days,
            coverage: &self.coverage,
            back: &read.back,
        })
    }
}

/// The first local time of the future, in a report of log directories. A period that ends later has no such limit.
fn end_of_time(query: &Query, window: &Window, machine: &Machine) -> NaiveDateTime {
    if query.source.dirs().is_none() {
        return NaiveDateTime::MAX;
    }
    let end = latest_shown(machine.zoned_now) + TOLERANCE;
    window.filter.period.until.map_or(end, |until| until.max(end))
}

/// Leaves out the gaps of jobs whose line seems to be new: there is no START in older logs either.
fn leave_out_new_jobs(missed: &mut MissedStarts, expected: &Expected, older: Option<&OlderLogs>) {
    let gaps = missed.gaps.iter().filter(|gap| gap.may_be_new);
    let mut new: HashSet<u32> = gaps.map(|gap| gap.slots[0].job).collect();
    if let Some(older) = older.filter(|_| !new.is_empty()) {
        for logs in older.earlier_days().into_values().rev().take(MAX_DAYS_OF_NEW) {
            older.read_day(logs, |run| {
                let place = expected.place(&run);
                place.and_then(|place| u32::try_from(place).ok()).map(|job| new.remove(&job));
            });
        }
    }
    missed.gaps.retain(|gap| !gap.may_be_new || !new.contains(&gap.slots[0].job));
}
