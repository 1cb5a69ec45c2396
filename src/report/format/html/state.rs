//! The state of a run or a slot: its name, and the shape and height of its cell, which show the state without colour.

use maud::{Markup, html};

use crate::report::format::{Outcome, RunSummary};

/// The states of a run, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunState {
    Good,
    Running,
    /// ssh could not connect, so the script did not run.
    NotConnected,
    /// No run: nothing was started at a slot.
    NotStarted,
    Failed,
    /// No END, and the process is gone.
    Lost,
}

impl RunState {
    pub const ALL: [Self; 6] =
        [Self::Good, Self::Running, Self::NotConnected, Self::NotStarted, Self::Failed, Self::Lost];

    pub fn of(run: &RunSummary) -> Self {
        match run.outcome {
            // Nothing is wrong.
            Outcome::Good | Outcome::Skipped(_) => Self::Good,
            Outcome::Running => Self::Running,
            Outcome::Lost => Self::Lost,
            outcome if outcome.connection_failure().is_some() => Self::NotConnected,
            Outcome::Failed(..) => Self::Failed,
        }
    }

    pub fn name(self) -> &'static str {
        self.look().0
    }

    /// The CSS class: one letter, because a page repeats it thousands of times.
    pub fn letter(self) -> &'static str {
        self.look().1
    }

    /// The name, the class, and the heights of a cell's lines in a row of 18 units. The style sheet has their widths.
    fn look(self) -> (&'static str, &'static str, &'static [u32]) {
        match self {
            Self::Good => ("ok", "g", &[14]),
            Self::Running => ("running", "r", &[9]),
            Self::NotConnected => ("connection failure", "c", &[3, 15]),
            Self::NotStarted => ("not started", "m", &[1, 17]),
            Self::Failed => ("failed", "f", &[9]),
            Self::Lost => ("lost", "l", &[5]),
        }
    }

    pub fn heights(self) -> &'static [u32] {
        self.look().2
    }

    /// The path of a cell in `column`.
    pub fn cell(self, column: usize) -> String {
        let lines = self.heights().iter().map(|height| format!("M{column} {height}h1"));
        lines.collect()
    }
}

pub fn legend() -> Markup {
    html! {
        ul.legend aria-label="Legend" {
            @for state in RunState::ALL {
                li {
                    svg.key viewBox="0 0 1 18" preserveAspectRatio="none" aria-hidden="true" {
                        path class=(state.letter()) d=(state.cell(0)) {}
                    }
                    " " (state.name())
                }
            }
        }
    }
}
