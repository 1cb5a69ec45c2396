//! The crontabs of this machine: the lines that run remoteexe, and the minutes at which they are due.
//!
//! It knows cron and nothing of the log. It reads crontabs and runs nothing that stands in them.
//!
//! **A line, from a crontab to what is missing.** `files` finds the crontabs, and `crontab` splits each into lines
//! with a `timing` and a command. `command` finds the calls of remoteexe in it, and `plan` makes them entries. `slots`
//! goes through the minutes at which an entry is due, as `slots::clock` says that the daemon has them. `due` gives
//! each the time in which its START has to come, and `comparison` takes the STARTs of the log. `check` looks for
//! what is wrong on the way.
#![cfg_attr(
    test,
    allow(
        clippy::print_stdout,
        clippy::unwrap_used,
        reason = "a test that cannot go on is a test that fails"
    )
)]

mod check;
mod command;
mod comparison;
mod crontab;
mod due;
mod files;
mod plan;
mod slots;
mod timing;
#[cfg(test)]
mod vectors;

/// A cron daemon. The two read crontabs and run their lines in slightly different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Daemon {
    /// Debian's and Ubuntu's cron, from Vixie's.
    Debian,
    /// cronie: Red Hat, SUSE, Arch.
    Cronie,
}

pub use check::{Finding, findings};
pub use comparison::{Comparison, Missed, Outage, Verdict};
pub use crontab::Columns;
pub use files::{Crontabs, Selection};
pub use plan::{Entry, Grammar, Place, Plan, Reading, Unknown};
pub use slots::clock::{Stretch, stretches};
pub use slots::zone::Zone;
