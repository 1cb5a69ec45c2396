//! The cron daemons that are known.

/// A cron daemon. The two read crontabs and run their lines in slightly different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Daemon {
    /// Debian's and Ubuntu's cron, from Vixie's.
    Debian,
    /// cronie: Red Hat, SUSE, Arch.
    Cronie,
}
