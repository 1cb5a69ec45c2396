//! How the state of a run looks: its name, its colour, and the shape that marks it without colour.

use maud::{Markup, PreEscaped, html};

use crate::report::history::RunSummary;
use crate::report::runs::outcome::Outcome;

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunState {
    /// It was good.
    Good,
    /// Its script or its ssh failed.
    Failed,
    /// ssh could not connect, so that the script did not run.
    NotConnected,
    /// It has no END, and its process is gone.
    Lost,
    /// It goes on.
    Running,
    /// There is none: nothing was started at the slot of a line.
    NotStarted,
}

impl RunState {
    /// All states.
    pub const ALL: [Self; 6] =
        [Self::Good, Self::Failed, Self::NotConnected, Self::Lost, Self::Running, Self::NotStarted];

    /// That of a run.
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

    /// Its name on the page.
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

    /// Its name in the style sheet and in the script: one letter, because a page has many of them.
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

    /// Its shape, around the point 0, 0. That of a run that is not there is hollow.
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

    /// The pattern of a bar of several runs, in a square of six units. There is none if the bar is plain.
    fn pattern(self) -> Option<&'static str> {
        match self {
            Self::Good | Self::Running | Self::NotStarted => None,
            Self::Failed => Some("M-1 7 7-1M-4 4 4-4M2 10 10 2"),
            Self::NotConnected => Some("M3 0v6"),
            Self::Lost => Some("M0 3h6"),
        }
    }
}

/// The shapes and patterns that the rest of the page refers to.
pub fn shapes() -> Markup {
    html! {
        svg.shapes width="0" height="0" aria-hidden="true" {
            @for look in RunState::ALL {
                path id={ "s" (look.letter()) } d=(look.shape()) {}
                symbol id={ "k" (look.letter()) } viewBox="-7 -7 14 14" { (at("0", "0", look)) }
                @if let Some(lines) = look.pattern() {
                    pattern id={ "p" (look.letter()) } width="6" height="6" patternUnits="userSpaceOnUse" {
                        path class=(look.letter()) d=(lines) {}
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

/// A shape in a line of text.
pub fn in_text(look: RunState) -> Markup {
    html! {
        svg.key.(look.letter()) aria-hidden="true" { use href={ "#k" (look.letter()) } {} }
    }
}

/// A shape at a point.
pub fn at(x: &str, y: &str, look: RunState) -> Markup {
    html! { (PreEscaped("<use href=\"#s")) (look.letter()) (PreEscaped("\" x=\"")) (x) (PreEscaped("\" y=\"")) (y) (PreEscaped("\"/>")) }
}
