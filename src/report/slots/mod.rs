//! The jobs that the crontabs plan, and their STARTs in the logs.
//!
//! A line is checked if its job's log directory and its user's logs are read. So the crontabs of one machine imply
//! nothing about the logs of another. A crontab that is given, and that no cron reads here, belongs to another
//! scheduler: the given directories have the logs of its workers, wherever the workers wrote them.

pub mod check;
pub mod missed;
pub mod not_made_up;

use std::path::{Path, PathBuf};
use std::{collections::BTreeSet, rc::Rc};

use chrono::NaiveDateTime;
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use super::logs::scheduler::{LogDir, Scheduler, are_same};
use super::{logs::owner::Account, query::CrontabSource, query::filter::Filter, runs::run::Run};
use crate::clock::{local_seconds, local_time};
use crate::cron::{
    CommentedOut, CronJob, CronJobs, CrontabSelection, Crontabs, Finding, ParseCall, Trust, TrustIn, findings,
};
use crate::exit::SuccessStatuses;
use crate::machine::Users;

/// The most lines of a job that is checked. Only a hostile crontab has a job on more lines.
const MAX_LINES: usize = 100;
/// The most log directories from crontabs: each is compared with all others, and a stranger can name a thousand.
const MAX_DIRS: usize = 100;

/// The crontabs of a report, and their jobs.
pub struct Planned {
    pub crontabs: Crontabs,
    pub plan: CronJobs,
    /// Whether the crontabs were given on the command line.
    pub is_given: bool,
    grammar: ParseCall,
}

impl Planned {
    /// Reads the crontabs. Another user's is read only if it was given, or if `is_asked` is true for the user.
    pub fn read(source: &CrontabSource, users: &Users, is_asked: impl Fn(u32) -> bool) -> Self {
        let is_given = matches!(source.selection, CrontabSelection::Files(_));
        let trust = |uid: Option<u32>| match uid {
            Some(uid) if !users.is_other_user(uid) => Trust::Full,
            uid if is_given || is_asked(uid.unwrap_or(u32::MAX)) => Trust::Asked,
            _ => Trust::Nothing,
        };
        let crontabs = Crontabs::read(&source.selection, TrustIn { users, of: &trust });
        let plan = CronJobs::of(&crontabs, source.grammar);
        Self { crontabs, plan, is_given, grammar: source.grammar }
    }

    /// The log directories of the jobs of users whose logs are read.
    pub fn log_dirs(&self, filter: &Filter, users: &Users) -> BTreeSet<PathBuf> {
        let entries = self.plan.entries.iter().filter(|entry| is_read(entry.user.as_ref(), filter, users));
        let dirs: BTreeSet<&Path> = entries.filter_map(|entry| log_dir(entry)).collect();
        dirs.into_iter().take(MAX_DIRS).map(Path::to_owned).collect()
    }

    pub fn logs_to(&self, dir: &Path) -> bool {
        self.plan.entries.iter().any(|entry| entry.log_dir.as_deref() == Some(dir))
    }

    /// Whether a cron of this machine starts a job that logs to `dir`.
    pub fn is_of_cron(&self, dir: &Path) -> bool {
        let entries = self.plan.entries.iter().filter(|entry| entry.is_of_cron);
        let mut dirs = entries.filter_map(|entry| log_dir(entry));
        dirs.any(|it| are_same(it, dir))
    }

    /// Whether a crontab that was given could not be read.
    pub fn is_incomplete(&self) -> bool {
        self.is_given && !self.crontabs.left_out.is_empty()
    }

    /// The findings of `--check`.
    pub fn findings(&self, users: &Users) -> Vec<Finding> {
        findings(&self.crontabs, &self.plan, self.grammar, users)
    }
}

/// The log directory of a job. None if it is relative: it then depends on the user's home.
fn log_dir(entry: &CronJob) -> Option<&Path> {
    entry.log_dir.as_deref().filter(|dir| dir.is_absolute())
}

/// Whether the logs of a line's user are read. True if the crontab does not name the user.
fn is_read(user: Option<&String>, filter: &Filter, users: &Users) -> bool {
    user.is_none_or(|name| users.uid(name).is_some_and(|uid| filter.reads_user(uid, users)))
}

/// The scheduler whose logs have the job of this line, if they are in `dirs`; and the job's log directory on the
/// workers, if that is not read here under its own path.
fn log_place(entry: &CronJob, dirs: &[LogDir], workers: Option<Scheduler>) -> Option<(Scheduler, Option<PathBuf>)> {
    let log_dir = log_dir(entry)?;
    if let Some(dir) = dirs.iter().find(|dir| are_same(&dir.path, log_dir)) {
        return Some((dir.scheduler.whole(), None));
    }
    let workers = workers.filter(|_| !entry.is_of_cron)?;
    Some((workers, Some(log_dir.to_owned())))
}

