//! A program at a terminal, and somebody who types there.

use std::io::{Read, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use super::PATIENCE;
use super::process::Running;

/// A program at a terminal.
pub struct Terminal {
    keyboard: ChildStdin,
    screen: Receiver<Vec<u8>>,
    /// What the screen has shown and nobody has waited for.
    unread: String,
    _program: Running,
}

impl Terminal {
    /// Starts a command line of the shell at a terminal, with the environment and the directory of `command`, which
    /// is script(1).
    pub fn start(command: &mut Command, line: &str) -> Self {
        command.args(["-qec", line, "/dev/null"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut program = Running::spawn(command);
        let mut output = program.stdout.take().expect("a pipe");
        let (sender, screen) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { keyboard: program.stdin.take().expect("a pipe"), screen, unread: String::new(), _program: program }
    }

    /// Types these characters.
    pub fn enter(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).expect("a reader");
    }

    /// Waits for this text, and gives what the screen showed before it.
    pub fn wait_for(&mut self, text: &str) -> String {
        loop {
            if let Some((before, after)) = self.unread.split_once(text) {
                let before = before.to_owned();
                self.unread = after.to_owned();
                return before;
            }
            let shown = self.screen.recv_timeout(PATIENCE);
            let shown = shown.unwrap_or_else(|_| panic!("no {text:?} after {:?}", self.unread));
            self.unread += &String::from_utf8_lossy(&shown);
        }
    }
}
