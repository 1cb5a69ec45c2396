//! The `%` in a command: cron ends the command at the first unescaped `%`, and the rest is standard input.

use crate::cron::daemon::Daemon;

/// A command in the form that cron gives to the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellText {
    pub text: Vec<u8>,
    /// Standard input: the rest of the line after an unescaped `%`.
    pub input: Option<Vec<u8>>,
}

impl ShellText {
    /// Splits a command. `\%` becomes `%`, and for Debian's cron `\\` becomes `\`.
    pub fn of(command: &[u8], daemon: Daemon) -> Self {
        if daemon == Daemon::Busybox {
            return Self { text: command.to_vec(), input: None };
        }
        let mut text = Vec::with_capacity(command.len());
        let mut bytes = command.iter().copied().enumerate();
        while let Some((index, byte)) = bytes.next() {
            match byte {
                b'%' => {
                    let input = Some(command[index + 1..].to_vec());
                    return Self { text, input };
                }
                b'\\' => match bytes.next() {
                    Some((_, b'%')) => text.push(b'%'),
                    Some((_, b'\\')) if daemon == Daemon::Debian => text.push(b'\\'),
                    Some((_, other)) => text.extend([b'\\', other]),
                    None => text.push(b'\\'),
                },
                _ => text.push(byte),
            }
        }
        Self { text, input: None }
    }

    /// Standard input as cron writes it: `%` becomes a newline, `\%` becomes `%`, and a missing last newline is added.
    /// Both daemons keep all other backslashes.
    pub fn stdin(&self) -> Vec<u8> {
        let mut stdin = Vec::new();
        let mut is_escaped = false;
        let mut is_unfinished = false;
        for &byte in self.input.iter().flatten() {
            let byte = match byte {
                b'%' if !is_escaped => b'\n',
                b'%' => b'%',
                _ => {
                    stdin.extend(is_escaped.then_some(b'\\'));
                    byte
                }
            };
            is_escaped = byte == b'\\';
            if !is_escaped {
                stdin.push(byte);
                is_unfinished = byte != b'\n';
            }
        }
        stdin.extend(is_escaped.then_some(b'\\'));
        // A backslash alone is not followed by a newline, strange as that is.
        stdin.extend(is_unfinished.then_some(b'\n'));
        stdin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_ends_at_the_first_percent_sign_without_a_backslash() {
        for (command, debian, cronie, input) in [
            ("cat%a%b", "cat", "cat", Some("a%b")),
            (r"date +\%F", "date +%F", "date +%F", None),
            (r"a \\% b", r"a \", r"a \\", Some(" b")),
            (r"a \x \", r"a \x \", r"a \x \", None),
        ] {
            for (daemon, text) in [(Daemon::Debian, debian), (Daemon::Cronie, cronie)] {
                let found = ShellText::of(command.as_bytes(), daemon);
                let input = input.map(|input| input.as_bytes().to_vec());
                let text = text.as_bytes().to_vec();
                assert_eq!(found, ShellText { text, input }, "{command}");
            }
        }
    }

    #[test]
    fn standard_input_is_what_the_real_cron_writes() {
        // Each was run by Debian's cron; cronie's source has the same loop.
        for (command, stdin) in [
            ("cat", ""),
            ("cat%", ""),
            (r"cat%a\%b%c\\%d\x\%", "a%b\nc\\%d\\x%\n"),
            ("cat%%x%%", "\nx\n\n"),
            (r"cat%a\\\\%b\", "a\\\\\\%b\\\n"),
            (r"cat%\a\\b\\\%c %", "\\a\\\\b\\\\%c \n"),
            (r"cat%\", "\\"),
        ] {
            let shell = ShellText::of(command.as_bytes(), Daemon::Debian);
            assert_eq!(String::from_utf8(shell.stdin()).unwrap(), stdin, "{command}");
        }
    }
}
