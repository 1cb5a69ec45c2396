//! Incidents: what an operator has to know once.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use chrono::NaiveDateTime;

use crate::cron::LineRef;
use crate::report::history::{HostId, JobId, RunSummary};
use crate::report::logs::scheduler::Scheduler;
use crate::report::runs::outcome::{Outcome, Refusal};

/// Bad runs with one reason, or something else that an operator has to know once.
#[derive(Debug, Clone)]
pub struct Incident {
    pub kind: IncidentKind,
    pub window: IncidentWindow,
    pub jobs: Vec<JobId>,
    /// The number of bad runs, or of missed slots.
    pub bad: u64,
    /// The number of all runs of these jobs, from the first bad run to the end.
    pub runs: u64,
    /// The number of bad runs by the way in which they failed.
    pub ways: BTreeMap<Outcome, u64>,
    pub last: Option<RunSummary>,
    /// The local time of the END of the last good run before.
    pub last_good: Option<NaiveDateTime>,
    /// The jobs without a good run since, though the reason has passed.
    pub not_recovered: Vec<JobId>,
    /// The number of occurrences that were merged into this incident.
    pub times: u64,
    /// Whether no later run makes up for a bad run soon.
    pub is_pressing: bool,
}

/// The times at which an incident began, was detected and ended, in local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncidentWindow {
    pub since: NaiveDateTime,
    /// When the incident could first be known.
    pub detected_at: NaiveDateTime,
    pub last: NaiveDateTime,
    /// When the end could first be known. None if the incident goes on.
    pub over: Option<NaiveDateTime>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IncidentKind {
    /// A job's bad runs in a row.
    Failing,
    /// A job's runs are good and bad in turn.
    Flapping,
    /// Runs of a job have no END, and their processes are gone.
    Lost,
    /// Runs were lost at one time: the machine went down, or everything was killed. Nothing was started until
    /// `quiet_until`.
    LostTogether { boot: Option<NaiveDateTime>, quiet_until: Option<NaiveDateTime> },
    /// A run takes far longer than the `longest` good run of its job before, in seconds. `again` counts later runs.
    Hung { longest: u32, again: u64 },
    /// ssh cannot connect to hosts.
    Unreachable { hosts: Vec<HostId> },
    /// ssh connects to hosts, but a login or a host key is refused.
    Refused { hosts: Vec<HostId>, refusal: Refusal },
    /// Servers dropped some connections and took others, most of them in some seconds of the minute if there is a herd.
    Dropped { herd: Option<Herd> },
    /// A job takes longer than before. Both are medians, in seconds.
    Slower { before: u32, now: u32 },
    /// Nothing was started, for longer than ever before.
    Silent { scheduler: Scheduler, boot: Option<NaiveDateTime> },
    /// Slots of a line of a crontab have no START.
    NotStarted { place: LineRef, is_ignored: bool },
    /// Most lines missed their slots at once. `lost` counts the runs that were lost at the same time.
    CronDown { scheduler: Scheduler, boot: Option<NaiveDateTime>, lost: u64 },
    /// The clock of a scheduler was set, or its machine stood still.
    ClockJumped { scheduler: Scheduler, from: NaiveDateTime, to: NaiveDateTime },
    /// Slots without a START while the log was full.
    LogFull,
    /// Slots whose STARTs came late, one soon after the other. `started` is the last of these STARTs.
    Late { started: NaiveDateTime },
}

/// The seconds of the minute in which a crowd of connections is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Herd {
    pub first: u32,
    /// May be in the next minute.
    pub last: u32,
    /// The number of drops in these seconds.
    pub dropped: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IncidentState {
    Failing,
    Flapping,
    Lost,
    Hung,
    Unreachable,
    LoginRefused,
    HostKey,
    Recovered,
    Slower,
    Dropped,
    Silent,
    NotStarted,
    CronDown,
    ClockJumped,
    LogFull,
    Late,
}

