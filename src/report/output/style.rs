//! The colours and the width of a text.

use std::env;
use std::io::{self, IsTerminal};

use rustix::termios::tcgetwinsize;

use crate::report::diagnosis::incident::IncidentState;

/// The width if neither `COLUMNS` nor a terminal gives a width.
const DEFAULT_WIDTH: u16 = 80;
/// A narrower terminal counts as unknown: no table would fit.
const MIN_WIDTH: u16 = 40;

/// The meaning of a colour.
pub enum Severity {
    Heading,
    Bad,
    /// May need attention.
    Doubtful,
    /// Recovered.
    Good,
}

impl Severity {
    pub fn of(state: IncidentState) -> Self {
        match state {
            IncidentState::Recovered => Self::Good,
            IncidentState::Slower | IncidentState::Dropped | IncidentState::Flapping | IncidentState::Late => {
                Self::Doubtful
            }
            _ => Self::Bad,
        }
    }

    /// The parameter of `SGR` (ECMA-48, 8.3.117).
    fn code(self) -> &'static str {
        match self {
            Self::Heading => "1",
            Self::Bad => "31",
            Self::Doubtful => "33",
            Self::Good => "32",
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Style {
    is_coloured: bool,
    pub width: u16,
}

impl Style {
    /// By default, a terminal that supports colours gets them, unless `NO_COLOR` (<https://no-color.org>) is set.
    pub fn of_stdout(wants_colours: Option<bool>) -> Self {
        let is_unwanted = || env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let are_usual = || io::stdout().is_terminal() && !is_unwanted() && !is_dumb();
        Self { is_coloured: wants_colours.unwrap_or_else(are_usual), width: width() }
    }

    pub fn paint(self, severity: Severity, text: &str) -> String {
        if self.is_coloured { format!("\x1b[{}m{text}\x1b[0m", severity.code()) } else { text.to_owned() }
    }
}

pub fn is_dumb() -> bool {
    env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}

/// The width that `COLUMNS` gives, or else the terminal.
fn width() -> u16 {
    let columns = env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let terminal = || Some(tcgetwinsize(io::stdout()).ok()?.ws_col);
    let is_wide_enough = |width: &u16| *width >= MIN_WIDTH;
    columns.filter(is_wide_enough).or_else(|| terminal().filter(is_wide_enough)).unwrap_or(DEFAULT_WIDTH)
}
