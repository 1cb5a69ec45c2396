//! Takes runs as they end, and puts them into a ledger.

use std::collections::HashMap;
use std::mem;
use std::rc::Rc;

use chrono::NaiveDateTime;

use super::lines::Lines;
use super::{Entry, HostId, Job, JobId, Ledger, Mark, Marks, UNKNOWN, script};
use crate::report::outcome::Outcome;
use crate::report::run::Run;

/// More jobs than these of one script on one host are one job if most of them run but once: their
/// parameters are a date or a number.
const MAX_VARIANTS: u32 = 50;

/// A ledger that is being filled.
#[derive(Debug, Default)]
pub struct Collector {
    ledger: Ledger,
    jobs: HashMap<(Option<u32>, Rc<[u8]>), JobId>,
    hosts: HashMap<Box<[u8]>, HostId>,
    /// The time at which the runs are looked at, if not at the end of the log.
    until: Option<NaiveDateTime>,
}

impl Collector {
    /// A ledger of the runs as they were just before `until`. What ended later was going on.
    pub fn new(until: Option<NaiveDateTime>) -> Self {
        Self {
            until,
            ..Self::default()
        }
    }

    /// Adds a run that started before that time.
    pub fn add(&mut self, run: &Run) {
        let job = self.job(run);
        let is_open = |until: NaiveDateTime| run.ended().is_some_and(|end| end >= until);
        let outcome = if self.until.is_some_and(is_open) {
            Outcome::Running
        } else {
            run.outcome()
        };
        let last = self.until.unwrap_or(run.trace.last).min(run.trace.last);
        let until = run.until().unwrap_or(last);
        let line = self.line(run, outcome);
        self.ledger.runs.push(Entry {
            job,
            pid: run.trace.pid,
            start: run.trace.start,
            last,
            until: self.until.unwrap_or(until).min(until),
            seconds: run
                .seconds()
                .filter(|_| outcome != Outcome::Running)
                .and_then(|seconds| u32::try_from(seconds).ok())
                .unwrap_or(UNKNOWN),
            line,
            outcome,
            marks: marks(run),
        });
    }

    fn job(&mut self, run: &Run) -> JobId {
        let uid = run.trace.owner.uid;
        let key = (uid, Rc::clone(&run.trace.job));
        if let Some(job) = self.jobs.get(&key) {
            return *job;
        }
        let job = JobId::try_from(self.ledger.jobs.len()).expect("no memory has so many jobs");
        let host = self.host(run.host());
        self.ledger.jobs.push(Job {
            name: Rc::clone(&run.trace.job),
            uid,
            host,
            variants: None,
            range: 0..0,
        });
        self.jobs.insert(key, job);
        job
    }

    fn host(&mut self, name: &[u8]) -> HostId {
        if let Some(host) = self.hosts.get(name) {
            return *host;
        }
        let host = HostId::try_from(self.ledger.hosts.len()).expect("no memory has so many hosts");
        self.ledger.hosts.push(name.into());
        self.hosts.insert(name.into(), host);
        host
    }

    /// The number of the line that tells most of a bad run.
    fn line(&mut self, run: &Run, outcome: Outcome) -> u32 {
        let line = run.telling_line().filter(|_| outcome.is_bad());
        line.map_or(Lines::NONE, |line| self.ledger.lines.add(line))
    }

    /// Ends the ledger: puts the runs in the order of their jobs and STARTs.
    pub fn finish(mut self) -> Ledger {
        drop(mem::take(&mut self.jobs));
        drop(mem::take(&mut self.hosts));
        let mut ledger = self.ledger;
        join_variants(&mut ledger);
        ledger
            .runs
            .sort_unstable_by_key(|run| (run.job, run.start, run.until, run.pid));
        let mut begin = 0;
        for runs in ledger.runs.chunk_by(|one, other| one.job == other.job) {
            ledger.jobs[runs[0].job as usize].range = begin..begin + runs.len();
            begin += runs.len();
        }
        ledger
    }
}

/// The jobs of one script on one host.
struct Variants {
    first: JobId,
    jobs: u32,
    runs: u32,
}

impl Variants {
    /// Whether the parameters change from run to run.
    fn change(&self) -> bool {
        self.jobs > MAX_VARIANTS && self.runs < self.jobs.saturating_mul(2)
    }
}

fn marks(run: &Run) -> Marks {
    let facts = [
        (Mark::Overlapped, run.is_overlapped()),
        (Mark::Ambiguous, run.trace.is_ambiguous),
        (Mark::ReachedHost, run.has_reached_host()),
        (Mark::HasCommand, run.trace.command.is_some()),
        (Mark::Retried, run.trace.retries > 0),
    ];
    let marks = facts.iter().filter(|(_, is_true)| *is_true);
    Marks(marks.map(|(mark, _)| *mark as u8).sum())
}

/// Makes one job of the jobs of one script on one host whose parameters change from run to run.
fn join_variants(ledger: &mut Ledger) {
    let mut runs_of = vec![0_u32; ledger.jobs.len()];
    for run in &ledger.runs {
        runs_of[run.job as usize] += 1;
    }
    let mut scripts: HashMap<(Option<u32>, &[u8]), Variants> = HashMap::new();
    let mut firsts = Vec::with_capacity(ledger.jobs.len());
    for (id, job) in (0..).zip(&ledger.jobs) {
        let key = (job.uid, without_parameters(&job.name));
        let variants = scripts.entry(key).or_insert(Variants {
            first: id,
            jobs: 0,
            runs: 0,
        });
        variants.jobs += 1;
        variants.runs = variants.runs.saturating_add(runs_of[id as usize]);
        firsts.push(variants.first);
    }
    let changing = scripts.into_values().filter(Variants::change);
    let joined: HashMap<JobId, u32> = changing.map(|it| (it.first, it.jobs)).collect();
    if joined.is_empty() {
        return;
    }
    let mut places = Vec::with_capacity(firsts.len());
    let mut jobs: Vec<Job> = Vec::new();
    let mut place_of_first: HashMap<JobId, JobId> = HashMap::new();
    for ((id, first), mut job) in (0..).zip(firsts).zip(mem::take(&mut ledger.jobs)) {
        let place = JobId::try_from(jobs.len()).expect("there are fewer than before");
        match joined.get(&first) {
            Some(_) if id != first => places.push(place_of_first[&first]),
            variants => {
                if let Some(variants) = variants {
                    place_of_first.insert(first, place);
                    job.variants = Some(*variants);
                    job.name = without_parameters(&job.name).into();
                }
                places.push(place);
                jobs.push(job);
            }
        }
    }
    for run in &mut ledger.runs {
        run.job = places[run.job as usize];
    }
    ledger.jobs = jobs;
}

/// The first two operands: `HOST SCRIPT`.
fn without_parameters(name: &[u8]) -> &[u8] {
    let script = script(name);
    let parameters = script.iter().position(|&byte| byte == b' ');
    &name[..name.len() - parameters.map_or(0, |blank| script.len() - blank)]
}