/// The other scheduler, if its workers' logs were given: no cron of this machine logs to their directories.
fn workers(dirs: &[LogDir], planned: &Planned) -> Option<Scheduler> {
    let mut dirs = dirs.iter().filter(|_| planned.is_given);
    Some(dirs.find(|dir| !planned.is_of_cron(&dir.path))?.scheduler.whole())
}

/// A job on lines of crontabs.
#[derive(Default)]
pub struct ExpectedJob {
    /// The scheduler whose logs have the job.
    pub scheduler: Scheduler,
    /// None if the crontab does not name a user.
    pub uid: Option<u32>,
    /// As in START.
    pub name: Rc<[u8]>,
    pub lines: Vec<Rc<CronJob>>,
    /// The users of these lines.
    users: BTreeSet<Option<u32>>,
    /// The STARTs, in seconds of local time. After the check only the first.
    starts: Vec<i64>,
    /// START and END of each run, for lines that may skip a run. A run that goes on has the last possible time.
    ends: Vec<(i64, i64)>,
    /// Whether a line may skip a run, as behind `flock -n`.
    pub is_conditional: bool,
    accepted: SuccessStatuses,
    /// The job's log directory on the workers, if that is not read here under its own path.
    collected_from: Option<PathBuf>,
}

impl ExpectedJob {
    fn add_line(&mut self, user: Option<u32>, entry: &Rc<CronJob>) {
        self.lines.push(Rc::clone(entry));
        self.users.insert(user);
        self.is_conditional |= entry.is_conditional || entry.waits_for_last;
        self.accepted.0.extend(&entry.accepted.0);
    }

    pub fn is_checked(&self) -> bool {
        !self.lines.is_empty()
    }

    /// The first START after `time`, in seconds of local time.
    fn next_start(&self, time: i64) -> Option<i64> {
        self.starts.get(self.starts.partition_point(|start| *start <= time)).copied()
    }

    pub fn account(&self) -> Account {
        Account { scheduler: self.scheduler, uid: self.uid }
    }
}

pub struct Expected {
    pub planned: Planned,
    /// The jobs to check, first the jobs that pass the filter. These have the same numbers in the history.
    pub jobs: Vec<ExpectedJob>,
    /// The number of jobs that pass the filter.
    wanted: usize,
    /// The lines that are not checked: of other logs, time zones or users, or too many for one job.
    pub unchecked: usize,
    /// The index of each job, by scheduler and name.
    places: HashMap<(Scheduler, Rc<[u8]>), usize>,
    /// The users and jobs of all lines, checked or not.
    on_lines: HashSet<(Option<u32>, Rc<[u8]>)>,
    /// Whether the logs may be copies from another machine, whose owners are not the users of the crontabs.
    is_copy: bool,
    /// The local time since which no crontab has changed.
    pub unchanged: NaiveDateTime,
    /// STARTs since `unchanged` of jobs that are on no line.
    on_no_line: Vec<(Scheduler, NaiveDateTime)>,
}

impl Expected {
    /// The jobs of `planned` that log to `dirs`, or all jobs if the logs were given one by one.
    pub fn new(planned: Planned, dirs: Option<&[LogDir]>, filter: &Filter, users: &Users) -> Self {
        let read = planned.crontabs.read.iter().filter(|crontab| crontab.trust != Trust::Nothing);
        let last_change = read.filter_map(|crontab| crontab.changed).max();
        let workers = dirs.and_then(|dirs| workers(dirs, &planned));
        let mut expected = Self {
            jobs: Vec::new(),
            wanted: 0,
            unchecked: planned.crontabs.not_looked_at(),
            places: HashMap::new(),
            on_lines: HashSet::new(),
            is_copy: dirs.is_none(),
            unchanged: last_change.map_or(NaiveDateTime::MIN, local_time),
            on_no_line: Vec::new(),
            planned,
        };
        let is_known = expected.planned.crontabs.cron.is_known;
        let uid = |entry: &CronJob| entry.user.as_deref().and_then(|name| users.uid(name));
        let mut lines: Vec<_> = expected.planned.plan.entries.iter().collect();
        lines.sort_by_cached_key(|entry| !filter.expects(uid(entry), &entry.job));
        for entry in lines {
            let name: Rc<[u8]> = entry.job.as_slice().into();
            let uid = uid(entry);
            let user = uid.filter(|_| !expected.is_copy);
            expected.on_lines.insert((user, Rc::clone(&name)));
            let place = match dirs {
                None => Some((Scheduler::default(), None)),
                Some(dirs) => log_place(entry, dirs, workers).filter(|_| is_read(entry.user.as_ref(), filter, users)),
            };
            let Some((scheduler, collected_from)) = place.filter(|_| is_known && !entry.has_own_zone) else {
                expected.unchecked += 1;
                continue;
            };
            let place = *expected.places.entry((scheduler, Rc::clone(&name))).or_insert_with(|| {
                let job = ExpectedJob { scheduler, uid, name, collected_from, ..Default::default() };
                expected.jobs.push(job);
                expected.jobs.len() - 1
            });
            expected.jobs[place].add_line(user, entry);
        }
        expected.wanted = expected.jobs.iter().filter(|job| filter.expects(job.uid, &job.name)).count();
        for job in &mut expected.jobs {
            if job.lines.len() > MAX_LINES {
                expected.unchecked += job.lines.split_off(0).len();
            }
        }
        expected
    }

