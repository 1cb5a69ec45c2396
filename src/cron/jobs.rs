//! The jobs of the crontabs: each call of remoteexe on a line, with all that decides when its START comes.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::{borrow::Cow, collections::HashSet, os::unix::ffi::OsStrExt, rc::Rc, time::Duration};

use super::calendar::dst::ClockInterval;
use super::calendar::slots::{self, DueMinute};
use super::calendar::zone::Zone;
use super::command::calls::{Mention, mentions, mentions_name};
use super::command::scripts::calling_script;
use super::command::wait::Wait;
use super::command::wrappers::Call;
use super::crontab::files::{Crontab, Crontabs, Trust};
use super::crontab::parse::CronLine;
use super::crontab::percent::ShellText;
use super::daemon::Daemon;
use super::timing::Timing;
use crate::escape::shortened;
use crate::exit::SuccessStatuses;

/// The meaning of a call of remoteexe, by the grammar of its command line.
pub enum CallMeaning {
    /// Runs a job.
    Job(JobCall),
    /// A usage error, logged with `job`.
    Refused { job: Vec<u8>, reason: String },
    /// Shows a report or a help text.
    NoJob,
}

pub struct JobCall {
    /// `HOST SCRIPT PARAMETERS`, as in START.
    pub name: Vec<u8>,
    pub log_dir: PathBuf,
    /// The wait between START and ssh.
    pub splay: Duration,
    pub identities: Vec<PathBuf>,
}

/// The variable with the exit statuses of scripts that are no failure.
const OK: &str = "REMOTEEXE_OK";

/// Parses the arguments of remoteexe, given its environment variables.
pub type ParseCall = fn(&[OsString], &[(OsString, OsString)]) -> CallMeaning;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LineRef {
    pub file: Rc<Path>,
    pub line: usize,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct CronJob {
    pub place: LineRef,
    /// As in START.
    pub job: Vec<u8>,
    /// None if the crontab does not name one.
    pub user: Option<String>,
    /// None for a call that is refused.
    pub log_dir: Option<PathBuf>,
    /// The wait between START and ssh.
    pub splay: Duration,
    pub timing: Timing,
    /// The time fields as written.
    pub schedule: String,
    /// The zone of cronie's `CRON_TZ`.
    pub zone: Option<Zone>,
    /// The time from a slot to START, including what cron itself may add.
    pub wait: Wait,
    /// The seconds after which a timeout(1) on the line ends the call.
    pub limit: Option<u64>,
    /// `TZ` is set for the call, so the log's times are not cron's.
    pub has_own_zone: bool,
    /// The line may skip a run on purpose, as behind `flock -n`.
    pub is_conditional: bool,
    /// The daemon skips the line while its last run goes on.
    pub waits_for_last: bool,
    /// The exit statuses that are no failure, by `REMOTEEXE_OK`.
    pub accepted: SuccessStatuses,
    /// The last change of the crontab, in seconds from 1970, if known.
    pub changed: Option<i64>,
    /// cron ignores the file because of its text, mode or owner, though the job was meant to run.
    pub is_ignored: bool,
    /// A cron daemon of this machine reads the file. Otherwise another machine's cron may, or another scheduler.
    pub is_of_cron: bool,
}

impl CronJob {
    pub fn host(&self) -> &[u8] {
        self.job.split(|byte| *byte == b' ').next().unwrap_or_default()
    }

    /// Gives `take` each slot in these intervals of the machine's clock.
    pub fn each_due_minute(&self, clock_intervals: &[ClockInterval], take: &mut impl FnMut(DueMinute)) {
        slots::each(&self.timing, self.zone.as_ref(), clock_intervals, take);
    }
}

pub struct UnknownCall {
    pub place: LineRef,
    pub reason: String,
}

#[derive(Default)]
pub struct CronJobs {
    /// Sorted by file and line, without files whose names cron ignores.
    pub entries: Vec<Rc<CronJob>>,
    pub unknown: Vec<UnknownCall>,
    pub commented_out: Vec<CommentedOut>,
}

/// A job on a line that is commented out with a `#`.
pub struct CommentedOut {
    pub place: LineRef,
    /// As START would have it.
    pub job: Vec<u8>,
    /// None if the crontab does not name one.
    pub user: Option<String>,
}

const MOST_CALLS_A_LINE: usize = 100;
/// The limit of bytes of time fields that are shown. crontab(1) accepts a field of any length.
const LONGEST_SCHEDULE: usize = 200;

/// A line that mentions remoteexe, with its calls.
pub struct Mentioning<'a> {
    pub line: &'a CronLine,
    /// The command as the shell gets it.
    pub shell: ShellText,
    pub mentions: Vec<Mention>,
}

