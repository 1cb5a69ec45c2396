//! The facts that a diagnosis is based on.

use std::collections::HashSet;

use super::incident::Incident;
use crate::machine::Users;
use crate::report::query::filter::Filter;
use crate::report::slots::Expected;
use crate::report::slots::missed::MissedStarts;

// What most rules read of the rooms below.
pub use crate::report::history::durations::DurationStats;
pub use crate::report::history::scope::Scope;
pub use crate::report::history::{History, HostId, JobId, RunFlag, RunSummary};
pub use crate::report::logs::{owner::Account, scheduler::Scheduler};
pub use crate::report::runs::outcome::Outcome;

#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    pub history: &'a History,
    pub missed: &'a MissedStarts,
    pub scope: &'a Scope,
    pub expected: Option<&'a Expected>,
    pub filter: &'a Filter,
    pub users: &'a Users,
}

/// Finds incidents of one kind, and claims their bad runs: a bad run belongs to the first rule that claims it. A rule
/// never changes what another rule found.
pub type Rule = fn(&Evidence, &mut Claims) -> Vec<Incident>;

/// The bad runs that belong to an incident, by their numbers in the history.
pub type Claims = HashSet<usize>;
