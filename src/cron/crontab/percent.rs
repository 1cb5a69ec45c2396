//! The `%` in a command: cron ends the command at the first unescaped `%`, and the rest is standard input.

use crate::cron::daemon::Daemon;

/// A command in the form that cron gives to the shell.
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
    fn a_command_ends_at_the_first_percent_sign_without_a_backslash_and_the_rest_is_standard_input() {
        // Debian's cron wrote each input; cronie's source has the same loop.
        for (command, debian, cronie, stdin) in [
            (r"date +\%F", "date +%F", "date +%F", None),
            (r"a \x \", r"a \x \", r"a \x \", None),
            (r"a \\% b", r"a \", r"a \\", Some(" b\n")),
            ("cat%", "cat", "cat", Some("")),
            ("cat%a%b", "cat", "cat", Some("a\nb\n")),
            (r"cat%a\%b%c\\%d\x\%", "cat", "cat", Some("a%b\nc\\%d\\x%\n")),
            ("cat%%x%%", "cat", "cat", Some("\nx\n\n")),
            (r"cat%a\\\\%b\", "cat", "cat", Some("a\\\\\\%b\\\n")),
            (r"cat%\a\\b\\\%c %", "cat", "cat", Some("\\a\\\\b\\\\%c \n")),
            (r"cat%\", "cat", "cat", Some("\\")),
        ] {
            for (daemon, text) in [(Daemon::Debian, debian), (Daemon::Cronie, cronie)] {
                let found = ShellText::of(command.as_bytes(), daemon);
                let input = found.input.as_ref().map(|_| String::from_utf8(found.stdin()).unwrap());
                assert_eq!((&*found.text, input.as_deref()), (text.as_bytes(), stdin), "{command}");
            }
        }
    }
}