/// The lines of a crontab that mention remoteexe, up to the limit of calls.
pub fn mentioning(crontab: &Crontab, daemon: Daemon) -> Vec<Mentioning<'_>> {
    let is_followed = crontab.trust == Trust::Full;
    mentioning_in(&crontab.contents.lines, daemon, crontab.trust.most_calls(), is_followed)
}

/// `is_followed`: scripts are looked into.
fn mentioning_in(lines: &[CronLine], daemon: Daemon, most: usize, is_followed: bool) -> Vec<Mentioning<'_>> {
    let mut left = most;
    let mut found = Vec::new();
    for line in lines {
        let mut line = mentions_of(line, daemon, is_followed);
        let calls = line.mentions.len();
        if calls == 0 {
            continue;
        }
        let (most, of) = if calls > left { (most, "crontab") } else { (MOST_CALLS_A_LINE, "line") };
        let is_over = calls > left;
        line.mentions.truncate(left.min(MOST_CALLS_A_LINE));
        if calls > line.mentions.len() {
            let reason = format!("more than {most} calls: the others in this {of} are not looked at");
            line.mentions.push(Err(reason));
        }
        left = left.saturating_sub(calls);
        found.push(line);
        if is_over {
            break;
        }
    }
    found
}

fn mentions_of(line: &CronLine, daemon: Daemon, is_followed: bool) -> Mentioning<'_> {
    let shell = ShellText::of(&line.command, daemon);
    let mut mentions = mentions(&shell.text, &line.variables);
    if mentions.is_empty() && shell.input.as_deref().is_some_and(mentions_name) {
        let reason = "an unescaped % ends the command before remoteexe";
        mentions.push(Err(reason.to_owned()));
    }
    let is_ours = line.user.as_deref().is_none_or(|user| user == b"root");
    if mentions.is_empty()
        && is_followed
        && is_ours
        && let Some(script) = calling_script(&shell.text, &line.variables)
    {
        let reason = format!("{} may run it, and is not read here", script.display());
        mentions.push(Err(reason));
    }
    Mentioning { line, shell, mentions }
}

pub fn meaning(call: &Call, line: &CronLine, parse: ParseCall) -> CallMeaning {
    let text = |bytes: &[u8]| OsStr::from_bytes(bytes).to_owned();
    let of_crontab = (!call.has_clean_environment).then(|| line.variables.all());
    let mut variables: Vec<_> =
        of_crontab.into_iter().flatten().map(|(name, value)| (OsString::from(name), text(value))).collect();
    for (name, value) in &call.variables {
        variables.retain(|(other, _)| other.as_bytes() != name);
        variables.push((text(name), text(value)));
    }
    parse(&call.words, &variables)
}

impl CronJobs {
    pub fn has_any(&self) -> bool {
        !(self.entries.is_empty() && self.unknown.is_empty() && self.commented_out.is_empty())
    }

    pub fn of(crontabs: &Crontabs, parse: ParseCall) -> Self {
        let mut jobs = Self::default();
        let taken = crontabs.read.iter().filter(|it| !it.has_ignored_name);
        for crontab in taken {
            let mut finder = JobFinder {
                crontab,
                file: crontab.path.as_path().into(),
                daemon: crontabs.cron.rules,
                parse,
                jobs: &mut jobs,
            };
            finder.add_lines();
            finder.add_commented_out();
        }
        let of_others = crontabs.of_others.iter().map(|(file, line)| UnknownCall {
            place: LineRef { file: file.as_path().into(), line: *line },
            reason: "another program than cron starts it".to_owned(),
        });
        jobs.unknown.extend(of_others);
        let on_a_line = jobs.entries.iter().map(|job| (&job.user, &*job.job));
        let on_a_line: HashSet<(&Option<String>, &[u8])> = on_a_line.collect();
        jobs.commented_out.retain(|off| !on_a_line.contains(&(&off.user, off.job.as_slice())));
        jobs
    }
}

struct JobFinder<'a> {
    crontab: &'a Crontab,
    file: Rc<Path>,
    daemon: Daemon,
    parse: ParseCall,
    jobs: &'a mut CronJobs,
}

