//! What the crontabs expect of the logs that are read.
//!
//! A line is judged if its job logs to a directory that is read, and if the logs of its user are read. So a machine's
//! crontabs say nothing about the logs of another one.

pub mod check;
pub mod coverage;
pub mod expecting;
pub mod missed;
pub mod summary;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use chrono::NaiveDateTime;
use foldhash::{HashMap, HashMapExt};

use super::logs::owner::{Account, Users};
use super::logs::scheduler::{LogDir, Scheduler, are_same};
use super::runs::run::{Run, first_word};
use crate::cron::{CronJob, CronJobs, CrontabSelection, Crontabs, Finding, ParseCall, findings};
use summary::summary;

/// A job on more lines is not judged. Only a hostile crontab has one.
const MAX_LINES: usize = 100;

/// The crontabs that a report of logs goes by.
#[derive(Debug)]
pub struct CrontabSource {
    /// Which crontabs.
    pub selection: CrontabSelection,
    /// Reads the calls of remoteexe in them.
    pub grammar: ParseCall,
}

/// The crontabs, read.
#[derive(Debug)]
pub struct Planned {
    /// The files.
    pub crontabs: Crontabs,
    /// Their lines.
    pub plan: CronJobs,
    /// They were named on the command line.
    pub is_given: bool,
    grammar: ParseCall,
}

impl Planned {
    /// Reads the crontabs.
    pub fn read(source: &CrontabSource) -> Self {
        let crontabs = Crontabs::read(&source.selection);
        let plan = CronJobs::of(&crontabs, source.grammar);
        Self {
            crontabs,
            plan,
            is_given: matches!(source.selection, CrontabSelection::Files(_)),
            grammar: source.grammar,
        }
    }

    /// The directories that its jobs log to, of the users for whom `is_read` is true.
    pub fn log_dirs(&self, users: &Users, is_read: impl Fn(u32) -> bool) -> BTreeSet<PathBuf> {
        let entries = self.plan.entries.iter();
        let entries = entries.filter(|entry| is_of_user(entry, users, &is_read));
        entries.filter_map(log_dir).map(Path::to_owned).collect()
    }

    /// Whether a crontab that was asked for could not be read.
    pub fn is_incomplete(&self) -> bool {
        self.is_given && !self.crontabs.left_out.is_empty()
    }

    /// What `--check` would find.
    pub fn findings(&self, users: &Users) -> Vec<Finding> {
        findings(&self.crontabs, self.grammar, &|name| users.has_name(name))
    }
}

/// The log directory of an entry. One that is relative depends on the user's home.
fn log_dir(entry: &CronJob) -> Option<&Path> {
    entry.log_dir.as_deref().filter(|dir| dir.is_absolute())
}

/// Whether the logs of the entry's user are read. The crontab may not tell the user.
fn is_of_user(entry: &CronJob, users: &Users, is_read: &impl Fn(u32) -> bool) -> bool {
    match &entry.user {
        Some(name) => users.uid(name).is_some_and(is_read),
        None => true,
    }
}

/// A job on lines of crontabs.
#[derive(Debug)]
pub struct Job {
    /// The scheduler to whose logs it belongs.
    pub scheduler: Scheduler,
    /// Its user, if the crontab tells.
    pub uid: Option<u32>,
    /// Its operands, as START has them.
    pub name: Rc<[u8]>,
    /// Its lines, by their places in the plan.
    pub lines: Vec<usize>,
    /// Its STARTs. They are seconds of local time.
    starts: Vec<i64>,
    /// When the run of each ended, the last possible time if it goes on. Only lines that may leave out a run need it.
    ends: Vec<(i64, i64)>,
    /// Whether a line may leave out a run.
    is_conditional: bool,
}

impl Job {
    /// Its host: the first operand.
    pub fn host(&self) -> &[u8] {
        first_word(&self.name)
    }

    /// Whose job it is in the ledger.
    pub fn account(&self) -> Account {
        Account {
            scheduler: self.scheduler,
            uid: self.uid,
        }
    }
}

/// Which lines are judged.
pub enum Judged<'a> {
    /// All, as the logs were named one by one.
    All,
    /// Those that log to these directories, of the users whose logs are read.
    In(&'a [LogDir], &'a dyn Fn(u32) -> bool),
}

/// The jobs that are expected, and the STARTs that have come.
#[derive(Debug)]
pub struct Expected {
    /// The crontabs.
    pub planned: Planned,
    /// The jobs that are judged.
    pub jobs: Vec<Job>,
    /// How many lines are not: they log elsewhere or in a time zone of their own, belong to other users, or are too
    /// many for one job.
    unjudged: usize,
    /// The places of the jobs. A job on a line that is not judged has none.
    places: HashMap<Rc<[u8]>, Vec<usize>>,
    /// The local time since which the crontabs are as they are now.
    unchanged: NaiveDateTime,
    /// The STARTs of jobs that are on no line, since then.
    on_no_line: Vec<(Scheduler, NaiveDateTime)>,
    /// The last START of each job that is on no line. Anybody may have started any number of them: there are at most
    /// [`MAX_OFF`].
    off: HashMap<Rc<[u8]>, NaiveDateTime>,
}

