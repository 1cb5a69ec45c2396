//! The crontabs of this machine: the lines that run remoteexe, and the minutes at which they are due.
//!
//! It knows cron and nothing of the log. It reads crontabs and runs nothing that stands in them.
#![cfg_attr(
    test,
    allow(
        clippy::print_stdout,
        clippy::unwrap_used,
        reason = "a test that cannot go on is a test that fails"
    )
)]

mod check;
mod clock;
mod command;
#[allow(dead_code, reason = "for the report of the log")]
mod comparison;
mod crontab;
#[allow(dead_code, reason = "for the report of the log")]
mod due;
mod field;
mod files;
mod percent;
mod plan;
mod shell;
mod slots;
mod timing;
mod told;
mod variable;
#[cfg(test)]
mod vectors;
mod words;
mod wrapper;
mod zone;

/// A cron daemon. The two read crontabs and run their lines in slightly different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Daemon {
    /// Debian's and Ubuntu's cron, from Vixie's.
    Debian,
    /// cronie: Red Hat, SUSE, Arch.
    Cronie,
}

pub use check::{Finding, findings};
pub use clock::{Stretch, stretches};
pub use crontab::Columns;
pub use files::{Crontabs, LeftOut, Selection};
pub use plan::{Entry, Grammar, Plan, Reading, Unknown};
pub use zone::Zone;