impl JobFinder<'_> {
    fn add_lines(&mut self) {
        for Mentioning { line, mentions, .. } in mentioning(self.crontab, self.daemon) {
            let start = match line_start(line, self.daemon) {
                Ok(start) => start,
                Err(reason) => {
                    self.add_unknown(line, reason);
                    continue;
                }
            };
            for mention in mentions {
                match mention {
                    Ok(call) => self.add_call(&call, line, &start),
                    Err(reason) => self.add_unknown(line, reason),
                }
            }
        }
    }

    fn add_call(&mut self, call: &Call, line: &CronLine, (zone, latest): &(Option<Zone>, u64)) {
        let (job, log_dir, splay) = match meaning(call, line, self.parse) {
            CallMeaning::Job(job) => (job.name, Some(job.log_dir), job.splay),
            CallMeaning::Refused { job, .. } => (job, None, Duration::ZERO),
            CallMeaning::NoJob => return,
        };
        let crontab = self.crontab;
        self.jobs.entries.push(Rc::new(CronJob {
            place: self.line_ref(line),
            job,
            user: user(line, crontab),
            log_dir,
            splay,
            timing: line.timing,
            schedule: shortened(line.schedule().as_bytes(), LONGEST_SCHEDULE),
            zone: zone.clone(),
            wait: call.wait.then(Wait { least: 0, most: Some(*latest) }),
            limit: call.limit,
            has_own_zone: variable(call, line, "TZ").is_some_and(|value| !value.is_empty()),
            is_conditional: call.is_conditional,
            waits_for_last: self.daemon == Daemon::Busybox,
            accepted: accepted(call, line),
            changed: crontab.changed,
            is_ignored: crontab.rejection.is_some() || crontab.contents.is_ignored,
            is_of_cron: crontab.is_installed,
        }));
    }

    fn add_unknown(&mut self, line: &CronLine, reason: String) {
        let place = self.line_ref(line);
        self.jobs.unknown.push(UnknownCall { place, reason });
    }

    fn add_commented_out(&mut self) {
        let crontab = self.crontab;
        let lines = &crontab.contents.commented_out;
        let most = crontab.trust.most_calls();
        for Mentioning { line, mentions, .. } in mentioning_in(lines, self.daemon, most, false) {
            for call in mentions.into_iter().flatten() {
                if let CallMeaning::Job(JobCall { name: job, .. }) = meaning(&call, line, self.parse) {
                    let (place, user) = (self.line_ref(line), user(line, crontab));
                    self.jobs.commented_out.push(CommentedOut { place, job, user });
                }
            }
        }
    }

    fn line_ref(&self, line: &CronLine) -> LineRef {
        LineRef { file: Rc::clone(&self.file), line: line.number }
    }
}

/// The zone of a line, and the most seconds by which cronie may delay its start at random. Fails if they are unknown.
fn line_start(line: &CronLine, daemon: Daemon) -> Result<(Option<Zone>, u64), String> {
    let zone = own_zone(line, daemon)?.map(|(_, zone)| zone);
    let spread = line.timing.spread.ok_or("cron draws the day at random")?;
    Ok((zone, (random_delay(line, daemon) + u64::from(spread)) * 60))
}

/// The value of a variable: that of the call, or else of the crontab.
fn variable<'a>(call: &'a Call, line: &'a CronLine, name: &str) -> Option<&'a [u8]> {
    let own = call.variables.iter().rev().find(|(other, _)| other == name.as_bytes());
    own.map(|(_, value)| value.as_slice()).or_else(|| line.variables.get(name))
}

/// The statuses of `REMOTEEXE_OK`. None of them if the list is wrong.
pub fn accepted(call: &Call, line: &CronLine) -> SuccessStatuses {
    let list = variable(call, line, OK).and_then(|list| str::from_utf8(list).ok());
    list.and_then(|list| SuccessStatuses::parse(list).ok()).unwrap_or_default()
}

/// The user of a line: from its column, or the owner of the crontab.
pub fn user(line: &CronLine, crontab: &Crontab) -> Option<String> {
    line.user.as_deref().map(String::from_utf8_lossy).map(Cow::into_owned).or_else(|| crontab.owner.clone())
}

/// The name and the zone of `CRON_TZ`, which only cronie knows.
pub fn own_zone(line: &CronLine, daemon: Daemon) -> Result<Option<(String, Zone)>, String> {
    let name = line.variables.get("CRON_TZ").filter(|name| !name.is_empty() && daemon == Daemon::Cronie);
    let Some(name) = name.map(String::from_utf8_lossy) else { return Ok(None) };
    match Zone::named(&name) {
        Some(zone) => Ok(Some((name.into_owned(), zone))),
        None => Err(format!("CRON_TZ is '{name}', which is no time zone of this machine")),
    }
}

/// `RANDOM_DELAY` in minutes, which only cronie knows.
pub fn random_delay(line: &CronLine, daemon: Daemon) -> u64 {
    // cronie's own limit.
    const MOST: u64 = 24 * 60;
    if daemon != Daemon::Cronie {
        return 0;
    }
    let delay = line.variables.get("RANDOM_DELAY").and_then(|minutes| str::from_utf8(minutes).ok());
    delay.and_then(|minutes| minutes.trim().parse::<u64>().ok()).filter(|minutes| *minutes <= MOST).unwrap_or(0)
}
