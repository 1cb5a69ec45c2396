//! What each job did last, in memory that grows with the jobs and not with their runs.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDateTime;

use super::labels::{Labels, constant_name};
use crate::report::run::{End, Run, first_word};

/// More jobs than these of one script on one host are one job: their parameters change.
const MAX_VARIANTS: u32 = 50;

/// What jobs with the same labels did last. Times are local.
#[derive(Debug, Default, Clone, Copy)]
pub struct Job {
    /// The last START.
    pub start: Option<NaiveDateTime>,
    /// The last END of a good run.
    pub success: Option<NaiveDateTime>,
    /// The last END.
    pub completion: Option<Completion>,
    /// The number of runs that go on.
    pub running: u32,
}

/// The end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Completion {
    /// The local time of END.
    pub end: NaiveDateTime,
    /// The exit status.
    pub status: u8,
    /// The seconds that the run took, if they are known.
    pub seconds: Option<u64>,
}

/// The local time at which each host was last reached.
pub type Hosts = BTreeMap<Box<[u8]>, NaiveDateTime>;

/// What all jobs did last, while runs are read.
#[derive(Debug, Default)]
pub struct Latest {
    jobs: HashMap<Box<[u8]>, Job>,
    /// How many jobs there are of one script on one host.
    variants: HashMap<Box<[u8]>, u32>,
    hosts: Hosts,
    /// The name of the run that is added.
    name: Vec<u8>,
}

impl Latest {
    /// Adds a run.
    pub fn add(&mut self, run: &Run) {
        self.job(run).add(run);
        if run.has_reached_host() {
            let host = run.host();
            match self.hosts.get_mut(host) {
                Some(reached) => *reached = run.trace.last.max(*reached),
                None => _ = self.hosts.insert(host.into(), run.trace.last),
            }
        }
    }

    fn job(&mut self, run: &Run) -> &mut Job {
        constant_name(&run.trace.job, &mut self.name);
        if !self.jobs.contains_key(&*self.name) {
            let script = first_two_words(&self.name);
            let variants = self.variants.entry(script.into()).or_default();
            *variants = variants.saturating_add(1);
            if *variants > MAX_VARIANTS {
                self.name.truncate(script.len());
            }
        }
        self.jobs.entry(self.name.as_slice().into()).or_default()
    }

    /// What the jobs did last by their labels, and when the hosts were last reached.
    pub fn finish(self) -> (BTreeMap<Labels, Job>, Hosts) {
        let mut jobs: BTreeMap<Labels, Job> = BTreeMap::new();
        for (name, job) in self.jobs {
            let script = first_two_words(&name);
            let are_many = |variants: &u32| *variants > MAX_VARIANTS;
            let labels = if self.variants.get(script).is_some_and(are_many) {
                let mut labels = Labels::of_constant_name(script);
                labels.script.push_str(" …");
                labels
            } else {
                Labels::of_constant_name(&name)
            };
            jobs.entry(labels).or_default().join(&job);
        }
        (jobs, self.hosts)
    }
}

impl Job {
    fn add(&mut self, run: &Run) {
        let end = run.ended();
        self.join(&Self {
            start: Some(run.trace.start),
            success: end.filter(|_| run.is_good()),
            completion: end.zip(run.end.status()).map(|(end, status)| Completion {
                end,
                status,
                seconds: run.seconds(),
            }),
            running: u32::from(run.end == End::Running),
        });
    }

    fn join(&mut self, other: &Self) {
        self.start = self.start.max(other.start);
        self.success = self.success.max(other.success);
        self.completion = self.completion.max(other.completion);
        self.running += other.running;
    }
}

/// `HOST SCRIPT` of a job.
fn first_two_words(name: &[u8]) -> &[u8] {
    let host = first_word(name).len();
    let script = first_word(name.get(host + 1..).unwrap_or_default()).len();
    &name[..name.len().min(host + 1 + script)]
}
