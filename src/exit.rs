//! All exit statuses: those of remoteexe, and the meaning of those of other programs.

use std::fmt::{self, Display, Formatter};
use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

use nix::sys::signal::Signal;

/// Nothing is wrong; for `--report`: nothing has failed.
pub const SUCCESS: u8 = 0;
/// `--report`: a run failed, was lost or was not started.
pub const FOUND_FAILURES: u8 = 1;
/// A usage error: nothing was run. The bash original's number.
pub const USAGE_ERROR: u8 = 10;
/// `--report`: an input could not be read, or the report could not be written (`EX_IOERR` of sysexits.h). The same for
/// the help, the version, and the texts of `--generate`.
pub const IO_ERROR: u8 = 74;
/// ssh exists but cannot be run, as in a POSIX shell (XCU 2.8.2).
pub const CANNOT_RUN: u8 = 126;
/// There is no ssh, as in a POSIX shell (XCU 2.8.2).
pub const NOT_FOUND: u8 = 127;
/// ssh itself failed, or the remote command returned this or died by a signal (ssh(1), EXIT STATUS).
pub const SSH_FAILED: u8 = 255;
/// What a POSIX shell adds to the number of the signal that ended a command (XCU 2.8.2).
pub const SIGNALLED: u8 = 128;
/// The last signal of Linux (signal(7)).
const LAST_SIGNAL: u8 = 64;

pub fn of_signal(number: u8) -> u8 {
    SIGNALLED.saturating_add(number)
}

/// The exit status of a child: its own, or 128+N if signal N ended the child.
pub fn of_child(status: ExitStatus) -> u8 {
    match status.code() {
        // The kernel keeps eight bits of the status (wait(2)).
        Some(code) => u8::try_from(code).unwrap_or(u8::MAX),
        None => status.signal().and_then(|signal| u8::try_from(signal).ok()).map_or(u8::MAX, of_signal),
    }
}

/// The number N of a signal, if `status` is 128+N.
pub fn signal_number(status: u8) -> Option<u8> {
    status.checked_sub(SIGNALLED).filter(|signal| (1..=LAST_SIGNAL).contains(signal))
}

/// The name of the signal in `status`, without `SIG`.
pub fn signal(status: u8) -> Option<&'static str> {
    let signal = Signal::try_from(i32::from(signal_number(status)?)).ok()?;
    Some(signal.as_str().trim_start_matches("SIG"))
}

/// The signal in `status` for a reader: its name, or its number if it has none.
pub fn signal_text(status: u8) -> String {
    signal(status).map_or_else(|| status.saturating_sub(SIGNALLED).to_string(), str::to_owned)
}

/// Exit statuses that are not failures: scripts use them for "locked" or "nothing to do".
#[derive(Debug, Clone, Default)]
pub struct SuccessStatuses(pub Vec<u8>);

impl SuccessStatuses {
    /// Parses a list such as `1,75,99`, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let status = |word: &str| match word.trim().parse() {
            Err(_) | Ok(SUCCESS) => Err("expected exit statuses from 1 to 254 with commas between them"),
            Ok(SSH_FAILED) => Err("255 is also what ssh gives if the connection failed"),
            Ok(status) => Ok(status),
        };
        text.split(',').map(status).collect::<Result<_, _>>().map(Self)
    }
}

impl Display for SuccessStatuses {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let statuses: Vec<String> = self.0.iter().map(u8::to_string).collect();
        formatter.write_str(&statuses.join(","))
    }
}
