//! Whether a crontab has a column of users, told by its lines.

use super::parse::Columns;
use crate::cron::command::calls::base_name;
use crate::cron::daemon::Daemon;
use crate::cron::timing::{Timing, split_word};

/// The columns that most lines of a crontab look as if they had.
///
/// A line has a user where the word after the time is a plain name and the next one begins a command: it is
/// `root`, or a path or a program's name follows that is known to begin commands.
pub fn told_by(text: &[u8]) -> Columns {
    let rests = text.split(|byte| *byte == b'\n').filter_map(|line| {
        let line = line.trim_ascii_start();
        let (_, rest) = Timing::parse(line, Daemon::Cronie).ok()?;
        Some(has_user(rest))
    });
    let (with, without) = rests.fold((0, 0), |(with, without), has_user| {
        (with + u32::from(has_user), without + u32::from(!has_user))
    });
    if with > without {
        Columns::System
    } else {
        Columns::User
    }
}

fn has_user(rest: &[u8]) -> bool {
    let (first, rest) = split_word(rest);
    let (second, _) = split_word(rest);
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
    let is_name = first.first().is_some_and(u8::is_ascii_alphabetic) && first.iter().all(is_part);
    let begins_command = |word: &[u8]| {
        word.starts_with(b"/")
            || begins_commands(base_name(word))
            || base_name(word) == b"remoteexe"
    };
    is_name
        && !second.is_empty()
        && (first == b"root" || begins_command(second) && !begins_commands(first))
}

/// Whether a program is one that crontabs use to run another.
fn begins_commands(word: &[u8]) -> bool {
    const WORDS: [&[u8]; 16] = [
        b"bash",
        b"cd",
        b"chronic",
        b"command",
        b"env",
        b"exec",
        b"flock",
        b"ionice",
        b"nice",
        b"nohup",
        b"remoteexe",
        b"sh",
        b"sleep",
        b"sudo",
        b"test",
        b"timeout",
    ];
    WORDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_tell_whether_there_is_a_column_of_users() {
        for (line, expected) in [
            ("* * * * * root remoteexe h s", Columns::System),
            ("* * * * * batch remoteexe h s", Columns::System),
            ("@daily www-data timeout 5 remoteexe h s", Columns::System),
            ("* * * * * remoteexe h s", Columns::User),
            ("* * * * * /usr/bin/remoteexe h s", Columns::User),
            ("* * * * * timeout 300 remoteexe h s", Columns::User),
            ("* * * * * flock -n /l remoteexe h s", Columns::User),
            ("* * * * * nice remoteexe h s", Columns::User),
            ("# nothing", Columns::User),
        ] {
            assert_eq!(told_by(line.as_bytes()), expected, "{line}");
        }
    }
}
