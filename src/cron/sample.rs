//! Crontabs of tests, without files.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use super::crontab::files::{Crontab, Crontabs, Trust};
use super::crontab::parse::{Columns, Contents};
use super::daemon::{Daemon, MachineCron};
use super::jobs::{CallMeaning, CronJobs, JobCall};

pub fn crontab(daemon: Daemon, text: &str) -> Crontab {
    Crontab {
        path: "crontab".into(),
        trust: Trust::Full,
        columns: Columns::System,
        owner: None,
        changed: None,
        rejection: None,
        is_installed: false,
        has_ignored_name: false,
        contents: Contents::parse(text.as_bytes(), Columns::System, daemon),
    }
}

/// The jobs of a system's crontab. A call has two words.
pub fn jobs(daemon: Daemon, text: &str) -> CronJobs {
    let crontabs = Crontabs {
        cron: MachineCron { rules: daemon, ..MachineCron::of(Path::new("/nowhere")) },
        read: vec![crontab(daemon, text)],
        left_out: Vec::new(),
        denied: None,
        of_others: Vec::new(),
    };
    CronJobs::of(&crontabs, parse)
}

fn parse(words: &[OsString], variables: &[(OsString, OsString)]) -> CallMeaning {
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    let job = words.join(&b' ');
    let log_dir = variables.iter().find(|(name, _)| name == "REMOTEEXE_LOG_DIR");
    match words.len() {
        2 => CallMeaning::Job(JobCall {
            name: job,
            log_dir: log_dir.map_or("/tmp".into(), |(_, dir)| dir.into()),
            splay: Duration::ZERO,
            identities: Vec::new(),
        }),
        _ => CallMeaning::Refused { job, reason: "two words are needed".to_owned() },
    }
}
