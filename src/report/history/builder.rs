//! Adds runs to a history as they end.

use std::collections::{HashMap, HashSet};
use std::mem;
use std::rc::Rc;

use chrono::NaiveDateTime;

use super::kept_lines::KeptLines;
use super::scripts::Scripts;
use super::tails::Tails;
use super::{History, HostId, JobId, KnownJob, RunFlag, RunFlags, RunSummary, UNKNOWN};
use crate::report::logs::owner::Account;
use crate::report::runs::outcome::Outcome;
use crate::report::runs::run::{End, Run, first_word};

#[derive(Debug, Default)]
pub struct HistoryBuilder {
    history: History,
    jobs: HashMap<Account, HashMap<Rc<[u8]>, JobId>>,
    hosts: HashMap<Box<[u8]>, HostId>,
    scripts: Scripts,
    /// The time as of which the runs are judged, if not the end of the log.
    until: Option<NaiveDateTime>,
    keeps_tails: bool,
    /// Jobs that are never joined with the variants of their script.
    own: HashSet<Rc<[u8]>>,
}

impl HistoryBuilder {
    /// A history of the runs as they were just before `until`: a run that ended later was still going on. With
    /// `keeps_tails` the last lines of runs are kept too.
    pub fn new(until: Option<NaiveDateTime>, keeps_tails: bool) -> Self {
        Self { until, keeps_tails, ..Self::default() }
    }

    /// Never joins these jobs with the variants of their script: crontabs have lines for them.
    pub fn keep_apart(&mut self, jobs: impl IntoIterator<Item = Rc<[u8]>>) {
        self.own.extend(jobs);
    }

    /// Adds a job without a run, unless the history has the job.
    fn expect(&mut self, account: Account, name: &Rc<[u8]>) {
        let mut jobs = self.jobs.iter();
        if !jobs.any(|(it, jobs)| it.scheduler == account.scheduler && jobs.contains_key(name)) {
            self.add_job(account, name);
        }
    }

    /// The number of runs so far.
    pub fn runs(&self) -> usize {
        self.history.runs.len()
    }

    /// Whether these jobs and those that have run are one job at most.
    pub fn is_of_one_job(&self, wanted: &[(Account, Rc<[u8]>)]) -> bool {
        let names = self.history.jobs.iter().map(|job| &job.name);
        let names: HashSet<&[u8]> =
            names.chain(wanted.iter().map(|(_, name)| name)).map(|it| &**it).collect();
        names.len() <= 1
    }

    /// Adds a run, unless it started after `until`.
    pub fn add(&mut self, run: &Run) {
        let job = self.job(run);
        // A lost run with a record of that time or later was still alive.
        let is_open = |until: NaiveDateTime| run.trace.last >= until;
        let outcome =
            if self.until.is_some_and(is_open) { Outcome::Running } else { run.outcome() };
        let last = self.until.unwrap_or(run.trace.last).min(run.trace.last);
        let until = run.until().unwrap_or(last);
        let line = self.line(run, outcome);
        let tail = if self.keeps_tails {
            let is_good = outcome == Outcome::Good;
            self.history.tails.add(job, is_good, &run.trace.kept)
        } else {
            Tails::NONE
        };
        self.history.runs.push(RunSummary {
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
            tail,
            outcome,
            flags: flags(run, self.until),
        });
    }

    fn job(&mut self, run: &Run) -> JobId {
        let account = run.trace.owner.job_account();
        let known = self.jobs.entry(account).or_default().get(&run.trace.job);
        if let Some(job) = known.copied() {
            if let Some(script) = self.scripts.of_job(job) {
                script.runs += 1;
            }
            return job;
        }
        self.add_job(account, &run.trace.job)
    }

    fn add_job(&mut self, account: Account, name: &Rc<[u8]>) -> JobId {
        let job = JobId::try_from(self.history.jobs.len()).expect("no memory has so many jobs");
        if self.own.contains(name) {
            self.scripts.add_own();
        } else if let Some(first) = self.scripts.add(account, name, job) {
            return first;
        }
        let host = self.host(first_word(name));
        let place = self.account(account);
        self.history.jobs.push(KnownJob {
            name: Rc::clone(name),
            account_index: place,
            host,
            has_variants: false,
        });
        let jobs = self.jobs.entry(account).or_default();
        jobs.insert(Rc::clone(name), job);
        job
    }

    fn account(&mut self, account: Account) -> u32 {
        let accounts = &mut self.history.accounts;
        let known = accounts.iter().position(|known| *known == account);
        let place = known.unwrap_or_else(|| {
            accounts.push(account);
            accounts.len() - 1
        });
        u32::try_from(place).expect("there are fewer than users and directories")
    }

    fn host(&mut self, name: &[u8]) -> HostId {
        if let Some(host) = self.hosts.get(name) {
            return *host;
        }
        let host = HostId::try_from(self.history.hosts.len()).expect("no memory has so many hosts");
        self.history.hosts.push(name.into());
        self.hosts.insert(name.into(), host);
        host
    }

    /// Keeps the most informative line of a bad run, and returns its number.
    fn line(&mut self, run: &Run, outcome: Outcome) -> u32 {
        let line = run.reason().filter(|_| outcome.is_bad());
        line.map_or(KeptLines::NONE, |line| self.history.lines.add(line))
    }

    pub fn latest(&self) -> Option<NaiveDateTime> {
        self.history.latest()
    }

    /// Adds the `wanted` jobs that have no run, and sorts the runs by job and START.
    pub fn finish(mut self, wanted: &[(Account, Rc<[u8]>)]) -> History {
        for (account, name) in wanted {
            self.expect(*account, name);
        }
        let scripts = mem::take(&mut self.scripts);
        let mut history = self.history;
        drop(self.jobs);
        scripts.join(&mut history);
        history.runs.sort_unstable_by_key(|run| (run.job, run.start, run.until, run.pid));
        history.begins = vec![0; history.jobs.len() + 1];
        for run in &history.runs {
            history.begins[run.job as usize + 1] += 1;
        }
        for job in 0..history.jobs.len() {
            history.begins[job + 1] += history.begins[job];
        }
        history
    }
}

/// The flags of a run as it was just before `until`.
fn flags(run: &Run, until: Option<NaiveDateTime>) -> RunFlags {
    let is_seen = |reused| until.is_none_or(|until| reused < until);
    let is_dated = run.trace.pid_reused.is_some_and(is_seen);
    let facts = [
        (RunFlag::Overlapped, run.is_overlapped()),
        (RunFlag::Ambiguous, run.trace.is_ambiguous),
        (RunFlag::ReachedHost, run.has_reached_host()),
        (RunFlag::HasCommand, run.trace.command.is_some()),
        (RunFlag::Retried, run.trace.retries > 0),
        (RunFlag::Accepted, run.is_accepted),
        (RunFlag::Dated, run.end == End::Lost && is_dated),
        (RunFlag::Silent, run.trace.kept.is_silent()),
        (RunFlag::HasRetries, run.trace.retries > 0 || run.trace.attempt.sequel.is_some()),
    ];
    let set = facts.iter().filter(|(_, is_true)| *is_true);
    RunFlags(set.map(|(flag, _)| *flag as u16).sum())
}