impl IncidentState {
    /// In the order of the states.
    const WORDS: [(Self, &str); 16] = [
        (Self::Failing, "FAILING"),
        (Self::Flapping, "FLAPPING"),
        (Self::Lost, "LOST"),
        (Self::Hung, "HUNG"),
        (Self::Unreachable, "UNREACHABLE"),
        (Self::LoginRefused, "LOGIN REFUSED"),
        (Self::HostKey, "HOST KEY"),
        (Self::Recovered, "RECOVERED"),
        (Self::Slower, "SLOWER"),
        (Self::Dropped, "DROPPED"),
        (Self::Silent, "SILENT"),
        (Self::NotStarted, "NOT STARTED"),
        (Self::CronDown, "CRON DOWN"),
        (Self::ClockJumped, "CLOCK JUMPED"),
        (Self::LogFull, "LOG FULL"),
        (Self::Late, "LATE"),
    ];

    /// The states of an incident that goes on.
    pub fn now() -> impl Iterator<Item = Self> {
        Self::WORDS.into_iter().map(|(state, _)| state).filter(|state| *state != Self::Recovered)
    }

    pub fn word(self) -> &'static str {
        Self::WORDS[self as usize].1
    }
}

impl IncidentWindow {
    /// The window of these runs, at least one. Its end is known no earlier than the first run's END.
    pub fn of_bad_runs(runs: &[RunSummary], over: Option<NaiveDateTime>) -> Self {
        let starts = runs.iter().map(|run| run.start);
        let ends = || runs.iter().map(|run| run.until);
        let detected_at = ends().min().expect("there is a run");
        Self {
            since: starts.min().expect("there is a run"),
            detected_at,
            last: ends().max().expect("there is a run"),
            over: over.map(|over| over.max(detected_at)),
        }
    }

    pub fn is_over(&self) -> bool {
        self.over.is_some()
    }
}

impl Incident {
    pub fn new(kind: IncidentKind, window: IncidentWindow, jobs: Vec<JobId>) -> Self {
        Self {
            kind,
            window,
            jobs,
            bad: 0,
            runs: 0,
            ways: BTreeMap::new(),
            last: None,
            last_good: None,
            not_recovered: Vec::new(),
            times: 1,
            is_pressing: false,
        }
    }

    pub fn of_runs(kind: IncidentKind, window: IncidentWindow, bad: impl IntoIterator<Item = RunSummary>) -> Self {
        let bad: Vec<RunSummary> = bad.into_iter().collect();
        let mut incident = Self::new(kind, window, unique(bad.iter().map(|run| run.job)));
        (incident.bad, incident.runs) = (bad.len() as u64, bad.len() as u64);
        for run in bad {
            *incident.ways.entry(run.outcome).or_default() += 1;
            incident.take_last(run);
        }
        incident
    }

    pub fn state(&self) -> IncidentState {
        match self.kind {
            IncidentKind::Failing | IncidentKind::Flapping if self.is_over() => IncidentState::Recovered,
            IncidentKind::Failing => IncidentState::Failing,
            IncidentKind::Flapping => IncidentState::Flapping,
            IncidentKind::Lost | IncidentKind::LostTogether { .. } => IncidentState::Lost,
            IncidentKind::Hung { .. } => IncidentState::Hung,
            IncidentKind::Unreachable { .. } => IncidentState::Unreachable,
            IncidentKind::Refused { refusal: Refusal::Login, .. } => IncidentState::LoginRefused,
            IncidentKind::Refused { refusal: Refusal::HostKey, .. } => IncidentState::HostKey,
            IncidentKind::Dropped { .. } => IncidentState::Dropped,
            IncidentKind::Slower { .. } => IncidentState::Slower,
            IncidentKind::Silent { .. } => IncidentState::Silent,
            IncidentKind::NotStarted { .. } => IncidentState::NotStarted,
            IncidentKind::CronDown { .. } => IncidentState::CronDown,
            IncidentKind::ClockJumped { .. } => IncidentState::ClockJumped,
            IncidentKind::LogFull => IncidentState::LogFull,
            IncidentKind::Late { .. } => IncidentState::Late,
        }
    }

    /// Whether nothing of the incident is wrong now.
    pub fn is_over(&self) -> bool {
        self.has_passed() && self.not_recovered.is_empty()
    }

    /// Whether the reason has passed, as always with dropped connections.
    pub fn has_passed(&self) -> bool {
        self.window.is_over() || matches!(self.kind, IncidentKind::Dropped { .. })
    }

