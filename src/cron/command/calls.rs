//! The calls of remoteexe in the command of a crontab line.
//!
//! Walks through the tree of a command, and unwraps programs that run another one, such as `timeout` and `flock`.
//! Never guesses: a call whose words only a shell can know is reported with the reason.

use std::ffi::OsString;
use std::mem;
use std::os::unix::ffi::OsStringExt;

use super::lexer::{Word, base_name, tokens};
use super::tree::{AndOr, CommandList, Link, ShellCommand, tree};
use super::wait::{Wait, sleep};
use super::wrappers::{Unwrapped, unwrap};
use crate::cron::crontab::variables::Variables;
use crate::escape::shortened;

const NAME: &[u8] = b"remoteexe";

/// How deep `sh -c "sh -c …"` is followed.
const DEEPEST: usize = 4;

/// Programs that may have the word `remoteexe` among their arguments without running it.
const NO_RUNNERS: [&str; 62] = [
    "[", "[[", "awk", "basename", "cat", "cd", "chgrp", "chmod", "chown", "command", "cp", "curl",
    "cut", "df", "dirname", "du", "echo", "egrep", "export", "fgrep", "file", "gawk", "grep",
    "gzip", "head", "install", "journalctl", "killall", "ln", "logger", "logrotate", "ls", "mail",
    "mailx", "man", "mkdir", "mktemp", "mv", "pgrep", "pidof", "pkill", "printf", "readlink",
    "realpath", "rm", "rsync", "scp", "sed", "sendmail", "setfacl", "sort", "stat", "tail", "tar",
    "tee", "test", "touch", "type", "wc", "which", "xz", "zgrep",
];

/// The words of find(1) before a command. Its other words are paths and conditions.
const FIND_RUNS: [&[u8]; 4] = [b"-exec", b"-execdir", b"-ok", b"-okdir"];

