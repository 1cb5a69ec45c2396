//! Joins the jobs of a script on one host if its parameters change from run to run: a date, a number.

use std::{collections::HashMap, mem};

use super::jobs::{JobId, KnownJob, without_parameters};
use crate::report::logs::owner::Account;

/// More jobs of one script on one host are joined if most of them ran only once.
const MAX_VARIANTS: u32 = 50;
/// After this many jobs of a script, others are joined at once: a log may have any number of them.
const MAX_KNOWN: u32 = 1000;

/// The scripts with parameters, by host and user.
#[derive(Default)]
pub struct Scripts {
    numbers: HashMap<(Account, Box<[u8]>), u32>,
    all: Vec<ScriptVariants>,
}

/// A script on one host, with its first job, and the number of its jobs and their runs.
struct ScriptVariants {
    first: JobId,
    jobs: u32,
    runs: u32,
}

impl ScriptVariants {
    /// Whether the parameters change from run to run.
    fn has_variants(&self) -> bool {
        self.jobs > MAX_VARIANTS && self.runs < self.jobs.saturating_mul(2)
    }
}

impl Scripts {
    /// Notes another run of a job with this script.
    pub fn note_run(&mut self, script: u32) {
        self.all[script as usize].runs += 1;
    }

    /// Adds a new job with its first run, and returns the number of its script, if it has parameters. If the script has
    /// too many jobs already, returns its first job.
    pub fn add(&mut self, account: Account, name: &[u8], job: JobId) -> Result<Option<u32>, JobId> {
        let short = without_parameters(name);
        if short.len() == name.len() {
            return Ok(None);
        }
        let next = u32::try_from(self.all.len()).expect("there are fewer than jobs");
        let number = *self.numbers.entry((account, short.into())).or_insert(next);
        if number == next {
            self.all.push(ScriptVariants { first: job, jobs: 0, runs: 0 });
        }
        let script = &mut self.all[number as usize];
        script.runs += 1;
        if script.jobs >= MAX_KNOWN && script.has_variants() {
            return Err(script.first);
        }
        script.jobs += 1;
        Ok(Some(number))
    }

    /// Joins the jobs of scripts whose parameters change. Returns the new id of each job, or none if all stay.
    pub fn join(self, jobs: &mut Vec<KnownJob>) -> Option<Vec<JobId>> {
        if !self.all.iter().any(ScriptVariants::has_variants) {
            return None;
        }
        let mut new_ids: Vec<JobId> = Vec::with_capacity(jobs.len());
        for (id, mut job) in (0..).zip(mem::take(jobs)) {
            let script = job.script_number.map(|number| &self.all[number as usize]);
            let joined = script.filter(|script| script.has_variants());
            // The first job of a script comes before the others.
            if let Some(script) = joined.filter(|script| script.first != id) {
                new_ids.push(new_ids[script.first as usize]);
                continue;
            }
            if joined.is_some() {
                job.has_variants = true;
                job.name = without_parameters(&job.name).into();
            }
            new_ids.push(JobId::try_from(jobs.len()).expect("there are fewer than before"));
            jobs.push(job);
        }
        Some(new_ids)
    }
}
