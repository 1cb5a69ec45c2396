//! Finds the incidents in a ledger. Each rule has a file of its own; a bad run belongs to the first rule that
//! claims it.

pub mod downtime;
pub mod incident;
pub mod order;
pub mod rules;
#[cfg(test)]
mod tests;

use chrono::{NaiveDateTime, NaiveTime, TimeDelta};

use super::history::{Entry, JobId, Ledger};
use super::logs::scheduler::Scheduler;
use super::runs::outcome::Outcome;
use incident::{Incident, Kind, Window};
use rules::{failing, hung, lost, missed, silent, slower, unreachable};

/// The time that a diagnosis is about, in local time.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// The first second of the period.
    pub since: NaiveDateTime,
    /// The first second after it: what is wrong then is wrong now.
    pub now: NaiveDateTime,
    /// The logs have come to `now`: that there is no later START means that nothing was started.
    pub is_live: bool,
    /// The machine's last boot, if it is known.
    pub boot: Option<NaiveDateTime>,
    /// All jobs are in the ledger. Else nobody knows what else was running or started.
    pub is_whole: bool,
}

/// Which bad runs belong to an incident, by their place in the ledger.
#[derive(Debug)]
pub struct Claims(Vec<bool>);

impl Claims {
    fn claim(&mut self, place: usize) {
        self.0[place] = true;
    }

    fn has(&self, place: usize) -> bool {
        self.0[place]
    }
}

impl Scope {
    /// Whether a time is in the period.
    pub fn includes(&self, time: NaiveDateTime) -> bool {
        self.since <= time && time < self.now
    }

    /// Whether a run was going on in the period.
    pub fn has(&self, run: &Entry) -> bool {
        run.is_in(self.since, self.now)
    }

    /// The last boot of the machine that starts the jobs of `scheduler`, if that is known and was before the end.
    pub fn boot_of(&self, scheduler: Scheduler) -> Option<NaiveDateTime> {
        let is_here = !scheduler.is_elsewhere();
        self.boot.filter(|boot| is_here && *boot < self.now)
    }

    /// The period before, of the same length. That of a day until now is the day before until the same time.
    /// There is none if the period has no beginning.
    pub fn before(&self) -> Option<Self> {
        if self.since == NaiveDateTime::MIN {
            return None;
        }
        let length = self.now - self.since;
        let is_of_days = self.since.time() == NaiveTime::MIN;
        let days = length.num_days() + i64::from(length > TimeDelta::days(length.num_days()));
        let shift = if is_of_days {
            TimeDelta::days(days)
        } else {
            length
        };
        Some(Self {
            since: self.since.checked_sub_signed(shift)?,
            now: self.now.checked_sub_signed(shift)?,
            is_live: false,
            ..*self
        })
    }

    /// Whether the incident is of the period: it goes on at its end, or was not over at its beginning.
    fn shows(&self, incident: &Incident) -> bool {
        if !incident.is_over() {
            return true;
        }
        let over = match incident.kind {
            Kind::Dropped { .. } => Some(incident.window.last),
            _ => incident.window.over,
        };
        over.is_none_or(|over| over >= self.since)
    }
}

/// All incidents that the ledger tells of, each of a job, of a host or of a time.
pub fn incidents(ledger: &Ledger, scope: &Scope) -> Vec<Incident> {
    let mut claims = Claims(vec![false; ledger.runs.len()]);
    let mut incidents = lost::together(ledger, scope, &mut claims);
    incidents.extend(unreachable::incidents(ledger, scope, &mut claims));
    incidents.extend(hung::incidents(ledger, scope));
    let streaks = failing::incidents(ledger, scope, &claims);
    incidents.extend(order::refused_in_one(streaks, ledger));
    incidents.extend(slower::incidents(ledger));
    silent::add(ledger, scope, &mut incidents);
    missed::add(ledger, scope, &mut incidents);
    for incident in &mut incidents {
        incident.undone = undone(incident, ledger);
    }
    incidents
}

/// The jobs of an incident that has passed whose last run is one of its bad ones. A nightly job is not made up for.
fn undone(incident: &Incident, ledger: &Ledger) -> Vec<JobId> {
    let is_of_many = matches!(
        incident.kind,
        Kind::Unreachable { .. } | Kind::Dropped { .. } | Kind::Lost { together: true, .. }
    );
    let is_undone = |job: &JobId| {
        let runs = ledger.of_job(*job).iter();
        let ended = runs.filter(|run| run.outcome != Outcome::Running);
        let last = ended.max_by_key(|run| (run.last, run.start));
        last.is_some_and(|run| run.outcome.is_bad() && run.last <= incident.window.last)
    };
    let jobs = incident.jobs.iter().copied();
    jobs.filter(|job| is_of_many && incident.has_passed() && is_undone(job))
        .collect()
}

/// The incidents of the period: those that are alike in one, the most pressing first.
pub fn of_period(ledger: &Ledger, scope: &Scope) -> Vec<Incident> {
    let mut incidents = incidents(ledger, scope);
    incidents.retain(|incident| scope.shows(incident));
    let incidents = downtime::in_one(incidents, ledger);
    let incidents = order::repeated_in_one(incidents);
    order::sorted(order::alike_in_one(incidents, ledger), ledger, scope)
}

/// The incidents that began in the period, and those that only ended in it.
pub fn changes(ledger: &Ledger, scope: &Scope) -> (Vec<Incident>, Vec<Incident>) {
    let is_new = |incident: &Incident| scope.includes(incident.window.known);
    let (began, mut ended): (Vec<_>, Vec<_>) =
        incidents(ledger, scope).into_iter().partition(is_new);
    // One that is not known yet begins in a later period.
    let has_ended = |incident: &Incident| {
        let Window { known, over, .. } = incident.window;
        known < scope.since && over.is_some_and(|over| scope.includes(over))
    };
    ended.retain(has_ended);
    let show = |incidents: Vec<Incident>| {
        order::sorted(order::alike_in_one(incidents, ledger), ledger, scope)
    };
    (show(began), show(ended))
}