/// How many jobs that are on no line are remembered.
const MAX_OFF: usize = 10_000;

impl Expected {
    /// The jobs of `planned` that are judged.
    pub fn new(planned: Planned, judged: &Judged, users: &Users) -> Self {
        let mut expected = Self {
            jobs: Vec::new(),
            unjudged: 0,
            places: HashMap::new(),
            unchanged: NaiveDateTime::MIN,
            on_no_line: Vec::new(),
            off: HashMap::new(),
            planned,
        };
        let scheduler = |entry: &CronJob| match judged {
            Judged::All => Some(Scheduler::default()),
            Judged::In(dirs, is_read) => {
                let log_dir = log_dir(entry)?;
                is_of_user(entry, users, is_read)
                    .then(|| scheduler_of(dirs, log_dir))
                    .flatten()
            }
        };
        let mut places: HashMap<(Scheduler, Rc<[u8]>), usize> = HashMap::new();
        for (line, entry) in expected.planned.plan.entries.iter().enumerate() {
            let name: Rc<[u8]> = entry.job.as_slice().into();
            let of_name = expected.places.entry(Rc::clone(&name)).or_default();
            let Some(scheduler) = scheduler(entry).filter(|_| !entry.has_own_zone) else {
                expected.unjudged += 1;
                continue;
            };
            let place = *places
                .entry((scheduler, Rc::clone(&name)))
                .or_insert_with(|| {
                    of_name.push(expected.jobs.len());
                    expected.jobs.push(Job {
                        scheduler,
                        uid: entry.user.as_deref().and_then(|name| users.uid(name)),
                        name,
                        lines: Vec::new(),
                        starts: Vec::new(),
                        ends: Vec::new(),
                        is_conditional: false,
                    });
                    expected.jobs.len() - 1
                });
            let job = &mut expected.jobs[place];
            job.lines.push(line);
            job.is_conditional |= entry.is_conditional;
        }
        for job in &mut expected.jobs {
            if job.lines.len() > MAX_LINES {
                expected.unjudged += job.lines.split_off(0).len();
            }
        }
        let changes = expected.planned.crontabs.read.iter();
        let last = changes.map(|crontab| crontab.changed).max();
        expected.unchanged = last.map_or(NaiveDateTime::MIN, check::local);
        expected
    }

    /// Whether any line is judged.
    pub fn is_any(&self) -> bool {
        !self.jobs.is_empty()
    }

    /// A line of the plan.
    pub fn line(&self, line: usize) -> &CronJob {
        &self.planned.plan.entries[line]
    }

    fn remember_off(&mut self, job: &Rc<[u8]>, start: NaiveDateTime) {
        if let Some(last) = self.off.get_mut(job) {
            *last = start.max(*last);
        } else if self.off.len() < MAX_OFF {
            self.off.insert(Rc::clone(job), start);
        }
    }

    /// The jobs that are on no line and have not started since the crontabs were changed, those of the newest START
    /// first: a line may have been commented out.
    pub fn gone(&self) -> Vec<(&[u8], NaiveDateTime)> {
        let off = self.off.iter().map(|(job, last)| (&**job, *last));
        let mut gone: Vec<_> = off.filter(|(_, last)| *last < self.unchanged).collect();
        gone.sort_unstable_by_key(|(job, last)| (Reverse(*last), *job));
        gone
    }

    /// Notes the START of a run.
    pub fn add(&mut self, run: &Run) {
        let scheduler = run.trace.owner.scheduler;
        let Some(places) = self.places.get(&run.trace.job) else {
            if run.trace.start >= self.unchanged {
                self.on_no_line.push((scheduler, run.trace.start));
            }
            self.remember_off(&run.trace.job, run.trace.start);
            return;
        };
        let jobs = &mut self.jobs;
        let is_there = |place: &&usize| jobs[**place].scheduler == scheduler;
        if let Some(place) = places.iter().find(is_there) {
            let job = &mut jobs[*place];
            let start = check::seconds(run.trace.start);
            job.starts.push(start);
            if job.is_conditional {
                let end = run.until().map_or(i64::MAX, check::seconds);
                job.ends.push((start, end));
            }
        }
    }
}

/// The scheduler that logs to this directory, if it is read.
fn scheduler_of(dirs: &[LogDir], log_dir: &Path) -> Option<Scheduler> {
    let mut dirs = dirs.iter();
    let dir = dirs.find(|dir| are_same(&dir.path, log_dir))?;
    Some(dir.scheduler)
}
