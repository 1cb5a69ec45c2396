//! The meaning of ssh's messages: why it failed.

use std::fmt::{self, Display, Formatter};

/// Why ssh(1) ended with 255.
///
/// The messages are those of OpenSSH 7.6 to 10. They are in English in every locale. With 9.2, a connection
/// was cut at every point of its life to see which of them ssh prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// No address for the host's name.
    NotResolved,
    /// Nobody listens on the port.
    Refused,
    /// No answer, to the connection or in the handshake.
    TimedOut,
    /// No way to the host.
    Unreachable,
    /// The connection ended before there was a session: `MaxStartups`, a server that is restarted.
    Dropped,
    /// The connection ended while the remote command may have been running.
    Disconnected,
    /// The host's key is unknown, or not the known one.
    HostKey,
    /// The login or the key is not accepted.
    Authentication,
    /// Client and server have no common algorithm, or the server does not speak SSH.
    Protocol,
    /// ssh does not understand its configuration or its command line.
    Configuration,
}

impl Cause {
    /// The cause that `line` of ssh's output names, if it is such a message.
    pub fn from_message(line: &[u8]) -> Option<Self> {
        // ssh ends its messages with CR LF.
        let line = String::from_utf8_lossy(line.trim_ascii_end());
        // With LogLevel DEBUG the same functions also show what the server has sent:
        // `debug1: kex_exchange_identification: banner line 0: Exceeded MaxStartups`.
        // An option that ssh no longer uses is only a warning.
        if line.starts_with("debug")
            || line.contains(": Unsupported option \"")
            || line.contains(": Deprecated option \"")
        {
            return None;
        }
        Self::before_the_session(&line).or_else(|| Self::of_a_refusal(&line))
    }

    /// Whether the next attempt may succeed. With such a cause no authentication has failed: a server may
    /// lock us out for that (`PerSourcePenalties` of `sshd_config(5)`).
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::NotResolved | Self::Refused | Self::TimedOut | Self::Unreachable | Self::Dropped
        )
    }

    fn before_the_session(line: &str) -> Option<Self> {
        let broken = [
            "Connection closed by remote host",
            "Connection reset by peer",
            "Connection timed out",
            "Operation timed out",
            "No route to host",
            "Network is unreachable",
            "Broken pipe",
        ];
        if line.starts_with("ssh: Could not resolve host") {
            Some(Self::NotResolved)
        } else if line.starts_with("ssh: connect to host ") {
            Some(match line.rsplit(": ").next() {
                Some("Connection refused") => Self::Refused,
                Some("Connection timed out" | "Operation timed out") => Self::TimedOut,
                // This machine does not have the address or the interface to bind to.
                Some("failure") => Self::Configuration,
                _ => Self::Unreachable,
            })
        } else if line == "Connection timed out during banner exchange"
            || line.starts_with("Connection to ") && line.ends_with(" timed out")
        {
            Some(Self::TimedOut)
        } else if line.starts_with("Connection closed by ")
            || line.starts_with("Connection reset by ")
            || (line.contains("_exchange_identification: ") || line.contains(": Connection to "))
                && broken.iter().any(|end| line.ends_with(end))
        {
            Some(Self::Dropped)
        } else {
            None
        }
    }

    fn of_a_refusal(line: &str) -> Option<Self> {
        let starts = |starts: &[&str]| starts.iter().any(|start| line.starts_with(start));
        let contains = |parts: &[&str]| parts.iter().any(|part| line.contains(part));
        if starts(&["Host key verification failed"]) {
            Some(Self::HostKey)
        } else if starts(&["Permission denied, "])
            || contains(&[": Permission denied (", "Too many authentication failures"])
        {
            Some(Self::Authentication)
        } else if starts(&["Unable to negotiate with ", "Bad remote protocol version"])
            || contains(&["_exchange_identification: ", "banner exchange: "])
        {
            Some(Self::Protocol)
        } else if starts(&[
            "command-line: ",
            "command-line line ",
            "Cannot execute command-line and remote command",
            "Can't open user config file",
            // ssh cannot run the shell of the LocalCommand, and goes on all the same.
            "Couldn't execute ",
        ]) || contains(&[
            "Bad configuration option",
            "terminating, ",
            "Bad owner or permissions on",
        ]) {
            Some(Self::Configuration)
        } else if starts(&[
            "client_loop: ",
            "Timeout, server ",
            "Read from remote host ",
        ]) || line.starts_with("Connection to ")
            && line.ends_with(" closed by remote host.")
        {
            Some(Self::Disconnected)
        } else {
            None
        }
    }
}

impl Display for Cause {
    /// The words of a report.
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotResolved => "name not resolved",
            Self::Refused => "connection refused",
            Self::TimedOut => "connection timed out",
            Self::Unreachable => "host unreachable",
            Self::Dropped => "connection dropped by the server",
            Self::Disconnected => "connection lost while the job ran",
            Self::HostKey => "host key not accepted",
            Self::Authentication => "authentication failed",
            Self::Protocol => "no common protocol",
            Self::Configuration => "ssh's configuration is wrong",
        })
    }
}

