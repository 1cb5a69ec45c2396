//! Finds changes of jobs: switched off, renamed, new, started twice. A change is no problem by itself.

use std::collections::{BTreeMap, HashMap};

use chrono::{NaiveDateTime, TimeDelta};

use super::evidence::{Evidence, History, JobId, Outcome, Scheduler};
use crate::report::history::jobs::script;
use crate::{clock::local_time, cron::CommentedOut};

/// The most stopped jobs for which a new name is sought: a log may have any number.
const MAX_STOPPED: usize = 100;
/// The number of STARTs that show a rhythm.
const MIN_STARTS: usize = 4;
/// A START comes within this time of its slot.
const LATE: TimeDelta = TimeDelta::minutes(3);
/// How long a job without a rhythm may pause.
const RARE: TimeDelta = TimeDelta::hours(25);
/// STARTs of one slot are at most this far apart.
const AT_ONCE: TimeDelta = TimeDelta::seconds(5);

/// What the STARTs of a job show.
pub struct StartedJob<'a> {
    pub id: JobId,
    pub name: &'a [u8],
    pub starts: usize,
    pub first: NaiveDateTime,
    pub last: NaiveDateTime,
    /// The time from most STARTs to the next.
    pub rhythm: Option<TimeDelta>,
    /// Whether a line that is understood has the job.
    is_on_line: bool,
    has_stopped: bool,
}

pub enum Twice<'a> {
    /// Two users or schedulers start the job.
    ByTwo(&'a StartedJob<'a>, &'a StartedJob<'a>),
    /// Two STARTs came at once, this many times.
    AtOnce(&'a StartedJob<'a>, usize),
}

pub struct JobChanges<'a> {
    pub switched_off: Vec<(&'a StartedJob<'a>, &'a CommentedOut)>,
    /// The old and the new job.
    pub renamed: Vec<(&'a StartedJob<'a>, &'a StartedJob<'a>)>,
    pub twice: Vec<Twice<'a>>,
    /// The jobs whose first START is in the period, without a good run.
    pub new: Vec<&'a StartedJob<'a>>,
    pub stopped: Vec<&'a StartedJob<'a>>,
}

impl<'a> JobChanges<'a> {
    pub fn of(evidence: &Evidence<'a>, jobs: &'a [StartedJob<'a>]) -> Self {
        let renamed = renamed(evidence.history, jobs);
        let is_renamed = |id: JobId| renamed.iter().any(|(old, new)| [old.id, new.id].contains(&id));
        let alone: Vec<&StartedJob> = jobs.iter().filter(|job| !is_renamed(job.id)).collect();
        let (switched_off, stopped) = stopped(evidence, &alone);
        Self { switched_off, renamed, twice: twice(evidence, jobs), new: new(evidence, &alone), stopped }
    }
}

/// The jobs whose parameters do not change, and which have a START.
pub fn started<'a>(evidence: &Evidence<'a>) -> Vec<StartedJob<'a>> {
    let Evidence { history, expected, .. } = *evidence;
    let now = evidence.scope.now;
    let mut latest: BTreeMap<Scheduler, NaiveDateTime> = BTreeMap::new();
    for run in history.runs().filter(|run| run.start < now) {
        let latest = latest.entry(history.scheduler(run.job)).or_insert(run.start);
        *latest = run.start.max(*latest);
    }
    let changed = expected.map_or(NaiveDateTime::MIN, |it| it.unchanged);
    let mut dates: HashMap<_, usize> = HashMap::new();
    history.job_ids().for_each(|id| *dates.entry(history.lasting_name(id)).or_default() += 1);
    let is_constant = |id: &JobId| !history.job(*id).has_variants && dates[&history.lasting_name(*id)] == 1;
    let jobs = history.job_ids().filter(is_constant).filter_map(|id| {
        let job = history.job(id);
        let runs = history.of_job(id).filter(|run| run.start < now);
        let starts: Vec<NaiveDateTime> = runs.map(|run| run.start).collect();
        let (first, last) = (*starts.first()?, *starts.last()?);
        let mut pauses: Vec<TimeDelta> = starts.windows(2).map(|it| it[1] - it[0]).collect();
        pauses.sort_unstable();
        let usual = pauses.get(pauses.len() / 2).copied().unwrap_or_default();
        let near = pauses.iter().filter(|it| (**it - usual).abs() <= LATE.min(usual / 4)).count();
        let starts = starts.len();
        let is_steady = starts >= MIN_STARTS && near * 4 >= pauses.len() * 3;
        let longest = pauses.last().copied().unwrap_or_default();
        let is_on_line = expected.is_some_and(|it| it.is_on_line(job.account.uid, &job.name));
        // The copy of another machine's logs may be incomplete, so its time ends with its last START.
        let scheduler = job.account.scheduler;
        let now = latest.get(&scheduler).copied().filter(|_| scheduler.is_remote()).unwrap_or(now);
        let is_overdue = now - last > longest * 2 + LATE;
        let has_stopped = !is_on_line && if is_steady { is_overdue } else { last < changed };
        let rhythm = is_steady.then_some(usual);
        Some(StartedJob { id, name: &job.name, starts, first, last, rhythm, is_on_line, has_stopped })
    });
    jobs.collect()
}

