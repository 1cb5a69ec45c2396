//! The labels of a job, which must not be new with each run.
//!
//! `script` is the whole command with the parameters: `user_log.sh action` and `user_log.sh stop` fail independently,
//! and the first word of `timeout 300 /srv/sum.sh` means nothing. But a parameter such as `$(date +\%F)` would make a
//! new series each day, and an alert for each old one. So dates and long numbers are shown as `*`.

use std::ops::Range;

use crate::escape::printable;
use crate::report::logs::scheduler::Scheduler;
use crate::report::runs::run::first_word;

/// In bytes. Prometheus keeps each label in memory.
const MAX_NAME: usize = 1024;

/// A number of this many digits is a date, a time or a counter.
const LONG: usize = 8;

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels {
    pub host: String,
    /// The other operands.
    pub script: String,
    /// None if there is only one.
    pub scheduler: Option<String>,
}

impl Labels {
    /// The labels of a job or a host, from the result of [`constant_name`].
    pub fn of_constant_name(name: &[u8], scheduler: Scheduler) -> Self {
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
        constant_name(job, &mut name);
        Self::of_constant_name(&name, scheduler)
    }
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

/// Puts into `name` the part of a job's operands that is the same in all its runs.
pub fn constant_name(job: &[u8], name: &mut Vec<u8>) {
    name.clear();
    let job = &job[..job.len().min(MAX_NAME)];
    let (host, mut rest) = job.split_at(first_word(job).len());
    name.extend_from_slice(host);
    while let Some(Range { start, end }) = changing(rest) {
        name.extend_from_slice(&rest[..start]);
        name.push(b'*');
        rest = &rest[end..];
    }
    name.extend_from_slice(rest);
}

/// The range of the first date, time with seconds or long number in `text`, with the time after a date.
fn changing(text: &[u8]) -> Option<Range<usize>> {
    let mut at = 0;
    while at < text.len() {
        let digits = digits(&text[at..]);
        if digits == 0 {
            at += 1;
            continue;
        }
        let rest = &text[at..];
        if digits >= LONG || has_shape(rest, b"0000-00-00") || has_shape(rest, b"00:00:00") {
            let is_part = |byte: &u8| byte.is_ascii_digit() || b"-:.,+TZ_".contains(byte);
            let length = rest.iter().take_while(|byte| is_part(byte)).count();
            let end = rest[..length].iter().rposition(u8::is_ascii_digit);
            return Some(at..at + end.map_or(length, |end| end + 1));
        }
        at += digits;
    }
    None
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Whether `text` begins as `shape`, in which a 0 stands for any digit.
fn has_shape(text: &[u8], shape: &[u8]) -> bool {
    let is_like = |(byte, shape): (&u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        shape => byte == shape,
    };
    text.len() >= shape.len() && text.iter().zip(shape).all(is_like)
}
