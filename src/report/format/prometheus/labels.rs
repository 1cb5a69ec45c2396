//! The labels of a job, which must stay the same from run to run.
//!
//! `script` is the whole command with the parameters: `user_log.sh action` and `user_log.sh stop` fail independently,
//! and the first word of `timeout 300 /srv/sum.sh` means nothing. But a parameter such as `$(date +\%F)` would make a
//! new series each day, and an alert for each old one. So dates and long numbers are shown as `*`.

use crate::escape::printable;
use crate::report::history::constant_name::{Changing, constant_name};
use crate::report::logs::scheduler::Scheduler;
use crate::report::runs::run::first_word;

/// The most bytes of a label: Prometheus keeps each label in memory.
const MAX_NAME: usize = 1024;

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels {
    pub host: String,
    /// The other operands.
    pub script: String,
    /// None if there is only one scheduler.
    pub scheduler: Option<String>,
}

impl Labels {
    /// The labels of a job or a host, from the result of [`put_name`].
    pub fn of_name(name: &[u8], scheduler: Scheduler) -> Self {
        let host = first_word(name);
        let script = name.get(host.len() + 1..).unwrap_or_default();
        let scheduler = scheduler.name().map(|name| shown(name.as_bytes()));
        Self { host: shown(host), script: shown(script), scheduler }
    }

    pub fn pairs(&self) -> Vec<(&str, &str)> {
        let scheduler = self.scheduler.as_deref().map(|scheduler| ("scheduler", scheduler));
        [("host", &*self.host), ("script", &*self.script)].into_iter().chain(scheduler).collect()
    }

    /// The labels of a job, from all of its operands.
    pub fn of_job(job: &[u8], scheduler: Scheduler) -> Self {
        let mut name = Vec::new();
        put_name(job, &mut name);
        Self::of_name(&name, scheduler)
    }
}

/// Puts the part of a job's operands that becomes labels into `name`.
pub fn put_name(job: &[u8], name: &mut Vec<u8>) {
    constant_name(&job[..job.len().min(MAX_NAME)], Changing::DatesAndNumbers, name);
}

/// Bytes of a log as the value of a label: in UTF-8, because otherwise `node_exporter` drops the whole file, and
/// without control characters. An escaped character is longer, so the label is cut again.
pub fn shown(bytes: &[u8]) -> String {
    let mut label = printable(bytes);
    let mut most = label.len().min(MAX_NAME);
    while !label.is_char_boundary(most) {
        most -= 1;
    }
    label.truncate(most);
    label
}