/// Commands that end at once and do not fail in a sound crontab: the shell runs what follows their `&&`.
const SURE: [&str; 14] = [
    ".", ":", "cd", "date", "echo", "export", "printf", "set", "sleep", "source", "true", "ulimit",
    "umask", "unset",
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mention {
    Call(Call),
    /// A call that cannot be understood, and why.
    Unknown(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The program as the line has it: a name or a path.
    pub program: Vec<u8>,
    pub words: Vec<OsString>,
    /// Those that the command itself sets for the call.
    pub variables: Vec<(Vec<u8>, Vec<u8>)>,
    /// From the start of the line to the call.
    pub wait: Wait,
    /// The shell may skip the call, as after `[ … ] &&` or behind `flock -n`.
    pub is_conditional: bool,
    /// The call runs as another user than the line's.
    pub is_other_user: bool,
    /// The call does not have the variables of the crontab.
    pub has_clean_environment: bool,
}

/// The calls of remoteexe in `text`, which a shell runs with these variables.
///
/// Each text that mentions remoteexe has one, unless certainly no command in it runs remoteexe.
pub fn mentions(text: &[u8], variables: &Variables) -> Vec<Mention> {
    if !may_mention(text, variables) {
        return Vec::new();
    }
    let of_cron = if text.contains(&b'$') {
        variables.without(|name| is_changed_in(text, name))
    } else {
        Variables::default()
    };
    let mut finder =
        CallFinder { variables: of_cron, mentions: Vec::new(), repeated: 0, may_have_left: false };
    finder.text(text, Position { wait: Wait::NONE, is_conditional: false, depth: 0 });
    finder.mentions
}

fn may_mention(text: &[u8], variables: &Variables) -> bool {
    let mut values = variables.all();
    mentions_name(text) || text.contains(&b'$') && values.any(|(_, value)| mentions_name(value))
}

/// Whether a command may give a variable of the crontab another value.
fn is_changed_in(text: &[u8], name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut before = b' ';
    let mut rest = text;
    // As a word: `NAME=value`, `read NAME`, `for NAME in`.
    while let Some(at) = rest.windows(name.len()).position(|part| part == name.as_bytes()) {
        before = if at > 0 { rest[at - 1] } else { before };
        let after = rest.get(at + name.len()).copied().unwrap_or(b' ');
        if !is_part(before) && !b"${".contains(&before) && !is_part(after) && after != b'/' {
            return true;
        }
        before = rest[at];
        rest = &rest[at + 1..];
    }
    false
}

#[derive(Debug, Clone, Copy)]
struct Position {
    /// How long the commands before it take.
    wait: Wait,
    /// The shell may skip the command.
    is_conditional: bool,
    /// The number of shells around it.
    depth: usize,
}

/// What a command means for the next one.
#[derive(Debug, Clone, Copy)]
struct Effect {
    time: Wait,
    may_fail: bool,
}

impl Effect {
    const NONE: Self = Self { time: Wait::NONE, may_fail: false };

    const UNKNOWN: Self = Self { time: Wait::UNKNOWN, may_fail: true };
}

impl Position {
    fn after(self, wait: Wait) -> Self {
        Self { wait: self.wait.then(wait), ..self }
    }

    fn if_true(self, is_conditional: bool) -> Self {
        Self { is_conditional: self.is_conditional || is_conditional, ..self }
    }
}

#[derive(Debug)]
struct CallFinder {
    variables: Variables,
    mentions: Vec<Mention>,
    /// The number of loops, `case`s and functions around the command.
    repeated: usize,
    /// An earlier `exit` may have ended the shell.
    may_have_left: bool,
}

impl CallFinder {
    fn text(&mut self, text: &[u8], at: Position) {
        match tokens(text, &self.variables) {
            Ok(tokens) => match tree(tokens) {
                Ok(list) => drop(self.list(&list, at)),
                Err(error) => self.unknown(error.to_string()),
            },
            Err(error) => self.unknown(format!("{error} in the command")),
        }
    }

    fn list(&mut self, list: &CommandList, at: Position) -> Effect {
        let mut all = Effect::NONE;
        for item in &list.0 {
            let effect = self.and_or(item, at.after(all.time));
            if item.is_background {
                all.may_fail = false;
            } else {
                all.time = all.time.then(effect.time);
                all.may_fail = effect.may_fail;
            }
        }
        all
    }

    fn and_or(&mut self, item: &AndOr, at: Position) -> Effect {
        let mut all = Effect::NONE;
        let mut is_conditional = false;
        for (link, pipeline) in &item.pipelines {
            is_conditional = match link {
                Link::First => false,
                Link::And => all.may_fail || is_conditional,
                Link::Or => true,
            };
            let mut last = Effect::NONE;
            for command in &pipeline.0 {
                last = self.command(command, at.after(all.time).if_true(is_conditional));
            }
            all.time = all.time.then(last.time);
            all.may_fail = last.may_fail;
        }
        all
    }

    fn command(&mut self, command: &ShellCommand, at: Position) -> Effect {
        match command {
            ShellCommand::Simple(words) => self.simple(words, at),
            ShellCommand::Group(list) => self.list(list, at),
            ShellCommand::Subshell(list) => {
                let may_have_left = self.may_have_left;
                let effect = self.list(list, at);
                self.may_have_left = may_have_left;
                effect
            }
            ShellCommand::If { condition, branches } => {
                let mut time = self.list(condition, at).time;
                for branch in branches {
                    let effect = self.list(branch, at.after(time).if_true(true));
                    time = time.then(effect.time);
                }
                Effect { time, may_fail: true }
            }
            ShellCommand::Repeated(list) => {
                self.repeated += 1;
                self.list(list, at);
                self.repeated -= 1;
                Effect::UNKNOWN
            }
        }
    }

    fn simple(&mut self, words: &[Word], at: Position) -> Effect {
        if words.is_empty() {
            return Effect::NONE;
        }
        let mut expansions = words.iter().filter_map(|word| word.expansion.as_ref());
        if let Some(expansion) = expansions.find(|expansion| may_run(expansion)) {
            self.unknown(replaced(expansion));
            return Effect::UNKNOWN;
        }
        let unwrapped = unwrap(words);
        let Some((program, arguments)) = unwrapped.command.split_first() else {
            // `NAME=value` alone, or a wrapper without a command, as `flock -n 9`.
            return if unwrapped.is_plain { Effect::NONE } else { Effect::UNKNOWN };
        };
        let name = base_name(&program.text);
        if let Some(script) = &unwrapped.script {
            self.script(script, &unwrapped, at);
        } else if name == NAME && program.expansion.is_none() {
            self.call(program, arguments, unwrapped, at);
        } else if name == b"sleep" {
            return Effect { time: sleep(arguments), may_fail: false };
        } else {
            return self.other(program, unwrapped.command);
        }
        Effect::UNKNOWN
    }

    /// Looks into the text that a shell within the command runs.
    fn script(&mut self, script: &Word, unwrapped: &Unwrapped, at: Position) {
        if let Some(expansion) = &script.expansion {
            if may_run(&script.text) {
                self.unknown(replaced(expansion));
            }
        } else if at.depth == DEEPEST {
            self.unknown("it is too deep in shells within shells".to_owned());
        } else if may_mention(&script.text, &self.variables) {
            let may_have_left = self.may_have_left;
            let at = at.after(unwrapped.wait).if_true(unwrapped.is_conditional);
            let depth = at.depth + 1;
            let variables = unwrapped.has_clean_environment.then(Variables::default);
            let outer = variables.map(|clean| mem::replace(&mut self.variables, clean));
            let first = self.mentions.len();
            self.text(&script.text, Position { depth, ..at });
            for mention in &mut self.mentions[first..] {
                if let Mention::Call(call) = mention {
                    call.is_other_user |= unwrapped.is_other_user;
                    call.has_clean_environment |= unwrapped.has_clean_environment;
                }
            }
            self.variables = outer.unwrap_or_else(|| mem::take(&mut self.variables));
            self.may_have_left = may_have_left;
        }
    }

    fn call(&mut self, program: &Word, arguments: &[Word], unwrapped: Unwrapped, at: Position) {
        if self.repeated > 0 {
            return self.unknown("it is in a loop, a case or a function of the shell".to_owned());
        }
        let mut expansions = arguments.iter().filter_map(|word| word.expansion.as_ref());
        if let Some(expansion) = expansions.next() {
            return self.unknown(replaced(expansion));
        }
        let words = arguments.iter().map(|word| OsString::from_vec(word.text.clone()));
        let call = Call {
            program: program.text.clone(),
            words: words.collect(),
            variables: unwrapped.variables,
            wait: at.wait.then(unwrapped.wait),
            is_conditional: at.is_conditional || self.may_have_left || unwrapped.is_conditional,
            is_other_user: unwrapped.is_other_user,
            has_clean_environment: unwrapped.has_clean_environment,
        };
        self.mentions.push(Mention::Call(call));
    }

    /// A command that is not remoteexe, and may run remoteexe all the same.
    fn other(&mut self, program: &Word, words: &[Word]) -> Effect {
        let name = String::from_utf8_lossy(base_name(&program.text)).into_owned();
        if matches!(&*name, "exit" | "return") {
            self.may_have_left = true;
        }
        let mut arguments = words[1..].iter();
        if name == "find" {
            arguments.find(|word| FIND_RUNS.contains(&&*word.text));
        }
        if mentions_name(base_name(&program.text)) {
            self.unknown(format!("what {name} runs is not known here"));
        } else if arguments.any(may_be_command) && !NO_RUNNERS.contains(&&*name) {
            self.unknown(format!("it may be run by {name}, which is not known here"));
        }
        let may_fail = !SURE.contains(&&*name);
        let is_quick = !may_fail || matches!(&*name, "[" | "[[" | "test" | "exit" | "return");
        Effect { time: if is_quick { Wait::NONE } else { Wait::UNKNOWN }, may_fail }
    }

    fn unknown(&mut self, reason: String) {
        self.mentions.push(Mention::Unknown(reason));
    }
}

/// Whether a word is the name of remoteexe, or contains a command with it, as in `wrapper "remoteexe h s"`.
fn may_be_command(word: &Word) -> bool {
    base_name(&word.text) == NAME
        || word.text.iter().any(u8::is_ascii_whitespace) && may_run(&word.text)
}

fn replaced(expansion: &[u8]) -> String {
    format!("only the shell knows the value of {}", shortened(expansion, 40))
}

/// Whether a text may run remoteexe: the name is a word in it, as in `$(/bin/remoteexe h s)` and `$REMOTEEXE`, and not
/// part of one, as in `$REMOTEEXE_LOG_DIR`.
fn may_run(text: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.".contains(byte);
    let mut words = text.split(|byte| !is_part(byte));
    words.any(|word| word.eq_ignore_ascii_case(NAME))
}

/// Whether `remoteexe` occurs in `text`, in upper or lower case, as also in `$REMOTEEXE`.
pub fn mentions_name(text: &[u8]) -> bool {
    text.windows(NAME.len()).any(|part| part.eq_ignore_ascii_case(NAME))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// Each call as `WORDS`, with its wait, and `perhaps` if it is conditional, or the reason in brackets.
    fn shown(text: &str) -> String {
        shown_with(text, &Variables::default())
    }

    fn shown_with(text: &str, variables: &Variables) -> String {
        let shown = mentions(text.as_bytes(), variables).into_iter().map(|mention| match mention {
            Mention::Unknown(reason) => format!("[{reason}]"),
            Mention::Call(call) => {
                let words = call.words.iter().map(|word| format!("<{}>", word.display()));
                let mut shown: String = words.collect();
                for (name, value) in &call.variables {
                    let _ = write!(shown, " {}={}", name.escape_ascii(), value.escape_ascii());
                }
                let _ = match call.wait {
                    Wait::NONE => Ok(()),
                    Wait { least, most: None } => write!(shown, " {least}s or more"),
                    Wait { least, most: Some(most) } => write!(shown, " {least}-{most}s"),
                };
                if call.is_conditional {
                    shown += " perhaps";
                }
                shown
            }
        });
        shown.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_call_is_found_behind_the_programs_that_run_another_one() {
        for command in [
            "remoteexe h s a",
            "/usr/bin/remoteexe h 's' \"a\" >/dev/null 2>&1",
            "timeout 300 remoteexe h s a",
            "timeout -k 5 --signal=INT 300s remoteexe h s a",
            "nice -n 10 ionice -c3 remoteexe h s a",
            "nice -10 remoteexe h s a",
            "nohup setsid -w ../bin/remoteexe h s a &",
            "cd /tmp && remoteexe h s a",
            "umask 022; cd /tmp; exec remoteexe h s a",
            "remoteexe h s a || echo failed | mail root",
            "echo x | remoteexe h s a",
            "( remoteexe h s a ) </dev/null",
            "{ remoteexe h s a; }",
            "bash -lc 'remoteexe h s \"a\"'",
            "sudo -u batch -- remoteexe h s a",
            "su - batch -c 'remoteexe h s a'",
            "chronic -e remoteexe h s a",
            "if remoteexe h s a; then echo; fi",
            "! time remoteexe h s a",
            "remoteexe h s a # remoteexe h s b",
            "env -i remoteexe h s a",
            "script -qc \"remoteexe h s a\" /dev/null",
            "script -q -c 'remoteexe h s a' /dev/null",
            "eval \"remoteexe h 's'\" a",
            "su - batch -c \"remoteexe h s a\"",
            "runuser -l batch -c 'remoteexe h s a'",
            "sudo -u batch bash -lc 'cd && remoteexe h s a'",
            "systemd-cat -t x nice remoteexe h s a",
            "remoteexe h s a 2>&1 | logger -t remoteexe",
            "doas -u batch setuidgid x remoteexe h s a",
        ] {
            assert_eq!(shown(command), "<h><s><a>", "{command}");
        }
    }

    #[test]
    fn variables_waits_and_conditions_of_a_call_are_found() {
        for (command, expected) in [
            ("env -i A=1 nice remoteexe h s", "<h><s> A=1"),
            ("run-one remoteexe h s", "<h><s> perhaps"),
            ("A=1 env -u C B=2 remoteexe h s", "<h><s> A=1 B=2"),
            ("sleep 5; remoteexe h s", "<h><s> 5-5s"),
            ("sleep 1m 2 && remoteexe h s", "<h><s> 62-62s"),
            ("sleep $((RANDOM % 30)); remoteexe h s", "<h><s> 0-29s"),
            ("sleep $(( RANDOM % 30 + 5 )); remoteexe h s", "<h><s> 5-34s"),
            ("sleep $DELAY; remoteexe h s", "<h><s> 0s or more"),
            ("sleep 5 & remoteexe h s", "<h><s>"),
            ("prepare; remoteexe h s", "<h><s> 0s or more"),
            ("remoteexe h a; remoteexe h b", "<h><a>; <h><b> 0s or more"),
            ("remoteexe h a & remoteexe h b", "<h><a>; <h><b>"),
            ("[ -x /usr/bin/remoteexe ] && remoteexe h s", "<h><s> perhaps"),
            ("test -f /x || remoteexe h s", "<h><s> perhaps"),
            ("a && cd /b && remoteexe h s", "<h><s> 0s or more perhaps"),
            ("[ -f /x ] && echo; remoteexe h s", "<h><s>"),
            ("flock -n /l remoteexe h s", "<h><s> perhaps"),
            ("flock -xn -E 75 /l remoteexe h s", "<h><s> perhaps"),
            ("flock -w 5 /l -c 'remoteexe h s'", "<h><s> 0-5s perhaps"),
            ("flock /l remoteexe h s", "<h><s> 0s or more"),
            ("( flock -n 9 || exit 1; remoteexe h s ) 9>/l", "<h><s> 0s or more perhaps"),
            (
                "if [ -f /x ]; then remoteexe h s; fi; remoteexe h t",
                "<h><s> perhaps; <h><t> 0s or more",
            ),
            ("[ -f /x ] && sh -c 'cd /; remoteexe h s'", "<h><s> perhaps"),
            (
                "[ -f /x ] && (cd /; remoteexe h s); remoteexe h t",
                "<h><s> perhaps; <h><t> 0s or more",
            ),
            ("[ -f /x ] && { cd /; remoteexe h s; } & remoteexe h t", "<h><s> perhaps; <h><t>"),
            (
                "(sleep 20; remoteexe h s) & { sleep 40; remoteexe h t; } & remoteexe h u",
                "<h><s> 20-20s; <h><t> 40-40s; <h><u>",
            ),
            (
                "sleep 5; sleep 20 && remoteexe h s & sh -c 'sleep 9; remoteexe h t' & remoteexe h u",
                "<h><s> 25-25s; <h><t> 14-14s; <h><u> 5-5s",
            ),
        ] {
            assert_eq!(shown(command), expected, "{command}");
        }
    }

    #[test]
    fn the_variables_of_the_crontab_are_expanded() {
        let mut variables = Variables::default();
        for (name, value) in [("RUN", "timeout 60 remoteexe"), ("DB", "h2"), ("A", "a b")] {
            variables.set(name.as_bytes(), value.as_bytes());
        }
        for (command, expected) in [
            ("$RUN h3 s", "<h3><s>"),
            ("remoteexe $DB s", "<h2><s>"),
            ("remoteexe h s $A \"$A\"", "<h><s><a><b><a b>"),
            ("bash -c 'remoteexe $DB s'", "<h2><s>"),
            // The shell or a program around the call sets the variable, or drops it.
            ("DB=h9; remoteexe $DB s", "[only the shell knows the value of $DB]"),
            ("read DB; remoteexe $DB s", "[only the shell knows the value of $DB]"),
            ("env -i bash -c 'remoteexe $DB s'", "[only the shell knows the value of $DB]"),
            ("remoteexe $HOST s", "[only the shell knows the value of $HOST]"),
        ] {
            let found = shown_with(command, &variables);
            assert_eq!(found, expected, "{command}");
        }
    }

    #[test]
    fn a_call_that_only_a_shell_can_know_is_reported_and_not_guessed() {
        for (command, reason) in [
            ("remoteexe $HOST s", "only the shell knows the value of $HOST"),
            ("remoteexe h \"s $(date)\"", "only the shell knows the value of $(date)"),
            ("remoteexe h s *.log", "only the shell knows the value of *"),
            ("$REMOTEEXE h s", "only the shell knows the value of $REMOTEEXE"),
            ("x=$(remoteexe h s)", "only the shell knows the value of $(remoteexe h s)"),
            ("bash -c \"remoteexe $H s\"", "only the shell knows the value of $H"),
            (
                "for h in a b; do remoteexe $h s; done",
                "it is in a loop, a case or a function of the shell",
            ),
            ("echo h | xargs remoteexe", "it may be run by xargs, which is not known here"),
            ("cronwrap \"remoteexe h s\"", "it may be run by cronwrap, which is not known here"),
            ("/srv/remoteexe-all.sh h", "what remoteexe-all.sh runs is not known here"),
            ("f() { remoteexe h s; }; f", "it is in a loop, a case or a function of the shell"),
            (
                "parallel -j 4 remoteexe ::: a b",
                "it may be run by parallel, which is not known here",
            ),
            (
                "find /srv -name x -exec remoteexe h s {} +",
                "it may be run by find, which is not known here",
            ),
            ("remoteexe h 's", "there is no closing ' in the command"),
        ] {
            assert_eq!(shown(command), format!("[{reason}]"), "{command}");
        }
        for command in [
            "pkill remoteexe",
            "ls -l /usr/bin/remoteexe",
            "ls $REMOTEEXE_LOG_DIR $(ls /tmp/x_remoteexe.log)",
            "x >/tmp/remoteexe.log",
            "find /var/log/remoteexe -name '*_remoteexe*.log*' -mtime +14 -delete",
            "rsync -a /var/log/remoteexe backup:",
            "echo h",
            "echo \"remoteexe h s\" | mail -s 'remoteexe h' root",
        ] {
            assert_eq!(shown(command), "", "{command}");
        }
    }
}
