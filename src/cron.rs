//! The crontabs: the lines that run remoteexe, and the minutes at which cron starts them.
//!
//! Knows cron and nothing of the log. Reads crontabs and runs nothing.
//!
//! **A line, from a crontab to a missed start.** `crontab::files` finds the crontabs, and `crontab::parse` splits each
//! into lines with a `timing` and a command. `command` finds the calls of remoteexe in the command, and `jobs` collects
//! them. `calendar` lists the minutes at which a line is due. `compare` matches these slots with the STARTs of the log.
//! `lint` looks for mistakes on the way.

mod calendar;
mod command;
mod compare;
mod crontab;
mod daemon;
mod fault;
mod jobs;
mod line_command;
mod lint;
mod portable;
mod timing;
pub mod upcoming;

pub use calendar::dst::{ClockInterval, clock_intervals};
#[cfg(test)]
pub use calendar::vectors;
pub use calendar::zone::Zone;
pub use command::lock::Lock;
pub use command::wrappers::{first_gives_status, limit_of_script};
pub use compare::comparison::{Comparison, ComparisonResult, MissedSlot, SlotOutage};
pub use crontab::files::{CrontabSelection, Crontabs, Trust, TrustIn};
pub use crontab::parse::Columns;
pub use daemon::Daemon;
pub use fault::{Fault, Finding};
pub use jobs::{CallMeaning, CommentedOut, CronJob, CronJobs, JobCall, LineRef, ParseCall, UnknownCall};
pub use line_command::LineCommand;
pub use lint::findings;
pub use portable::{PortableLine, PortableLines};
pub use timing::{Timing, numbers};