/// The cause that follows from all messages of one ssh.
///
/// A permanent cause outweighs the others: a jump host that refuses our key also leaves the message of a
/// dropped connection. Of the transient causes the first one counts, for the same reason.
#[derive(Debug, Default, Clone, Copy)]
pub struct Diagnosis {
    transient: Option<Cause>,
    permanent: Option<Cause>,
}

impl Diagnosis {
    /// Takes a line of output into account.
    pub fn observe(&mut self, line: &[u8]) {
        if let Some(cause) = Cause::from_message(line) {
            let kind = if cause.is_transient() {
                &mut self.transient
            } else {
                &mut self.permanent
            };
            kind.get_or_insert(cause);
        }
    }

    /// The cause of the failure, if a message has named one.
    pub fn cause(self) -> Option<Cause> {
        self.permanent.or(self.transient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_of_ssh_has_its_cause() {
        for (cause, messages) in [
            (
                Cause::NotResolved,
                "ssh: Could not resolve hostname h: Name or service not known
                 ssh: Could not resolve hostname h: Temporary failure in name resolution
                 ssh: Could not resolve host \"h.invalid\"",
            ),
            (
                Cause::Refused,
                "ssh: connect to host h port 22: Connection refused",
            ),
            (
                Cause::TimedOut,
                "ssh: connect to host h port 22: Connection timed out
                 Connection timed out during banner exchange
                 Connection to 10.255.255.1 port 22 timed out",
            ),
            (
                Cause::Unreachable,
                "ssh: connect to host h port 22: No route to host
                 ssh: connect to host h port 22: Network is unreachable",
            ),
            (
                Cause::Dropped,
                "kex_exchange_identification: Connection closed by remote host
                 kex_exchange_identification: read: Connection reset by peer
                 ssh_exchange_identification: Connection closed by remote host
                 kex_exchange_identification: read: No route to host
                 banner exchange: Connection to 127.0.0.1 port 22: Broken pipe
                 Connection closed by 127.0.0.1 port 22
                 Connection reset by 127.0.0.1 port 22
                 Connection closed by UNKNOWN port 65535
                 ssh_dispatch_run_fatal: Connection to 127.0.0.1 port 22: Broken pipe",
            ),
            (
                Cause::Disconnected,
                "Connection to 127.0.0.1 closed by remote host.
                 client_loop: send disconnect: Broken pipe
                 Timeout, server 127.0.0.1 not responding.",
            ),
            (Cause::HostKey, "Host key verification failed."),
            (
                Cause::Authentication,
                "root@127.0.0.1: Permission denied (publickey).
                 Permission denied, please try again.
                 Received disconnect from 127.0.0.1 port 22:2: Too many authentication failures",
            ),
            (
                Cause::Protocol,
                "Unable to negotiate with 127.0.0.1 port 22: no matching cipher found. Their offer: a
                 kex_exchange_identification: banner line contains invalid characters
                 banner exchange: Connection to 127.0.0.1 port 25: invalid format",
            ),
            (
                Cause::Configuration,
                "command-line: line 0: Bad configuration option: foo
                 /root/.ssh/config: terminating, 1 bad configuration options
                 Bad owner or permissions on /root/.ssh/config
                 ssh: connect to host h port 22: failure
                 Couldn't execute /bin/sh -c \"echo x\": Permission denied
                 Cannot execute command-line and remote command.",
            ),
        ] {
            for message in messages.lines().map(str::trim_start) {
                let message = format!("{message}\r");
                assert_eq!(Cause::from_message(message.as_bytes()), Some(cause), "{message}");
            }
        }
    }

    #[test]
    fn other_lines_have_no_cause() {
        let warning = "Warning: Permanently added 'h' (ED25519) to the list of known hosts.\r";
        let debug = "debug1: kex_exchange_identification: banner line 0: Exceeded MaxStartups\r";
        let unsupported = "command-line line 0: Unsupported option \"rsaauthentication\"\r";
        for line in ["", warning, debug, unsupported, "done"] {
            assert_eq!(Cause::from_message(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn a_permanent_cause_outweighs_a_transient_one_and_the_first_transient_one_the_others() {
        let cause = |messages: &[&str]| {
            let mut diagnosis = Diagnosis::default();
            for message in messages {
                diagnosis.observe(message.as_bytes());
            }
            diagnosis.cause()
        };
        let dropped = "kex_exchange_identification: Connection closed by remote host\r";
        let denied = "jump@10.0.0.1: Permission denied (publickey).\r";
        let refused = "ssh: connect to host jump port 22: Connection refused\r";
        assert_eq!(cause(&[]), None);
        assert_eq!(cause(&[dropped]), Some(Cause::Dropped));
        assert_eq!(cause(&[refused, dropped]), Some(Cause::Refused));
        assert_eq!(cause(&[denied, dropped]), Some(Cause::Authentication));
        assert_eq!(cause(&[dropped, denied]), Some(Cause::Authentication));
    }
}
