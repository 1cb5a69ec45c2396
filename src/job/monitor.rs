//! Watches one attempt: was the remote command requested, and would another attempt be safe and useful?

use std::ops::Range;

use memchr::memmem;

use super::openssh::TAG;
use crate::ssh_error::{Cause, Diagnosis, NO_LOCAL_FORWARDING};

/// ssh sends a first line of some 40 bytes, and after the server's the names of its algorithms, which are longer.
const FIRST_LINE: u64 = 128;
/// ssh cuts a longer tag.
const LONGEST_TAG: usize = 127;
/// ssh cannot run the shell of the `LocalCommand`, whose words follow, and continues.
const NO_SHELL: &[u8] = b"Couldn't execute ";

/// Watches the output of one attempt for the marker and for ssh's messages.
#[derive(Debug, Default)]
pub struct Monitor {
    /// The line that ssh prints before it requests the remote command. Empty if there is none.
    marker: Vec<u8>,
    progress: Progress,
    /// A line has come before the marker.
    has_spoken: bool,
    /// ssh has reported that a port of this machine is taken.
    is_port_taken_here: bool,
    diagnosis: Diagnosis,
    /// The number of lines so far, at most [`EARLY_LINES`].
    early_lines: u8,
    /// ssh said early that the server refuses its keys.
    pub is_refused: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Unknown: there is no marker.
    #[default]
    Unknown,
    /// The remote command has not been requested: the marker has not come.
    Connecting,
    /// Unknown: the marker was given to a program that is not ssh.
    Distrusted,
    /// The remote command will not be requested: ssh was killed. The shell that prints the marker may live longer.
    TimedOut,
    /// The remote command may have been requested.
    Requested,
}

/// Whether another attempt would be safe and useful.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The remote command was never requested, and the next attempt may succeed.
    Transient,
    /// The remote command was never requested, because a port to forward is taken on this machine, perhaps by a running
    /// master. With the marker, ssh uses no master.
    PortTaken,
    /// Like `Transient`, but the server closed the connection after its first line, perhaps to refuse the login.
    ClosedAtLogin,
    /// The remote command may have run, or the next attempt would fail like this one.
    Permanent,
    /// The remote command was never requested, and ssh reports a closed connection. The `LogLevel` decides, and the
    /// number of bytes that ssh wrote elsewhere than to its output, if the kernel counts them.
    Closed(Option<u64>),
    /// The same, but ssh printed nothing.
    Silent(Option<u64>),
    /// The remote command was never requested, but the `LogLevel` hides most messages.
    Muted,
    /// The remote command was never requested, and no message of ssh gives the reason.
    Unexplained,
}

/// A refusal of the login comes after a banner and before any output.
const EARLY_LINES: u8 = 30;

impl Monitor {
    /// Watches an attempt that prints the line `marker`, if any.
    pub fn new(marker: Option<Vec<u8>>) -> Self {
        let progress = if marker.is_some() { Progress::Connecting } else { Progress::Unknown };
        Self { progress, marker: marker.unwrap_or_default(), ..Self::default() }
    }

    /// Removes from `output`, the bytes of one read(2) of the pipe, what is meant for us: the marker, and the tags of
    /// `LogVerbose`.
    ///
    /// Each is there whole or not at all: a write(2) of so few bytes is atomic (pipe(7)), and a read takes all bytes in
    /// the pipe. After the marker, everything is the job's.
    pub fn take_own(&mut self, output: &mut Vec<u8>) {
        if matches!(self.progress, Progress::Unknown | Progress::Requested) {
            return;
        }
        cut_tags(output);
        if let Some(begin) = memmem::find(output, &self.marker) {
            output.drain(begin..begin + self.marker.len());
            match self.progress {
                Progress::Connecting => self.progress = Progress::Requested,
                Progress::Distrusted => self.progress = Progress::Unknown,
                _ => {}
            }
        }
    }

    /// Notes that ssh is stopped and will be killed.
    pub fn end_connecting(&mut self) {
        if self.is_connecting() {
            self.progress = Progress::TimedOut;
        }
    }

    pub fn distrust(&mut self) {
        if self.is_connecting() {
            self.progress = Progress::Distrusted;
        }
    }

    pub fn observe(&mut self, line: &[u8]) {
        if self.early_lines < EARLY_LINES {
            self.early_lines += 1;
            self.is_refused |= Cause::from_message(line) == Some(Cause::Authentication);
        }
        if !self.is_connecting() {
            return;
        }
        if line.starts_with(NO_SHELL) && memmem::find(line, self.marker.trim_ascii_end()).is_some() {
            // The marker will not come, and the remote command is requested without it.
            self.progress = Progress::Requested;
            return;
        }
        self.has_spoken = true;
        self.is_port_taken_here |= line.trim_ascii_end() == NO_LOCAL_FORWARDING.as_bytes();
        self.diagnosis.observe(line);
    }

    /// Whether the remote command has certainly not been requested so far.
    pub fn is_connecting(&self) -> bool {
        self.progress == Progress::Connecting
    }

    /// Whether the remote command was requested, or was about to be when ssh ended.
    pub fn is_requested(&self) -> bool {
        self.progress == Progress::Requested
    }

