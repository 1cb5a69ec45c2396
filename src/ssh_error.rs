//! The meaning of ssh's messages: why it failed.

/// Why ssh(1) ended with 255.
///
/// The messages are those of OpenSSH 7.4 to 10.5 in `tests/data/openssh-messages.txt`, English in every locale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Cause {
    /// The host's name has no address.
    #[error("name not resolved")]
    NotResolved,
    /// Nobody listens on the port.
    #[error("connection refused")]
    Refused,
    /// No answer, to the connection or in the handshake.
    #[error("connection timed out")]
    TimedOut,
    #[error("host unreachable")]
    Unreachable,
    /// The connection ended before there was a session: `MaxStartups`, or a server that restarts.
    #[error("connection dropped by the server")]
    Dropped,
    /// A `ProxyCommand`, or the ssh to a jump host, ended before there was a session.
    #[error("connection dropped by the jump host or ProxyCommand")]
    ProxyEnded,
    /// The connection ended while the remote command may have been running.
    #[error("connection lost while the job ran")]
    Disconnected,
    /// The host's key is unknown, or not the known one.
    #[error("host key not accepted")]
    HostKey,
    #[error("authentication failed")]
    Authentication,
    /// ssh cannot use the key: its file is missing, damaged, or others may read it.
    #[error("the key cannot be used")]
    Key,
    /// The server knows the user, and refuses the account: it has expired, or has no login.
    #[error("login refused by the server")]
    Account,
    /// Client and server have no common algorithm, or the server does not speak SSH.
    #[error("no common protocol")]
    Protocol,
    #[error("ssh's configuration is wrong")]
    Configuration,
    /// The server accepts the login, but no session: `MaxSessions`.
    #[error("session refused by the server")]
    NoSession,
    /// The jump host does not forward connections: `AllowTcpForwarding`.
    #[error("forwarding refused by the jump host")]
    NoForwarding,
    /// A port to forward is taken, with `ExitOnForwardFailure`.
    #[error("a port to forward is taken")]
    PortTaken,
}

impl Cause {
    /// The cause in `line` of ssh's output, if that is such a message.
    pub fn from_message(line: &[u8]) -> Option<Self> {
        // ssh ends its messages with CR LF.
        let line = String::from_utf8_lossy(line.trim_ascii_end());
        if let Some((_, reason)) = open_failure(&line) {
            return Some(Self::of_an_open_failure(reason));
        }
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

    /// Whether the next attempt may succeed. No authentication has failed with such a cause, for which a server may
    /// lock us out (`PerSourcePenalties` of `sshd_config(5)`).
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::NotResolved | Self::Refused | Self::TimedOut | Self::Unreachable | Self::Dropped | Self::ProxyEnded
        )
    }

    /// Whether the remote command was not requested, as far as the message shows.
    pub fn is_before_the_session(self) -> bool {
        !matches!(self, Self::Disconnected | Self::PortTaken)
    }

    /// The cause from the reason of a jump host, or of a server that refuses the session.
    fn of_an_open_failure(reason: &str) -> Self {
        match reason {
            "Connection refused" => Self::Refused,
            "Connection timed out" | "Operation timed out" => Self::TimedOut,
            "No route to host" | "Network is unreachable" => Self::Unreachable,
            "Name or service not known" | "Temporary failure in name resolution" => Self::NotResolved,
            _ => Self::NoSession,
        }
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
        if line.starts_with("packet_write_wait: ") {
            // Up to 7.9, instead of `client_loop: `.
            None
        } else if line.starts_with("ssh: Could not resolve host") {
            // With `AddressFamily` or -4 for a host without such an address.
            let is_setting = line.ends_with(": Address family for hostname not supported");
            Some(if is_setting { Self::Configuration } else { Self::NotResolved })
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
        } else if line.contains(" UNKNOWN port ") {
            // The connection is a pipe to a local program.
            Some(Self::ProxyEnded)
        } else if line == "write: Broken pipe"
            || line.starts_with("Connection closed by ")
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
        } else if is_refused_account(line) || is_no_login(line) {
            Some(Self::Account)
        } else if line == NO_LOCAL_FORWARDING
            || starts(&["Could not request remote forwarding.", "Error: remote port forwarding failed for listen p"])
        {
            Some(Self::PortTaken)
        } else if starts(&["Permission denied, ", "Permission denied (", "Authentication failed."])
            || contains(&[": Permission denied (", "Too many authentication failures"])
        {
            Some(Self::Authentication)
        } else if starts(&[
            "Unable to negotiate with ",
            "Bad remote protocol version",
            "Protocol major versions differ: ",
        ]) || contains(&["_exchange_identification: ", "banner exchange: "])
        {
            Some(Self::Protocol)
        } else if starts(&[
            "command-line: ",
            "command-line line ",
            "Cannot execute command-line and remote command",
            "Can't open user config file",
            // ssh cannot run the shell of the LocalCommand, and continues.
            "Couldn't execute ",
            // This machine does not have the address to bind to.
            "bind: ",
            "bind ",
            "hostname contains invalid characters",
            "remote username contains invalid characters",
        ]) || contains(&["Bad configuration option", "terminating, ", "Bad owner or permissions on"])
            || is_error_of_a_file(line)
            || is_shell_without_program(line)
        {
            Some(Self::Configuration)
        } else if starts(&["client_loop: ", "packet_write_wait: ", "Timeout, server ", "Read from remote host "])
            || line.starts_with("Connection to ") && line.ends_with(" closed by remote host.")
        {
            Some(Self::Disconnected)
        } else {
            None
        }
    }
}

