//! The state of a run: its name, its colour, and a shape that shows the state without colour.

use maud::{Markup, PreEscaped, html};

use crate::report::history::RunSummary;
use crate::report::runs::outcome::Outcome;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunState {
    Good,
    /// The script or ssh failed.
    Failed,
    /// ssh could not connect, so the script did not run.
    NotConnected,
    /// Without END, and the process is gone.
    Lost,
    Running,
    /// No run: nothing was started at a slot.
    NotStarted,
}

impl RunState {
    pub const ALL: [Self; 6] =
        [Self::Good, Self::Failed, Self::NotConnected, Self::Lost, Self::Running, Self::NotStarted];

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

    fn look(self) -> Look {
        let look = |name, letter, shape, pattern| Look { name, letter, shape, pattern };
        match self {
            Self::Good => look("ok", "g", "M-1.5-5h3V5h-3z", None),
            Self::Failed => look(
                "failed",
                "f",
                "M-5-3.4-3.4-5 0-1.6 3.4-5 5-3.4 1.6 0 5 3.4 3.4 5 0 1.6-3.4 5-5 3.4-1.6 0z",
                Some("M-1 7 7-1M-4 4 4-4M2 10 10 2"),
            ),
            Self::NotConnected => {
                look("connection failure", "c", "M0-5.5 5.5 4.5h-11z", Some("M3 0v6"))
            }
            Self::Lost => look("lost", "l", "M-4.5-4.5h9v9h-9z", Some("M0 3h6")),
            Self::Running => look("running", "r", "M-4-5.5 5.5 0-4 5.5z", None),
            Self::NotStarted => look(
                "not started",
                "m",
                "M0-5.5A5.5 5.5 0 0 1 0 5.5 5.5 5.5 0 0 1 0-5.5M0-3A3 3 0 0 0 0 3 3 3 0 0 0 0-3",
                None,
            ),
        }
    }

    pub fn name(self) -> &'static str {
        self.look().name
    }

    pub fn letter(self) -> &'static str {
        self.look().letter
    }
}

struct Look {
    /// The name on the page.
    name: &'static str,
    /// The name in the style sheet and the script: one letter, because a page has many.
    letter: &'static str,
    /// The shape around the point 0, 0. A run that is not there has a hollow one.
    shape: &'static str,
    /// The pattern of a bar of several runs, in a square of six units. None if the bar is plain.
    pattern: Option<&'static str>,
}

/// The shapes and patterns to which the rest of the page refers.
pub fn shapes() -> Markup {
    html! {
        svg.shapes width="0" height="0" aria-hidden="true" {
            @for state in RunState::ALL {
                path id={ "s" (state.letter()) } d=(state.look().shape) {}
                symbol id={ "k" (state.letter()) } viewBox="-7 -7 14 14" { (at("0", "0", state)) }
                @if let Some(lines) = state.look().pattern {
                    pattern id={ "p" (state.letter()) } width="6" height="6" patternUnits="userSpaceOnUse" {
                        path class=(state.letter()) d=(lines) {}
                    }
                }
            }
            @for (id, lines) in [("bh", "M-1 5 5-1M-1 1 1-1M3 5 5 3"), ("bc", "M-1-1 5 5M-1 3 1 5M3-1 5 1")] {
                pattern id=(id) width="4" height="4" patternUnits="userSpaceOnUse" {
                    path class=(id) d=(lines) {}
                }
            }
        }
    }
}

pub fn in_text(state: RunState) -> Markup {
    html! {
        svg.key.(state.letter()) aria-hidden="true" { use href={ "#k" (state.letter()) } {} }
    }
}

pub fn at(x: &str, y: &str, state: RunState) -> Markup {
    html! { (PreEscaped("<use href=\"#s")) (state.letter()) (PreEscaped("\" x=\"")) (x) (PreEscaped("\" y=\"")) (y) (PreEscaped("\"/>")) }
}