    /// When the incident ended, if the reason has passed: after a pause the next START, otherwise the last bad record.
    pub fn end(&self) -> Option<NaiveDateTime> {
        let is_pause = matches!(
            self.kind,
            IncidentKind::LostTogether { .. } | IncidentKind::Silent { .. } | IncidentKind::CronDown { .. }
        );
        let next = self.window.over.filter(|_| is_pause);
        self.has_passed().then(|| next.unwrap_or(self.window.last))
    }

    /// The time until which runs and slots belong to the incident.
    pub fn until(&self, now: NaiveDateTime) -> NaiveDateTime {
        if self.has_passed() { self.window.last } else { now }
    }

    /// Whether something failed, was lost or is missing. A slower or late job has not failed.
    pub fn is_failure(&self) -> bool {
        !matches!(self.kind, IncidentKind::Slower { .. } | IncidentKind::Late { .. })
    }

    /// Whether the incident concerns everything that a scheduler starts, rather than a job or a host.
    pub fn is_of_all(&self) -> bool {
        match self.kind {
            IncidentKind::Silent { .. }
            | IncidentKind::CronDown { .. }
            | IncidentKind::ClockJumped { .. }
            | IncidentKind::LogFull
            | IncidentKind::LostTogether { .. } => true,
            _ => self.jobs.is_empty() && self.hosts().is_empty(),
        }
    }

    pub fn hosts(&self) -> &[HostId] {
        match &self.kind {
            IncidentKind::Unreachable { hosts } | IncidentKind::Refused { hosts, .. } => hosts,
            _ => &[],
        }
    }

    /// The jobs, beginning with the jobs that have not recovered.
    pub fn in_order(&self) -> impl Iterator<Item = &JobId> {
        let others = self.jobs.iter().filter(|job| !self.not_recovered.contains(job));
        self.not_recovered.iter().chain(others)
    }

    /// The boot before which everything stopped.
    pub fn boot(&self) -> Option<NaiveDateTime> {
        match self.kind {
            IncidentKind::Silent { boot, .. }
            | IncidentKind::CronDown { boot, .. }
            | IncidentKind::LostTogether { boot, .. } => boot,
            _ => None,
        }
    }

    /// The way in which most runs failed.
    pub fn main_way(&self) -> Option<Outcome> {
        self.ways.iter().max_by_key(|(_, count)| **count).map(|(way, _)| *way)
    }

    /// Takes a bad run as the last one, unless there is a later one. Lost runs come last, because they show no reason.
    fn take_last(&mut self, run: RunSummary) {
        let order = |run: &RunSummary| (run.outcome != Outcome::Lost, run.until);
        if self.last.is_none_or(|last| order(&last) <= order(&run)) {
            self.last = Some(run);
        }
    }

    /// Merges another incident of the same kind into this one.
    pub fn join(&mut self, other: Self) {
        let is_one_job = self.jobs == other.jobs;
        let keeps_run = matches!(self.kind, IncidentKind::Hung { .. }) && self.window.over.is_none();
        let (window, more) = (&mut self.window, other.window);
        window.since = window.since.min(more.since);
        window.detected_at = window.detected_at.min(more.detected_at);
        window.last = window.last.max(more.last);
        window.over = window.over.zip(more.over).map(|(one, other)| one.max(other));
        self.jobs = unique([mem::take(&mut self.jobs), other.jobs].concat());
        self.bad += other.bad;
        self.runs += other.runs;
        for (way, count) in other.ways {
            *self.ways.entry(way).or_default() += count;
        }
        // Of hung runs that go on, the first one is shown.
        other.last.into_iter().filter(|_| !keeps_run).for_each(|run| self.take_last(run));
        self.last_good = self.last_good.max(other.last_good);
        if let (IncidentKind::Hung { longest, again }, IncidentKind::Hung { longest: other, again: more }) =
            (&mut self.kind, other.kind)
        {
            *longest = other.max(*longest);
            *again = if is_one_job { more.max(*again) } else { *again + more };
        }
        self.not_recovered = unique([mem::take(&mut self.not_recovered), other.not_recovered].concat());
    }
}

/// These jobs or hosts, sorted, each once.
pub fn unique(ids: impl IntoIterator<Item = u32>) -> Vec<u32> {
    BTreeSet::from_iter(ids).into_iter().collect()
}
