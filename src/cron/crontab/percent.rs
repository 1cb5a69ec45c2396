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
