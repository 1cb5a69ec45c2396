//! The state of a run's state: its name, its colour, and a shape that shows the state without colour.

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

    /// The name on the page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Failed => "failed",
            Self::NotConnected => "connection failure",
            Self::Lost => "lost",
            Self::Running => "running",
            Self::NotStarted => "not started",
        }
    }

    /// The name in the style sheet and the script: one letter, because a page has many.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Good => "g",
            Self::Failed => "f",
            Self::NotConnected => "c",
            Self::Lost => "l",
            Self::Running => "r",
            Self::NotStarted => "m",
        }
    }

    /// The shape around the point 0, 0. A run that is not there has a hollow one.
    fn shape(self) -> &'static str {
        match self {
            Self::Good => "M-1.5-5h3V5h-3z",
            Self::Failed => {
                "M-5-3.4-3.4-5 0-1.6 3.4-5 5-3.4 1.6 0 5 3.4 3.4 5 0 1.6-3.4 5-5 3.4-1.6 0z"
            }
            Self::NotConnected => "M0-5.5 5.5 4.5h-11z",
            Self::Lost => "M-4.5-4.5h9v9h-9z",
            Self::Running => "M-4-5.5 5.5 0-4 5.5z",
            Self::NotStarted => {
                "M0-5.5A5.5 5.5 0 0 1 0 5.5 5.5 5.5 0 0 1 0-5.5M0-3A3 3 0 0 0 0 3 3 3 0 0 0 0-3"
            }
        }
    }

    /// The pattern of a bar of several runs, in a square of six units. None if the bar is plain.
    fn pattern(self) -> Option<&'static str> {
        match self {
            Self::Good | Self::Running | Self::NotStarted => None,
            Self::Failed => Some("M-1 7 7-1M-4 4 4-4M2 10 10 2"),
            Self::NotConnected => Some("M3 0v6"),
            Self::Lost => Some("M0 3h6"),
        }
    }
}

/// The shapes and patterns to which the rest of the page refers.
pub fn shapes() -> Markup {
    html! {
        svg.shapes width="0" height="0" aria-hidden="true" {
            @for state in RunState::ALL {
                path id={ "s" (state.letter()) } d=(state.shape()) {}
                symbol id={ "k" (state.letter()) } viewBox="-7 -7 14 14" { (at("0", "0", state)) }
                @if let Some(lines) = state.pattern() {
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
