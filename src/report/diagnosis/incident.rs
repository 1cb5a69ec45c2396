//! What an operator has to know once.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;

use crate::cron::LineRef;
use crate::report::history::{HostId, JobId, RunSummary};
use crate::report::logs::scheduler::Scheduler;
use crate::report::runs::outcome::{Outcome, Refusal};

/// Bad runs that have one reason, or another thing that an operator has to know once.
#[derive(Debug, Clone)]
pub struct Incident {
    /// What it is.
    pub kind: IncidentKind,
    /// When it was.
    pub window: IncidentWindow,
    /// The jobs that it affects.
    pub jobs: Vec<JobId>,
    /// The number of bad runs, or of slots without a run.
    pub bad: u64,
    /// The number of all runs of these jobs from its first bad run on, until its end.
    pub runs: u64,
    /// The bad runs by the way in which they failed.
    pub ways: BTreeMap<Outcome, u64>,
    /// The last bad run.
    pub last: Option<RunSummary>,
    /// The local time at which the last good run before it ended.
    pub last_good: Option<NaiveDateTime>,
    /// The jobs that have had no good run since, though the reason has passed.
    pub not_recovered: Vec<JobId>,
    /// How often it has happened, if it is shown once for several times.
    pub times: u64,
    /// A run of it is not made up for soon.
    pub is_pressing: bool,
}

/// The time of an incident, in local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncidentWindow {
    /// The START of the first bad run.
    pub since: NaiveDateTime,
    /// When it could be known first.
    pub detected_at: NaiveDateTime,
    /// The last bad record.
    pub last: NaiveDateTime,
    /// When it was known to be over. It goes on if there is no such time.
    pub over: Option<NaiveDateTime>,
}

/// The kind of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IncidentKind {
    /// A job's bad runs in a row.
    Failing,
    /// A job is good and bad in turn.
    Flapping,
    /// Runs have no END, and their processes are gone.
    Lost {
        /// They ended together: the machine went down, or all was killed.
        together: bool,
        /// The machine booted then.
        boot: Option<NaiveDateTime>,
        /// Nothing was started until then.
        quiet_until: Option<NaiveDateTime>,
    },
    /// A run goes on far longer than its job ever took.
    Hung(Hung),
    /// ssh cannot connect to hosts.
    Unreachable {
        /// The hosts.
        hosts: Vec<HostId>,
    },
    /// ssh connects, and is refused.
    Refused {
        /// The hosts.
        hosts: Vec<HostId>,
        /// What is refused.
        refusal: Refusal,
    },
    /// Servers dropped single connections while they took others.
    Dropped {
        /// The seconds of the minute in which connections are dropped more often than they are started.
        herd: Option<Herd>,
    },
    /// A job takes longer than before.
    Slower {
        /// The median of its seconds before.
        before: u32,
        /// The median of its seconds now.
        now: u32,
    },
    /// Nothing was started, although there was always something before.
    Silent {
        /// By this scheduler.
        scheduler: Scheduler,
        /// The machine booted then.
        boot: Option<NaiveDateTime>,
    },
    /// A job was not started at slots of its line.
    NotStarted {
        /// The line.
        place: LineRef,
        /// cron ignores the file of the line.
        is_ignored: bool,
    },
    /// Most lines missed their slots at once.
    CronDown {
        /// Those of this scheduler.
        scheduler: Scheduler,
        /// The machine booted then.
        boot: Option<NaiveDateTime>,
        /// So many runs were lost with it.
        lost: u64,
    },
    /// Slots without a START, in a time in which the log took no lines.
    LogFull,
    /// Slots whose STARTs came late, all at once.
    Late {
        /// The last of the STARTs.
        started: NaiveDateTime,
    },
}

/// A run that goes on too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hung {
    /// Its process id.
    pub pid: u32,
    /// How long the longest good run before it took, in seconds.
    pub longest: u32,
    /// How many runs of the job were started since.
    pub again: u64,
}

/// The seconds of the minute in which a crowd of connections is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Herd {
    /// The first of these seconds.
    pub first: u32,
    /// The last of them, which may be in the next minute.
    pub last: u32,
    /// The connections that were dropped in them.
    pub dropped: u64,
}

/// An incident in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IncidentState {
    /// Bad since it began.
    Failing,
    /// Good and bad in turn.
    Flapping,
    /// Killed without a word.
    Lost,
    /// Running far too long.
    Hung,
    /// No connection.
    Unreachable,
    /// The server lets nobody in.
    LoginRefused,
    /// The server is not the known one.
    HostKey,
    /// Good again.
    Recovered,
    /// Good, but it takes longer.
    Slower,
    /// Single connections were dropped.
    Dropped,
    /// Nothing was started.
    Silent,
    /// Not started at a slot of its line.
    NotStarted,
    /// No line was started.
    CronDown,
    /// The log took no lines.
    LogFull,
    /// Started later than its line says.
    Late,
}

impl IncidentState {
    /// Those that can be now.
    pub const NOW: [Self; 14] = [
        Self::Failing,
        Self::Flapping,
        Self::Lost,
        Self::Hung,
        Self::Unreachable,
        Self::LoginRefused,
        Self::HostKey,
        Self::Slower,
        Self::Dropped,
        Self::Silent,
        Self::NotStarted,
        Self::CronDown,
        Self::LogFull,
        Self::Late,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failing => "FAILING",
            Self::Flapping => "FLAPPING",
            Self::Lost => "LOST",
            Self::Hung => "HUNG",
            Self::Unreachable => "UNREACHABLE",
            Self::LoginRefused => "LOGIN REFUSED",
            Self::HostKey => "HOST KEY",
            Self::Recovered => "RECOVERED",
            Self::Slower => "SLOWER",
            Self::Dropped => "DROPPED",
            Self::Silent => "SILENT",
            Self::NotStarted => "NOT STARTED",
            Self::CronDown => "CRON DOWN",
            Self::LogFull => "LOG FULL",
            Self::Late => "LATE",
        }
    }
}