    /// The verdict on an attempt. `sent` is the number of bytes that ssh wrote elsewhere than to its output, if known.
    pub fn verdict(&self, sent: Option<u64>) -> Verdict {
        match self.progress {
            Progress::Unknown | Progress::Distrusted | Progress::Requested => return Verdict::Permanent,
            Progress::TimedOut => return Verdict::Transient,
            Progress::Connecting => {}
        }
        match self.diagnosis.failure().map(|failure| failure.cause) {
            Some(Cause::Dropped | Cause::ProxyEnded) => Verdict::Closed(sent),
            Some(Cause::PortTaken) if self.is_port_taken_here => Verdict::PortTaken,
            Some(cause) if cause.is_transient() => Verdict::Transient,
            Some(_) => Verdict::Permanent,
            None if self.has_spoken => Verdict::Unexplained,
            None => Verdict::Silent(sent),
        }
    }
}

impl Verdict {
    /// Decides a verdict by ssh's `LogLevel`, which is looked up only then. None if ssh does not show it.
    pub fn settle(self, log_level: impl FnOnce() -> Option<String>) -> Self {
        let (Self::Closed(sent) | Self::Silent(sent)) = self else { return self };
        // With so little sent, ssh has not begun the key exchange.
        let is_before_login = sent.is_some_and(|sent| sent <= FIRST_LINE);
        match (self, log_level().as_deref()) {
            // These hide that a jump host has refused us. `ssh -G` has another name for QUIET.
            (_, Some("QUIET" | "SILENT" | "FATAL")) => Self::Muted,
            (Self::Closed(_), _) if sent.is_none() || is_before_login => Self::Transient,
            (Self::Closed(_), _) => Self::ClosedAtLogin,
            // From ERROR on, ssh gives every reason at this stage but one: the server closed the connection. In 9.5
            // that message went from ERROR to VERBOSE.
            (_, Some(_)) if is_before_login => Self::Transient,
            _ => Self::Unexplained,
        }
    }
}

fn cut_tags(output: &mut Vec<u8>) {
    if memmem::find(output, TAG).is_none() {
        return;
    }
    let mut kept = Vec::with_capacity(output.len());
    for line in output.split_inclusive(|&byte| byte == b'\n') {
        let tag = tag(line).unwrap_or_default();
        kept.extend_from_slice(&line[..tag.start]);
        kept.extend_from_slice(&line[tag.end..]);
    }
    // The buffer keeps its capacity for the next read.
    output.clear();
    output.extend_from_slice(&kept);
}

/// The tag in `line`. A text without a newline may come before it.
fn tag(line: &[u8]) -> Option<Range<usize>> {
    let begin = memmem::find(line, TAG)?;
    let number = begin + TAG.len();
    let digits = line[number..].iter().take_while(|byte| byte.is_ascii_digit());
    let details = number + digits.count();
    let end = details + memmem::find(&line[details..], b": ")?;
    let is_tag = match &line[details..end] {
        // Up to 8.6. In the middle of a line it may be any text.
        [] => begin == 0,
        text => [b" (pid=", b" (bin="].iter().any(|start| text.starts_with(*start)),
    };
    (is_tag && details > number && end - begin <= LONGEST_TAG).then_some(begin..end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tags_of_each_version_are_cut_and_a_text_like_a_tag_stays() {
        let tag = "packet.c:sshpkt_vfatal():";
        let long = format!("1 (pid={}: ", "1".repeat(LONGEST_TAG));
        for (before, after, is_cut) in [
            ("", "1874: ", true),
            ("", "1885 (pid=4626): ", true),
            ("", "2085 (bin=/usr/bin/ssh, pid=4098): ", true),
            ("", "2085 (bin=/a/path/that/is/cut: ", true),
            // Behind a text without a newline.
            ("proxy failed", "1885 (pid=4626): ", true),
            ("x ", "1: ", false),
            ("", ": ", false),
            ("", "1\nhello: ", false),
            ("", "x: ", false),
            ("", "1 x: ", false),
            ("", &long, false),
        ] {
            let message = "Connection closed by 127.0.0.1 port 22\r\n";
            let text = format!("first\n{before}{tag}{after}{message}");
            let mut output = text.repeat(2).into_bytes();
            cut_tags(&mut output);
            let expected = if is_cut { format!("first\n{before}{message}") } else { text };
            assert_eq!(String::from_utf8_lossy(&output), expected.repeat(2));
        }
    }

    #[test]
    fn the_log_level_settles_a_closed_connection_and_a_silent_end() {
        let (before, after, unknown) = (Some(42), Some(1600), None);
        for (verdict, level, settled) in [
            (Verdict::Closed(before), Some("INFO"), Verdict::Transient),
            (Verdict::Closed(after), Some("INFO"), Verdict::ClosedAtLogin),
            (Verdict::Closed(unknown), Some("ERROR"), Verdict::Transient),
            (Verdict::Closed(before), None, Verdict::Transient),
            (Verdict::Closed(before), Some("SILENT"), Verdict::Muted),
            (Verdict::Silent(before), Some("ERROR"), Verdict::Transient),
            (Verdict::Silent(after), Some("ERROR"), Verdict::Unexplained),
            (Verdict::Silent(unknown), Some("ERROR"), Verdict::Unexplained),
            (Verdict::Silent(before), Some("FATAL"), Verdict::Muted),
            (Verdict::Silent(before), None, Verdict::Unexplained),
        ] {
            let level = level.map(str::to_owned);
            assert_eq!(verdict.settle(|| level.clone()), settled, "{verdict:?} {level:?}");
        }
        for verdict in [Verdict::Transient, Verdict::Permanent, Verdict::Unexplained] {
            assert_eq!(verdict.settle(|| unreachable!("not asked for")), verdict);
        }
    }
}
