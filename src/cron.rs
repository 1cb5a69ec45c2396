//! The crontabs of this machine: the lines that run remoteexe, and the minutes at which they are due.
//!
//! It knows cron and nothing of the log. It reads crontabs and runs nothing that stands in them.
//!
//! **A line, from a crontab to a missed start.** `crontab::files` finds the crontabs, and `crontab::parse` splits each into
//! lines with a `timing` and a command. `command` finds the calls of remoteexe in the command, and `jobs` collects them.
//! `calendar` goes through the minutes at which a line is due. `compare` gives each minute the time in which its START
//! has to come, and takes the STARTs of the log. `lint` looks for what is wrong on the way.
#![cfg_attr(
    test,
    allow(
        clippy::print_stdout,
        clippy::unwrap_used,
        reason = "a test that cannot go on is a test that fails"
    )
)]

mod calendar;
mod command;
mod compare;
mod crontab;
mod daemon;
mod jobs;
mod lint;
mod portable;
mod timing;

pub use calendar::dst::{Stretch, stretches};
pub use calendar::zone::Zone;
pub use compare::comparison::{Comparison, Missed, Outage, Verdict};
pub use crontab::files::{Crontabs, Selection};
pub use crontab::parse::Columns;
pub use daemon::Daemon;
pub use jobs::{Entry, Grammar, Place, Plan, Reading, Unknown};
pub use lint::{Finding, findings};
pub use portable::{PortableLine, PortableLines, is_read_by_cron};
pub use timing::Timing;
