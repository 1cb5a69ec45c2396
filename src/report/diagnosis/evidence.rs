//! What a diagnosis is based on.

use super::incident::Incident;
use crate::report::history::History;
use crate::report::history::scope::Scope;
use crate::report::slots::missed::MissedStarts;

#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    pub history: &'a History,
    pub missed: &'a MissedStarts,
    pub scope: &'a Scope,
}

/// Finds incidents of one kind, and claims their bad runs: a bad run belongs to the first rule that claims it. A rule
/// never changes what another one found.
pub type Rule = fn(&Evidence, &mut Claims) -> Vec<Incident>;

/// Which bad runs belong to an incident, by their number in the history.
pub struct Claims(Vec<bool>);

impl Claims {
    pub fn none(history: &History) -> Self {
        Self(vec![false; history.runs.len()])
    }

    pub fn claim(&mut self, place: usize) {
        self.0[place] = true;
    }

    pub fn has(&self, place: usize) -> bool {
        self.0[place]
    }
}
