//! The `%` in a command: cron ends the command at the first unescaped `%`, and the rest is standard input.

use crate::cron::daemon::Daemon;

/// A command as cron gives it to the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellText {
    /// The text that the shell runs.
    pub text: Vec<u8>,
    /// The command's standard input: the rest of the line after an unescaped `%`.
    pub input: Option<Vec<u8>>,
}

impl ShellText {
    /// Splits a command. `\%` becomes `%`, and for Debian's cron `\\` becomes `\`.
    pub fn of(command: &[u8], daemon: Daemon) -> Self {
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
}
