//! Suggests similar names for a host or a job that was not found.

use std::collections::HashSet;

use memchr::memmem;
use strsim::jaro_winkler;

use super::filter::Filter;
use crate::escape::printable;
use crate::report::runs::run::first_word;

/// The most different names that are compared. A hostile log must not take unlimited memory and time.
const MAX_NAMES: usize = 10_000;
/// The most bytes of a name that are compared.
const MAX_COMPARED: usize = 200;
/// The most names in one message.
const MAX_SUGGESTED: usize = 3;
/// The least similarity of a suggestion. 1 means equal.
const NEAR: f64 = 0.8;

/// Collects the names most similar to the host or job that is sought.
pub struct Suggestions {
    sought: Vec<u8>,
    /// Whether a host is sought, and not a text in a job.
    pub is_host: bool,
    /// The host whose jobs are compared. None for all hosts.
    on: Option<Vec<u8>>,
    is_found: bool,
    seen: HashSet<Box<[u8]>>,
    /// The most similar first.
    nearest: Vec<(f64, String)>,
}

impl Suggestions {
    /// Suggestions for the host and for the job of the filter, as far as these were given.
    pub fn of(filter: &Filter) -> Vec<Self> {
        let near = |sought: &Option<Vec<u8>>, is_host: bool| {
            let (is_found, seen, nearest) = (false, HashSet::new(), Vec::new());
            let on = filter.host.clone().filter(|_| !is_host);
            Some(Self { sought: sought.clone()?, is_host, on, is_found, seen, nearest })
        };
        let (host, job) = (near(&filter.host, true), near(&filter.job, false));
        host.into_iter().chain(job).collect()
    }

    /// Compares a job, or its host. As `--job` finds any text in a job, each word of the job is compared too.
    pub fn add(&mut self, job: &[u8]) {
        if self.is_host {
            let host = first_word(job);
            self.is_found |= self.sought == host;
            return self.compare(host, similarity);
        }
        if self.on.as_ref().is_some_and(|host| host != first_word(job)) {
            return;
        }
        self.is_found = self.is_found || memmem::find(job, &self.sought).is_some();
        self.compare(job, |sought, job| {
            let parts = job.split(|&byte| byte == b' ' || byte == b'/').chain([job]).take(MAX_COMPARED);
            parts.map(|part| similarity(sought, part)).fold(0.0, f64::max)
        });
    }

    fn compare(&mut self, name: &[u8], similarity: impl Fn(&[u8], &[u8]) -> f64) {
        if self.is_found || self.seen.len() >= MAX_NAMES || self.seen.contains(name) {
            return;
        }
        self.seen.insert(name.into());
        let similarity = similarity(&self.sought, name);
        if similarity >= NEAR {
            let place = self.nearest.partition_point(|(other, _)| *other >= similarity);
            self.nearest.insert(place, (similarity, printable(cut(name))));
            self.nearest.truncate(MAX_SUGGESTED);
        }
    }

    /// A message with the names to try. None if a name matched, or if there was none to compare.
    pub fn remark(&self) -> Option<String> {
        let what = if self.is_host { "host" } else { "job with" };
        if self.is_found || self.seen.is_empty() {
            return None;
        }
        let sought = printable(&self.sought);
        let names: Vec<&str> = self.nearest.iter().map(|(_, name)| &**name).collect();
        Some(if names.is_empty() {
            format!("no {what} '{sought}' in these logs or crontabs, nor one like it")
        } else {
            format!("no {what} '{sought}' in these logs or crontabs; the nearest: {}", names.join(", "))
        })
    }
}

fn similarity(one: &[u8], other: &[u8]) -> f64 {
    let [one, other] = [one, other].map(|name| String::from_utf8_lossy(cut(name)).to_lowercase());
    jaro_winkler(&one, &other)
}

fn cut(name: &[u8]) -> &[u8] {
    &name[..name.len().min(MAX_COMPARED)]
}
