//! What a diagnosis goes by.

use super::incident::Incident;
use crate::report::history::History;
use crate::report::history::scope::Scope;
use crate::report::slots::missed::MissedStarts;

/// What a rule sees.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The runs.
    pub history: &'a History,
    /// The slots of the crontabs without a START in time.
    pub missed: &'a MissedStarts,
    /// The time that is diagnosed.
    pub scope: &'a Scope,
}

/// A rule of diagnosis. It finds incidents of one kind, and claims the bad runs that belong to them: a bad run belongs to
/// the first rule that claims it. A rule never changes what another one found.
pub type Rule = fn(&Evidence, &mut Claims) -> Vec<Incident>;

/// Which bad runs belong to an incident, by their places in the history.
#[derive(Debug)]
pub struct Claims(Vec<bool>);

impl Claims {
    /// No run of the history belongs to an incident yet.
    pub fn none(history: &History) -> Self {
        Self(vec![false; history.runs.len()])
    }

    /// Claims a run.
    pub fn claim(&mut self, place: usize) {
        self.0[place] = true;
    }

    /// Whether a run is claimed.
    pub fn has(&self, place: usize) -> bool {
        self.0[place]
    }
}
