//! The crontabs in numbers: what was checked, since when, and what was not.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use chrono::{NaiveDateTime, TimeDelta};

use super::check::Judgement;
use super::{Expected, ExpectedJob};
use crate::clock::local_time;
use crate::cron::LineRef;
use crate::machine::Users;
use crate::report::query::filter::Filter;

/// The first START of a day comes a little after midnight.
const A_LITTLE: TimeDelta = TimeDelta::minutes(1);

/// What a reader has to know about the crontabs of the jobs that pass the filter.
#[derive(Debug)]
pub struct CrontabSummary {
    /// The jobs that pass the filter.
    pub jobs: u64,
    /// The lines of these jobs.
    pub lines: u64,
    /// Since when their slots are checked.
    pub start: CheckStart,
    /// Crontabs whose earlier slots are not checked, and when they were changed.
    pub changed: Vec<(Rc<Path>, NaiveDateTime)>,
    /// What concerns all jobs, if there is no filter.
    pub whole: Option<WholeSummary>,
}

/// Since when slots are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckStart {
    /// The beginning of the period.
    Period,
    /// This later local time.
    Late(NaiveDateTime),
    /// Never: some logs could not be read.
    Unread,
    /// Never: the logs do not show when they begin.
    NoLog,
}

/// What concerns the crontabs as a whole.
#[derive(Debug)]
pub struct WholeSummary {
    /// Jobs that have run, are on no line, and have not started since the last change of the crontabs; the local time
    /// of the last START; and the commented-out line with the job.
    pub gone: Vec<(Box<[u8]>, NaiveDateTime, Option<LineRef>)>,
    /// Slots that a line may have skipped.
    pub perhaps: u64,
    /// Those of them at which the previous run was going on.
    pub still_going: u64,
    /// STARTs that belong to no slot.
    pub strays: u64,
    /// Faults of the crontabs.
    pub faults: usize,
    /// Calls that cannot be understood.
    pub unknown: usize,
    /// Commented-out lines.
    pub commented_out: usize,
    /// Lines that are not checked: of other logs, users or zones.
    pub unjudged: usize,
    /// Files that are left out.
    pub left_out: usize,
    /// A crontab, or a directory of crontabs, that the reader may not read.
    pub denied: Option<PathBuf>,
    /// The daemon, if its rules are unknown and so no slot is checked.
    pub unknown_cron: Option<String>,
}

impl CrontabSummary {
    /// Sums up the check of the slots since `since`. With `is_all`, all faults of the crontabs count; otherwise
    /// crontabs that concern only other logs have no summary. there is no summary of crontabs that have to do with
    /// other logs only.
    pub fn of(
        expected: &Expected,
        judgement: &Judgement,
        since: NaiveDateTime,
        filter: &Filter,
        users: &Users,
        is_all: bool,
    ) -> Option<Self> {
        let jobs = expected.jobs.iter();
        let wanted: Vec<&ExpectedJob> = jobs.filter(|job| job.is_wanted(filter)).collect();
        let has_all_jobs = wanted.len() == expected.jobs.len();
        let is_checked = |job: &&&ExpectedJob| !job.lines.is_empty();
        let whole = has_all_jobs.then(|| WholeSummary::of(expected, judgement, users, is_all));
        if let Some(whole) = &whole
            && expected.jobs.is_empty()
            && whole.faults + whole.unknown + whole.commented_out == 0
            && whole.denied.is_none()
            && whole.unknown_cron.is_none()
        {
            return None;
        }
        Some(Self {
            jobs: wanted.iter().filter(is_checked).count() as u64,
            lines: wanted.iter().map(|job| job.lines.len() as u64).sum(),
            start: start(judgement, since),
            changed: changed(expected, &wanted, judgement, since),
            whole,
        })
    }
}

impl WholeSummary {
    fn of(expected: &Expected, judgement: &Judgement, users: &Users, is_all: bool) -> Self {
        let judged = expected.jobs.iter().flat_map(|job| &job.lines);
        let files: HashSet<_> = judged.map(|line| &*expected.line(*line).place.file).collect();
        let is_ours = |file: &Path| is_all || files.contains(file);
        let planned = &expected.planned;
        let findings = planned.findings(users);
        let unknown = planned.plan.unknown.iter();
        let commented_out = expected.commented_out().map(|off| &off.place);
        let commented_out: HashSet<_> = commented_out.filter(|it| is_ours(&it.file)).collect();
        let line_of = |job: &[u8]| {
            let mut off = expected.commented_out();
            off.find(|off| off.job == job).map(|off| off.place.clone())
        };
        let gone = expected.gone().into_iter();
        let mut denied = planned.crontabs.left_out.iter();
        let cron = &planned.crontabs.cron;
        Self {
            gone: gone.map(|((_, job), last)| ((**job).into(), last, line_of(job))).collect(),
            perhaps: judgement.perhaps,
            still_going: judgement.still_going,
            strays: judgement.strays,
            faults: findings.iter().filter(|it| is_ours(&it.file)).count(),
            unknown: unknown.filter(|it| is_ours(&it.place.file)).count(),
            commented_out: commented_out.len(),
            unjudged: expected.unjudged,
            left_out: planned.crontabs.left_out.len(),
            denied: denied.find(|it| it.is_denied).map(|it| it.path.clone()),
            unknown_cron: (!cron.is_known && !planned.plan.entries.is_empty())
                .then(|| cron.name.clone()),
        }
    }
}

fn start(judgement: &Judgement, since: NaiveDateTime) -> CheckStart {
    let froms = judgement.from.iter().map(|(_, from)| *from);
    match froms.min() {
        None => CheckStart::Unread,
        // A scheduler has none.
        Some(None) => CheckStart::NoLog,
        Some(Some(_)) => {
            let latest = judgement.from.iter().filter_map(|(_, from)| *from).max();
            let is_late =
                |from: &NaiveDateTime| since > NaiveDateTime::MIN && *from - since > A_LITTLE;
            let late = latest.filter(is_late);
            late.map_or(CheckStart::Period, CheckStart::Late)
        }
    }
}

/// Crontabs of which some slots are not checked because they were changed.
fn changed(
    expected: &Expected,
    jobs: &[&ExpectedJob],
    judgement: &Judgement,
    since: NaiveDateTime,
) -> Vec<(Rc<Path>, NaiveDateTime)> {
    let mut changed: BTreeMap<Rc<Path>, NaiveDateTime> = BTreeMap::new();
    for job in jobs {
        let from = judgement.from.iter().find(|(it, _)| *it == job.scheduler);
        let from = from.and_then(|(_, from)| *from);
        let from = from.unwrap_or(NaiveDateTime::MAX);
        for line in &job.lines {
            let entry = expected.line(*line);
            let at = entry.changed.map(local_time);
            if let Some(at) = at.filter(|at| *at > from.max(since)) {
                changed.insert(Rc::clone(&entry.place.file), at);
            }
        }
    }
    changed.into_iter().collect()
}
