//! Builds a history from runs as they end.

use std::rc::Rc;

use chrono::NaiveDateTime;
use foldhash::HashMap;

use super::kept_lines::KeptLines;
use super::scripts::Scripts;
use super::summary::UNKNOWN;
use super::tails::NewestTails;
use super::{History, HostId, JobId, KnownJob, RunFlag, RunSummary};
use crate::report::logs::owner::Account;
use crate::report::logs::scheduler::Scheduler;
use crate::report::runs::outcome::Outcome;
use crate::report::runs::run::{End, Run, first_word};

#[derive(Default)]
pub struct HistoryBuilder {
    history: History,
    jobs: HashMap<Account, HashMap<Rc<[u8]>, JobId>>,
    hosts: HashMap<Box<[u8]>, HostId>,
    scripts: Scripts,
    /// The time as of which the runs are judged, if not the end of the log.
    until: Option<NaiveDateTime>,
    /// The last lines of runs, if they are kept.
    tails: Option<NewestTails>,
    /// The jobs of crontabs that have not run.
    planned: HashMap<(Scheduler, Rc<[u8]>), JobId>,
}

impl HistoryBuilder {
    /// A history of the runs as they were just before `until`: a run that ended later was still going on. With
    /// `keeps_tails` the last lines of runs are kept too.
    pub fn new(until: Option<NaiveDateTime>, keeps_tails: bool) -> Self {
        Self { until, tails: keeps_tails.then(NewestTails::default), ..Self::default() }
    }

    /// Adds a job of a crontab. Such a job is never joined with the variants of its script. As the crontab may leave
    /// its user open, the job gets the first account of the scheduler that runs a job of this name.
    pub fn plan(&mut self, account: Account, name: &Rc<[u8]>) {
        let job = self.push_job(account, name, None);
        self.planned.insert((account.scheduler, Rc::clone(name)), job);
    }

    pub fn runs(&self) -> usize {
        self.history.runs.len()
    }

    /// Whether all jobs so far have one name.
    pub fn is_of_one_job(&self) -> bool {
        let jobs = &self.history.jobs;
        jobs.iter().all(|job| job.name == jobs[0].name)
    }

    /// Adds a run that started before `until`.
    pub fn add(&mut self, run: &Run) {
        let job = self.job(run);
        // A lost run with a record at `until` or later was still alive then.
        let is_open = |until: NaiveDateTime| run.trace.last >= until;
        let outcome = if self.until.is_some_and(is_open) { Outcome::Running } else { run.outcome() };
        let last = self.until.unwrap_or(run.trace.last).min(run.trace.last);
        let until = run.until().unwrap_or(last);
        let line = run.reason().filter(|_| outcome.is_bad());
        let line = line.map_or(KeptLines::NONE, |line| self.history.lines.add(line));
        let summary = RunSummary {
            job,
            pid: run.trace.pid,
            start: run.trace.start,
            begun: run.trace.begun.unwrap_or(last),
            last,
            until: self.until.unwrap_or(until).min(until),
            seconds: run
                .seconds()
                .filter(|_| outcome != Outcome::Running)
                .and_then(|seconds| u32::try_from(seconds).ok())
                .unwrap_or(UNKNOWN),
            line,
            outcome,
            flags: flags(run, self.until),
        };
        self.history.runs.push(&summary);
        if let Some(tails) = &mut self.tails {
            tails.add(&summary, &run.trace.kept);
        }
    }

    fn job(&mut self, run: &Run) -> JobId {
        let (account, name) = (run.trace.owner.job_account(), &run.trace.job);
        let known = self.jobs.entry(account).or_default().get(name);
        if let Some(job) = known.copied() {
            if let Some(script) = self.history.job(job).script_number {
                self.scripts.note_run(script);
            }
            return job;
        }
        let planned = self.planned.remove(&(account.scheduler, Rc::clone(name)));
        let job = if let Some(planned) = planned {
            self.history.jobs[planned as usize].account = account;
            planned
        } else {
            match self.scripts.add(account, name, self.next_job()) {
                Ok(script) => self.push_job(account, name, script),
                Err(first) => return first,
            }
        };
        self.jobs.entry(account).or_default().insert(Rc::clone(name), job);
        job
    }

    fn next_job(&self) -> JobId {
        JobId::try_from(self.history.jobs.len()).expect("memory holds fewer jobs")
    }

    fn push_job(&mut self, account: Account, name: &Rc<[u8]>, script_number: Option<u32>) -> JobId {
        let (job, host) = (self.next_job(), self.host(first_word(name)));
        let name = Rc::clone(name);
        self.history.jobs.push(KnownJob { name, account, host, script_number, has_variants: false });
        job
    }

    fn host(&mut self, name: &[u8]) -> HostId {
        if let Some(host) = self.hosts.get(name) {
            return *host;
        }
        let host = HostId::try_from(self.history.hosts.len()).expect("memory holds fewer hosts");
        self.history.hosts.push(name.into());
        self.hosts.insert(name.into(), host);
        host
    }

    /// Sorts the runs by job and START.
    pub fn finish(self) -> History {
        let mut history = self.history;
        drop(self.jobs);
        let new_ids = self.scripts.join(&mut history.jobs);
        if let Some(new_ids) = &new_ids {
            history.runs.renumber(new_ids);
        }
        let new_id = |job: JobId| new_ids.as_ref().map_or(job, |new_ids| new_ids[job as usize]);
        history.tails = self.tails.map(|tails| tails.finish(new_id)).unwrap_or_default();
        history.runs.sort();
        history.begins = (0..=history.jobs.len()).map(|job| history.runs.begin(job)).collect();
        history
    }
}

/// The flags of a run as it was just before `until`.
fn flags(run: &Run, until: Option<NaiveDateTime>) -> u16 {
    let is_dated = run.trace.pid_reused.is_some_and(|reused| until.is_none_or(|until| reused < until));
    let facts = [
        (RunFlag::Overlapped, run.is_overlapped()),
        (RunFlag::Ambiguous, run.trace.is_ambiguous),
        (RunFlag::ReachedHost, run.has_reached_host()),
        (RunFlag::HasCommand, run.trace.command.is_some()),
        (RunFlag::Retried, run.trace.retries > 0),
        (RunFlag::Accepted, run.is_accepted),
        (RunFlag::Dated, run.end == End::Lost && is_dated),
        (RunFlag::Silent, run.trace.kept.is_silent() && !run.trace.is_ambiguous),
        (RunFlag::HasRetries, run.trace.retries > 0 || run.trace.attempt.sequel.is_some()),
    ];
    facts.iter().filter(|(_, is_true)| *is_true).map(|(flag, _)| *flag as u16).sum()
}