/// ssh cannot listen on a port of this machine, and ends before it requests anything.
pub const NO_LOCAL_FORWARDING: &str = "Could not request local forwarding.";

/// Whether `line` is a remark that ssh prints before the output of every run.
pub fn is_remark(line: &[u8]) -> bool {
    // From 10.1 on, if the server has no post-quantum key exchange.
    const POST_QUANTUM: [&[u8]; 3] = [
        b"** WARNING: connection is not using a post-quantum key exchange algorithm.",
        b"** This session may be vulnerable to \"store now, decrypt later\" attacks.",
        b"** The server may need to be upgraded. See https://openssh.com/pq.html",
    ];
    line.starts_with(b"** ") && POST_QUANTUM.contains(&line.trim_ascii_end())
}

/// Whether `line` is of a cloud image, a nologin shell or an expired password, whose status is 142, 1 or even 0.
pub fn is_no_login(line: &str) -> bool {
    let line = line.trim_end();
    line.starts_with("Please login as the user \"") && line.contains(" rather than the user ")
        || line == "This account is currently not available."
        || line == "Password change required but no TTY available."
}

/// Whether `line` comes from a server that refuses the account.
fn is_refused_account(line: &str) -> bool {
    let sentences = [
        "Your account has expired",
        "Your password has expired",
        "Password change required but no TTY available",
        "are not permitted to log in",
        "System is going down. ",
    ];
    sentences.iter().any(|sentence| line.contains(sentence))
}

/// The beginning of remoteexe's own message about a key of a refused login: ssh is silent about a passphrase. An agent
/// may have known the key, so the message says no more.
pub const HAS_PASSPHRASE: &str = "the key has a passphrase: ";

/// Whether `line` says that ssh cannot use a key.
pub fn is_about_a_key(line: &str) -> bool {
    line.strip_prefix("remoteexe: ").is_some_and(|message| message.starts_with(HAS_PASSPHRASE))
        || line.starts_with("Load key \"")
        || line.starts_with("no such identity: ")
        || line.starts_with("Permissions 0") && line.ends_with(" are too open.")
        || line.starts_with("Warning: Identity file ") && line.contains(" not accessible: ")
}

/// The channel and the reason in `channel N: open failed: KIND: REASON`.
fn open_failure(line: &str) -> Option<(u32, &str)> {
    let (channel, failure) = line.strip_prefix("channel ")?.split_once(": open failed: ")?;
    let (_, reason) = failure.split_once(": ")?;
    Some((channel.parse().ok()?, reason))
}

/// Whether `line` is `FILE line N: ERROR` of ssh's parser. Other programs write `FILE: line N: ERROR`.
fn is_error_of_a_file(line: &str) -> bool {
    let beginnings = [
        "bad ",
        "missing ",
        "unsupported ",
        "invalid ",
        "keyword ",
        "no ",
        "too many ",
        "value out of range",
        "integer value ",
    ];
    let error = line.split_once(" line ").and_then(|(file, rest)| {
        let (number, error) = rest.split_once(": ")?;
        let is_number = number.parse::<u32>().is_ok() && !file.ends_with(':');
        is_number.then(|| error.to_ascii_lowercase())
    });
    error.is_some_and(|error| beginnings.iter().any(|begin| error.starts_with(begin)))
}