impl IncidentWindow {
    /// The window of these runs, of which there is at least one. Its end is known with the first run's END or later.
    pub fn of_bad_runs(runs: &[&RunSummary], over: Option<NaiveDateTime>) -> Self {
        let starts = runs.iter().map(|run| run.start);
        let ends = || runs.iter().map(|run| run.until);
        let known = ends().min().expect("there is a run");
        Self {
            since: starts.min().expect("there is a run"),
            detected_at: known,
            last: ends().max().expect("there is a run"),
            over: over.map(|over| over.max(known)),
        }
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.over.is_some()
    }
}

impl Incident {
    /// An incident without bad runs.
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

    /// An incident of bad runs. `runs` is the number of all runs in its window.
    pub fn of_runs<'a>(
        kind: IncidentKind,
        window: IncidentWindow,
        bad: impl IntoIterator<Item = &'a RunSummary>,
    ) -> Self {
        let mut incident = Self::new(kind, window, Vec::new());
        for run in bad {
            incident.jobs.push(run.job);
            incident.bad += 1;
            *incident.ways.entry(run.outcome).or_default() += 1;
            if incident.last.is_none_or(|last| last.until <= run.until) {
                incident.last = Some(*run);
            }
        }
        incident.jobs.sort_unstable();
        incident.jobs.dedup();
        incident.runs = incident.bad;
        incident
    }

    /// It in one word.
    pub fn state(&self) -> IncidentState {
        match self.kind {
            IncidentKind::Failing | IncidentKind::Flapping if self.is_over() => {
                IncidentState::Recovered
            }
            IncidentKind::Failing => IncidentState::Failing,
            IncidentKind::Flapping => IncidentState::Flapping,
            IncidentKind::Lost { .. } => IncidentState::Lost,
            IncidentKind::Hung(_) => IncidentState::Hung,
            IncidentKind::Unreachable { .. } => IncidentState::Unreachable,
            IncidentKind::Refused { refusal: Refusal::Login, .. } => IncidentState::LoginRefused,
            IncidentKind::Refused { refusal: Refusal::HostKey, .. } => IncidentState::HostKey,
            IncidentKind::Dropped { .. } => IncidentState::Dropped,
            IncidentKind::Slower { .. } => IncidentState::Slower,
            IncidentKind::Silent { .. } => IncidentState::Silent,
            IncidentKind::NotStarted { .. } => IncidentState::NotStarted,
            IncidentKind::CronDown { .. } => IncidentState::CronDown,
            IncidentKind::LogFull => IncidentState::LogFull,
            IncidentKind::Late { .. } => IncidentState::Late,
        }
    }

    /// Whether it is over, so that nothing of it is wrong now.
    pub fn is_over(&self) -> bool {
        self.has_passed() && self.not_recovered.is_empty()
    }

    /// Whether its reason has passed. Connections are dropped one by one.
    pub fn has_passed(&self) -> bool {
        self.window.is_over() || matches!(self.kind, IncidentKind::Dropped { .. })
    }

    /// When it ended, if its reason has passed: after a pause that of the next START, and else the last bad record.
    pub fn end(&self) -> Option<NaiveDateTime> {
        let next = match self.kind {
            IncidentKind::Lost { together: true, .. }
            | IncidentKind::Silent { .. }
            | IncidentKind::CronDown { .. } => self.window.over,
            _ => None,
        };
        self.has_passed().then(|| next.unwrap_or(self.window.last))
    }

    /// Whether something has failed, was lost or is missing. A job that takes longer or comes late has not failed.
    pub fn is_failure(&self) -> bool {
        !matches!(self.kind, IncidentKind::Slower { .. } | IncidentKind::Late { .. })
    }

    /// The hosts that cannot be reached, or that refuse a login.
    pub fn hosts(&self) -> &[HostId] {
        match &self.kind {
            IncidentKind::Unreachable { hosts } | IncidentKind::Refused { hosts, .. } => hosts,
            _ => &[],
        }
    }

    /// The way in which most of its runs failed.
    pub fn main_way(&self) -> Option<Outcome> {
        let most = self.ways.iter().max_by_key(|(_, count)| **count);
        most.map(|(way, _)| *way)
    }

    /// Takes another incident of the same kind into this one.
    pub fn join(&mut self, other: Self) {
        let (window, more) = (&mut self.window, other.window);
        window.since = window.since.min(more.since);
        window.detected_at = window.detected_at.min(more.detected_at);
        window.last = window.last.max(more.last);
        window.over = window.over.zip(more.over).map(|(one, other)| one.max(other));
        self.jobs.extend(other.jobs);
        self.jobs.sort_unstable();
        self.jobs.dedup();
        self.bad += other.bad;
        self.runs += other.runs;
        for (way, count) in other.ways {
            *self.ways.entry(way).or_default() += count;
        }
        if self.last.map(|run| run.until) < other.last.map(|run| run.until) {
            self.last = other.last;
        }
        self.last_good = self.last_good.max(other.last_good);
        if let (IncidentKind::Hung(hung), IncidentKind::Hung(more)) = (&mut self.kind, other.kind) {
            hung.longest = hung.longest.max(more.longest);
            hung.again += more.again;
        }
        self.not_recovered.extend(other.not_recovered);
        self.not_recovered.sort_unstable();
        self.not_recovered.dedup();
    }
}