    /// The jobs that pass the filter.
    pub fn wanted(&self) -> &[ExpectedJob] {
        &self.jobs[..self.wanted]
    }

    /// The commented-out lines of the users whose logs are read.
    pub fn commented_out(&self, filter: &Filter, users: &Users) -> impl Iterator<Item = &CommentedOut> {
        let lines = self.planned.plan.commented_out.iter();
        lines.filter(move |off| self.is_copy || is_read(off.user.as_ref(), filter, users))
    }

    /// Leaves out jobs whose logs nobody has collected: no job with their log directory has a START here.
    fn leave_out_uncollected(&mut self) {
        let collected = self.jobs.iter().filter(|job| !job.starts.is_empty());
        let collected: BTreeSet<PathBuf> = collected.filter_map(|job| job.collected_from.clone()).collect();
        for job in &mut self.jobs {
            if job.collected_from.as_ref().is_some_and(|dir| !collected.contains(dir)) {
                self.unchecked += job.lines.split_off(0).len();
            }
        }
    }

    /// The names of the jobs on all lines, also on commented-out lines.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        let CronJobs { entries, commented_out, .. } = &self.planned.plan;
        let off = commented_out.iter().map(|off| off.job.as_slice());
        entries.iter().map(|entry| entry.job.as_slice()).chain(off)
    }

    /// The users whose lines may have a user's job. None stands for the lines that name no user.
    fn users_of(&self, uid: Option<u32>) -> [Option<u32>; 2] {
        [uid.filter(|_| !self.is_copy), None]
    }

    pub fn is_on_line(&self, uid: Option<u32>, name: &Rc<[u8]>) -> bool {
        self.users_of(uid).iter().any(|user| self.on_lines.contains(&(*user, Rc::clone(name))))
    }

    /// The index of a run's job, if a line that is checked has the job.
    pub fn place(&self, run: &Run) -> Option<usize> {
        self.place_of(run.trace.owner.job_account(), &run.trace.job)
    }

    fn place_of(&self, account: Account, name: &Rc<[u8]>) -> Option<usize> {
        let place = *self.places.get(&(account.scheduler, Rc::clone(name)))?;
        self.users_of(account.uid).iter().any(|user| self.jobs[place].users.contains(user)).then_some(place)
    }

    /// The longest limit, in seconds, of the timeout(1) on a job's lines. None if a line has no timeout(1).
    pub fn limit(&self, account: Account, name: &Rc<[u8]>) -> Option<u32> {
        let lines = &self.jobs[self.place_of(account, name)?].lines;
        let limits: Option<Vec<u64>> = lines.iter().map(|line| line.limit).collect();
        limits?.into_iter().max().and_then(|limit| u32::try_from(limit).ok())
    }

    /// The index of a run's job on another user's line, if no line of the run's user has the job. The log may be a copy
    /// that belongs to its reader, or the line may change the user.
    fn place_of_another_user(&self, run: &Run) -> Option<usize> {
        let (owner, job) = (run.trace.owner, &run.trace.job);
        let place = self.places.get(&(owner.scheduler.whole(), Rc::clone(job))).copied();
        place.filter(|_| !self.is_on_line(owner.uid, job))
    }

    /// Whether a line of the run's job accepts this exit status.
    pub fn accepts(&self, run: &Run, status: u8) -> bool {
        let place = self.place(run);
        place.is_some_and(|place| self.jobs[place].accepted.0.contains(&status))
    }

    /// Notes the START of a run.
    pub fn add(&mut self, run: &Run) {
        let owner = run.trace.owner;
        let place = self.place(run).or_else(|| self.place_of_another_user(run));
        let is_on_line = place.is_some() || self.is_on_line(owner.uid, &run.trace.job);
        if run.trace.start >= self.unchanged && !is_on_line {
            self.on_no_line.push((owner.scheduler.whole(), run.trace.start));
        }
        if let Some(place) = place {
            let job = &mut self.jobs[place];
            let start = local_seconds(run.trace.start);
            job.starts.push(start);
            if job.is_conditional {
                let end = run.until().map_or(i64::MAX, local_seconds);
                job.ends.push((start, end));
            }
        }
    }
}