/// Whether `line` comes from the shell in which ssh runs `exec` with the `ProxyCommand`: the program is missing, or may
/// not be executed. In the words of dash, bash, busybox, mksh and zsh, each called by its path, and of fish.
fn is_shell_without_program(line: &str) -> bool {
    if line.starts_with("fish: Unknown command") {
        return true;
    }
    let line = line.strip_prefix("E: ").unwrap_or(line);
    let Some((shell, words)) = line.split_once(':') else { return false };
    let name = shell.strip_prefix('/').and_then(|path| path.rsplit('/').next());
    let is_shell = matches!(name, Some("sh" | "ash" | "bash" | "busybox" | "dash" | "ksh" | "mksh" | "zsh"));
    let words = words.trim_start();
    // A ProxyCommand has one line. bash counts it from 0 or from 1.
    let is_first = |line: &str| matches!(line, "0" | "1");
    let (place, reason) = words.split_once(": ").unwrap_or(("", words));
    let is_dash = is_first(place) && reason.starts_with("exec: ");
    let counts_lines = place.strip_prefix("line ").is_some_and(is_first);
    let is_busybox = place == "exec" && reason.starts_with("line ");
    let is_zsh = place == "1"
        && ["no such file or directory: ", "command not found: ", "permission denied: "]
            .iter()
            .any(|begin| reason.starts_with(begin));
    let is_mksh = reason == "inaccessible or not found" || reason.starts_with("can't execute: ");
    let has_reason = [": not found", ": No such file or directory", ": Permission denied", ": Is a directory"]
        .iter()
        .any(|end| line.ends_with(end));
    is_shell && (is_zsh || is_mksh || has_reason && (is_dash || counts_lines || is_busybox))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("{cause}{}", if *is_at_jump_host { " at the jump host" } else { "" })]
pub struct Failure {
    pub cause: Cause,
    /// The connection to a jump host failed.
    pub is_at_jump_host: bool,
}

/// The failure that follows from all messages of one ssh.
///
/// A permanent cause outweighs others: a jump host that refuses our key also leaves the message of a dropped
/// connection. Of transient causes the first one counts, for the same reason.
#[derive(Debug, Default, Clone, Copy)]
pub struct Diagnosis {
    transient: Option<Cause>,
    permanent: Option<Cause>,
    /// A key could not be used. Another key may succeed.
    has_bad_key: bool,
    /// A jump host was reached, and reported why it does not reach the host.
    is_forwarded: bool,
    /// A connection was dropped after another cause: the connection through the jump host, whose own ssh had reported
    /// the other cause.
    is_dropped_after: bool,
}

impl Diagnosis {
    pub fn observe(&mut self, line: &[u8]) {
        if line.trim_ascii_end() == b"stdio forwarding failed" {
            self.is_forwarded = true;
            if self.permanent == Some(Cause::NoSession) {
                self.permanent = Some(Cause::NoForwarding);
            }
        }
        self.has_bad_key |= is_about_a_key(String::from_utf8_lossy(line.trim_ascii_end()).as_ref());
        let Some(cause) = Cause::from_message(line) else { return };
        let is_drop = matches!(cause, Cause::Dropped | Cause::ProxyEnded);
        self.is_dropped_after |= is_drop && self.has_cause_before_a_drop();
        if self.transient == Some(Cause::Dropped) && cause == Cause::ProxyEnded {
            // Two messages about one connection, or the first is from the jump host's ssh.
            self.transient = Some(cause);
        }
        let kind = if cause.is_transient() { &mut self.transient } else { &mut self.permanent };
        if cause == Cause::PortTaken {
            // The earlier message looks like a wrong address.
            *kind = Some(cause);
        }
        kind.get_or_insert(cause);
    }

    /// Whether a cause was named that no drop follows without a jump host.
    fn has_cause_before_a_drop(self) -> bool {
        let is_other =
            |cause| !matches!(cause, Cause::Dropped | Cause::ProxyEnded | Cause::Configuration | Cause::Account);
        self.cause().is_some_and(is_other)
    }

    fn cause(self) -> Option<Cause> {
        self.permanent.or(self.transient)
    }

    /// None if no message has named a cause.
    pub fn failure(self) -> Option<Failure> {
        let is_key = |cause| cause == Cause::Authentication && self.has_bad_key;
        self.cause().map(|cause| Failure {
            cause: if is_key(cause) { Cause::Key } else { cause },
            is_at_jump_host: self.is_dropped_after && !self.is_forwarded,
        })
    }
}