/// Pairs of a stopped job and the job that began soon after, with the same script or on the same host.
fn renamed<'a>(history: &History, jobs: &'a [StartedJob<'a>]) -> Vec<(&'a StartedJob<'a>, &'a StartedJob<'a>)> {
    let account = |job: &StartedJob| history.account(job.id);
    let host = |job: &StartedJob| history.job(job.id).host;
    let began = |old: &StartedJob, new: &StartedJob| {
        let pause = old.rhythm.map_or(RARE, |rhythm| rhythm * 2 + LATE);
        let is_alike = match (old.rhythm, new.rhythm) {
            (Some(old), Some(new)) => (old - new).abs() <= LATE.min(old / 4),
            _ => new.is_on_line,
        };
        let is_next = old.last < new.first && new.first - old.last <= pause;
        is_next && is_alike && account(old) == account(new)
    };
    let only = |mut found: Vec<&'a StartedJob<'a>>| found.pop().filter(|_| found.is_empty());
    let stopped = || jobs.iter().filter(|job| job.has_stopped).take(MAX_STOPPED);
    let pair = |old: &'a StartedJob<'a>| {
        let new = |is_like: &dyn Fn(&StartedJob, &StartedJob) -> bool| {
            let new = jobs.iter().filter(|new| began(old, new) && is_like(old, new));
            // Two old jobs must not become one.
            only(new.collect()).filter(|new| stopped().filter(|old| began(old, new) && is_like(old, new)).count() == 1)
        };
        let is_moved = |old: &StartedJob, new: &StartedJob| script(old.name) == script(new.name);
        let new = new(&is_moved).or_else(|| new(&|old, new| host(old) == host(new)));
        Some((old, new?))
    };
    stopped().filter_map(pair).collect()
}

/// The jobs whose line is commented out, and other stopped jobs without an understood line.
fn stopped<'a>(
    evidence: &Evidence<'a>,
    jobs: &[&'a StartedJob<'a>],
) -> (Vec<(&'a StartedJob<'a>, &'a CommentedOut)>, Vec<&'a StartedJob<'a>>) {
    let (mut switched_off, mut stopped) = (Vec::new(), Vec::new());
    let Some(expected) = evidence.expected.filter(|it| it.planned.plan.has_any()) else {
        return (switched_off, stopped);
    };
    let off = expected.commented_out(evidence.filter, evidence.users);
    let off: HashMap<&[u8], &CommentedOut> = off.map(|off| (off.job.as_slice(), off)).collect();
    for job in jobs.iter().copied().filter(|job| !job.is_on_line) {
        match off.get(job.name) {
            Some(off) if job.has_stopped || job.last < expected.unchanged => switched_off.push((job, *off)),
            None if job.has_stopped => stopped.push(job),
            _ => {}
        }
    }
    (switched_off, stopped)
}

/// The jobs that two users or schedulers start, and the jobs that are started twice at once.
fn twice<'a>(evidence: &Evidence, jobs: &'a [StartedJob<'a>]) -> Vec<Twice<'a>> {
    let mut by_name: BTreeMap<&[u8], Vec<&StartedJob>> = BTreeMap::new();
    for job in jobs {
        by_name.entry(job.name).or_default().push(job);
    }
    let mut found = Vec::new();
    for same in by_name.into_values() {
        let are_both = |two: &&[&StartedJob]| two[0].first < two[1].last && two[1].first < two[0].last;
        if let Some(two) = same.windows(2).find(are_both) {
            found.push(Twice::ByTwo(two[0], two[1]));
            continue;
        }
        for job in same {
            let pairs = pairs_at_once(evidence, job);
            found.extend(pairs.map(|pairs| Twice::AtOnce(job, pairs)));
        }
    }
    found
}

/// How many times two STARTs of a job came at once in the period. None if that is the exception.
fn pairs_at_once(evidence: &Evidence, job: &StartedJob) -> Option<usize> {
    // A slot that came twice as the clock went back has two STARTs.
    let is_once =
        |start: &NaiveDateTime| !evidence.missed.back.iter().any(|back| (back.to..=back.from).contains(start));
    let starts = evidence.history.since(job.id, evidence.scope.since).map(|run| run.start);
    let starts: Vec<NaiveDateTime> = starts.take_while(|start| *start <= job.last).filter(is_once).collect();
    let pairs = starts.windows(2).filter(|two| two[1] - two[0] <= AT_ONCE).count();
    (pairs >= 2 && pairs * 3 >= starts.len()).then_some(pairs)
}

/// The jobs whose first START is in the period, without a good run.
fn new<'a>(evidence: &Evidence, jobs: &[&'a StartedJob<'a>]) -> Vec<&'a StartedJob<'a>> {
    let Evidence { history, expected, .. } = *evidence;
    let since = evidence.scope.since;
    let has_log_before = history.runs().any(|run| run.start < since);
    let is_new = |job: &&StartedJob| {
        let planned = expected.and_then(|it| it.wanted().get(job.id as usize));
        let mut changes = planned.into_iter().flat_map(|job| &job.lines).filter_map(|line| line.changed);
        // The line of a job that runs once a week may be old.
        let is_old = changes.any(|changed| local_time(changed) < since);
        let mut runs = history.of_job(job.id);
        let is_bad = runs.clone().all(|run| run.outcome != Outcome::Good) && runs.any(|run| run.outcome.is_bad());
        job.first >= since && is_bad && !is_old && history.earlier(job.id).is_empty()
    };
    jobs.iter().copied().filter(|_| has_log_before).filter(is_new).collect()
}
