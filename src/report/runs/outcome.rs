//! The end of a run in a few bytes: whether it was bad, and why.

use std::fmt::{self, Display, Formatter};

use crate::exit;
use crate::log::record::SignalPlace;
use crate::ssh_error::{Cause, Failure};

/// Whether a run was good, or why it was bad. Bad runs of one job with equal outcomes failed in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// END with exit status 0, or with an accepted status.
    Good,
    /// No END yet, and the process exists.
    Running,
    /// No END, and the process is gone.
    Lost,
    /// END without output, with the status of a held lock; the script begins with `flock -n`. Neither good nor bad.
    Skipped(u8),
    /// END with this exit status, for this reason.
    Failed(u8, Reason),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The command line was refused.
    Usage,
    NoSsh,
    SshNotRun,
    /// The host may not execute the script.
    NotExecutable,
    /// The host does not have the script.
    NotFound,
    /// ssh failed before it requested the remote command, as far as the log shows, and its messages show why.
    Ssh(Failure),
    /// ssh failed after it requested the remote command, and its messages show why.
    SshLater(Failure),
    /// 255 after the remote command was requested, without a message of ssh.
    RequestedThen255,
    /// 255, and no message shows whether it comes from ssh or the script.
    Unexplained,
    /// The script begins with timeout(1), which ended it after this many seconds.
    Limit(u32),
    /// A shell of the host has reported that a process was killed.
    Killed,
    /// 128+N, and where the signal N came, if the log shows that.
    Signal(Option<SignalPlace>),
    /// The script's own exit status.
    Script,
}

impl Outcome {
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Lost | Self::Failed(..))
    }

    /// Why ssh failed before the remote command ran, if it did.
    pub fn connection_failure(self) -> Option<Cause> {
        match self {
            Self::Failed(_, Reason::Ssh(failure)) => Some(failure.cause).filter(|cause| cause.is_before_the_session()),
            _ => None,
        }
    }

    /// What was refused, if that is why the connection failed.
    pub fn refusal(self) -> Option<Refusal> {
        match self.connection_failure()? {
            Cause::Authentication | Cause::Key | Cause::Account => Some(Refusal::Login),
            Cause::HostKey => Some(Refusal::HostKey),
            _ => None,
        }
    }
}

/// The part of a connection that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The server refuses the login.
    Login,
    /// ssh refuses the server's key.
    HostKey,
}

impl Display for Outcome {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Good => "ok",
            Self::Running => "still running",
            Self::Skipped(status) => {
                return write!(formatter, "skipped by flock -n, or the script returned {status} without output");
            }
            Self::Lost => "lost: no END, and the process is gone",
            Self::Failed(status, reason) => match reason {
                Reason::Ssh(failure) | Reason::SshLater(failure) => return failure.fmt(formatter),
                Reason::Signal(place) => return write_signal(formatter, *status, *place),
                Reason::Limit(seconds) => {
                    return write!(formatter, "timed out after {seconds} s");
                }
                Reason::Usage => "usage error",
                Reason::NoSsh => "there is no ssh",
                Reason::SshNotRun => "ssh could not be run",
                Reason::NotExecutable => "not executable on the host",
                Reason::NotFound => "not found on the host",
                Reason::Unexplained => "ssh failed, or the script returned 255",
                Reason::RequestedThen255 => "the script returned 255, or a signal ended it",
                Reason::Killed => "killed, perhaps for lack of memory",
                Reason::Script => "the script failed",
            },
        })
    }
}

fn write_signal(formatter: &mut Formatter<'_>, status: u8, place: Option<SignalPlace>) -> fmt::Result {
    let name = exit::signal_text(status);
    match place {
        Some(SignalPlace::Remoteexe) => write!(formatter, "ended by signal {name} to remoteexe"),
        Some(SignalPlace::Ssh) => write!(formatter, "ssh ended by signal {name}"),
        Some(SignalPlace::Host) => write!(formatter, "the script returned {status}, as after signal {name} there"),
        // Of an earlier version, or of the bash original.
        None => write!(formatter, "ended by signal {name}, or the script returned {status}"),
    }
}
