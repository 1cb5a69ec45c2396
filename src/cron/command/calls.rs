//! The calls of remoteexe in the command of a crontab line.
//!
//! Walks through a command, and unwraps programs that run another one, such as `timeout` and `flock`.
//! Never guesses: a call whose words only a shell can know is reported with the reason.

use std::{ffi::OsString, mem, os::unix::ffi::OsStringExt};

use memchr::memmem;

use super::lexer::{Word, base_name, is_in_name, tokens};
use super::wait::{Wait, sleep};
use super::walk::{Effect, Position, Visitor, walk};
use super::wrappers::{Call, Unwrapped, assignment, is_shell, unwrap};
use crate::cron::crontab::variables::Variables;
use crate::escape::shortened;

const NAME: &[u8] = b"remoteexe";
/// The deepest `sh -c "sh -c …"` that is followed.
const DEEPEST: usize = 4;
/// Programs that may have the word `remoteexe` among their arguments without running it.
const NO_RUNNERS: [&str; 62] = [
    "[", "[[", "awk", "basename", "cat", "cd", "chgrp", "chmod", "chown", "command", "cp", "curl", "cut", "df",
    "dirname", "du", "echo", "egrep", "export", "fgrep", "file", "gawk", "grep", "gzip", "head", "install",
    "journalctl", "killall", "ln", "logger", "logrotate", "ls", "mail", "mailx", "man", "mkdir", "mktemp", "mv",
    "pgrep", "pidof", "pkill", "printf", "readlink", "realpath", "rm", "rsync", "scp", "sed", "sendmail", "setfacl",
    "sort", "stat", "tail", "tar", "tee", "test", "touch", "type", "wc", "which", "xz", "zgrep",
];

/// The words of find(1) before a command. Its other words are paths and conditions.
const FIND_RUNS: [&[u8]; 4] = [b"-exec", b"-execdir", b"-ok", b"-okdir"];
/// Commands that end at once and do not fail in a sound crontab: the shell runs what follows their `&&`.
const SURE: [&str; 14] =
    [".", ":", "cd", "date", "echo", "export", "printf", "set", "sleep", "source", "true", "ulimit", "umask", "unset"];

pub type Mention = Result<Call, String>;

/// The calls of remoteexe in `text`, which a shell runs with these variables.
///
/// Each text that mentions remoteexe has a call, unless certainly no command in it runs remoteexe.
pub fn mentions(text: &[u8], variables: &Variables) -> Vec<Mention> {
    if !may_mention(text, variables) {
        return Vec::new();
    }
    let of_cron =
        if text.contains(&b'$') { variables.without(|name| is_changed_in(text, name)) } else { Variables::default() };
    let mut finder = CallFinder { variables: of_cron, ..CallFinder::default() };
    finder.text(text, Position::default());
    let has_word = finder.has_word || memmem::find(text, b"<<<").is_some();
    if let Some(reader) = finder.reader.take().filter(|_| has_word && finder.mentions.is_empty()) {
        finder.unknown(format!("what {reader} reads is not known here"));
    }
    finder.mentions
}

fn may_mention(text: &[u8], variables: &Variables) -> bool {
    let mut values = variables.all();
    mentions_name(text) || text.contains(&b'$') && values.any(|(_, value)| mentions_name(value))
}

/// Whether a command may give a variable of the crontab another value.
fn is_changed_in(text: &[u8], name: &str) -> bool {
    // As a word: `NAME=value`, `read NAME`, `for NAME in`.
    memmem::find_iter(text, name).any(|at| {
        let before = at.checked_sub(1).map_or(b' ', |at| text[at]);
        let after = text.get(at + name.len()).copied().unwrap_or(b' ');
        !is_in_name(before) && !b"${".contains(&before) && !is_in_name(after) && after != b'/'
    })
}

#[derive(Default)]
struct CallFinder {
    variables: Variables,
    mentions: Vec<Mention>,
    /// A program that may run what it reads.
    reader: Option<String>,
    /// The name of remoteexe, or a command with it, is a word.
    has_word: bool,
    /// The variables of the shell that lead to remoteexe.
    assigned: Vec<Vec<u8>>,
}

impl Visitor for CallFinder {
    fn simple(&mut self, words: &[Word], at: Position) -> Effect {
        if words.is_empty() {
            return Effect::default();
        }
        let mut expansions = words.iter().filter_map(|word| word.expansion.as_ref());
        if let Some(expansion) = expansions.find(|expansion| may_run(expansion)) {
            self.unknown(replaced(expansion));
            return Effect::UNKNOWN;
        }
        let leads_here = |word: &&Word| may_be_command(word) || mentions_name(base_name(&word.text));
        self.has_word |= words.iter().any(|word| leads_here(&word));
        let assigned = words.iter().filter(leads_here).filter_map(assignment);
        self.assigned.extend(assigned.map(|(name, _)| name.to_vec()));
        let unwrapped = unwrap(words);
        let Some((program, arguments)) = unwrapped.command.split_first() else {
            // `NAME=value` alone, or a wrapper without a command, as `flock -n 9`.
            return if unwrapped.is_plain { Effect::default() } else { Effect::UNKNOWN };
        };
        let name = base_name(&program.text);
        if let Some(script) = &unwrapped.script {
            self.script(script, &unwrapped, at);
        } else if name == NAME && program.expansion.is_none() {
            self.call(program, arguments, unwrapped, at);
        } else if let Some(expansion) = program.expansion.as_ref().filter(|it| self.has_set(it)) {
            self.unknown(replaced(expansion));
        } else if name == b"sleep" {
            return Effect { time: sleep(arguments), ..Effect::default() };
        } else {
            return self.other(program, unwrapped.command);
        }
        Effect::UNKNOWN
    }
}

impl CallFinder {
    fn text(&mut self, text: &[u8], at: Position) {
        let first = self.mentions.len();
        match tokens(text, &self.variables) {
            Ok(tokens) => {
                if let Err(error) = walk(tokens, at, self) {
                    self.mentions.truncate(first);
                    self.unknown(error);
                }
            }
            Err(error) => self.unknown(format!("{error} in the command")),
        }
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
            let around = &unwrapped.call;
            let (wait, depth) = (at.wait.then(around.wait), at.depth + 1);
            let at = Position { wait, depth, ..at.if_true(around.is_conditional) };
            let variables = around.has_clean_environment.then(Variables::default);
            let outer = variables.map(|clean| mem::replace(&mut self.variables, clean));
            let first = self.mentions.len();
            self.text(&script.text, at);
            for call in self.mentions[first..].iter_mut().flatten() {
                call.take_limit(around.limit);
                call.is_other_user |= around.is_other_user;
                call.has_clean_environment |= around.has_clean_environment;
            }
            self.variables = outer.unwrap_or_else(|| mem::take(&mut self.variables));
        }
    }

    fn call(&mut self, program: &Word, arguments: &[Word], unwrapped: Unwrapped, at: Position) {
        if at.is_repeated {
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
            wait: at.wait.then(unwrapped.call.wait),
            is_conditional: at.is_conditional || unwrapped.call.is_conditional,
            ..unwrapped.call
        };
        self.mentions.push(Ok(call));
    }

    /// A command that is not remoteexe, and may run remoteexe all the same.
    fn other(&mut self, program: &Word, words: &[Word]) -> Effect {
        let name = String::from_utf8_lossy(base_name(&program.text)).into_owned();
        let may_leave = matches!(&*name, "exit" | "return");
        if is_shell(name.as_bytes()) || matches!(&*name, "at" | "batch" | "ssh") {
            self.reader = Some(name.clone());
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
        let is_quick = !may_fail || may_leave || matches!(&*name, "[" | "[[" | "test");
        let time = if is_quick { Wait::NONE } else { Wait::UNKNOWN };
        Effect { time, may_fail, may_leave }
    }

    /// Whether an expansion uses a variable whose value leads to remoteexe.
    fn has_set(&self, expansion: &[u8]) -> bool {
        let name = &expansion[expansion.iter().take_while(|it| b"${".contains(it)).count()..];
        let length = name.iter().take_while(|byte| is_in_name(**byte)).count();
        self.assigned.iter().any(|it| *it == name[..length])
    }

    fn unknown(&mut self, reason: String) {
        self.mentions.push(Err(reason));
    }
}

/// Whether a word is the name of remoteexe, or contains a command with it, as in `wrapper "remoteexe h s"`.
fn may_be_command(word: &Word) -> bool {
    base_name(&word.text) == NAME || word.text.iter().any(u8::is_ascii_whitespace) && may_run(&word.text)
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

/// Whether a line of a script or a crontab may run remoteexe, and is no comment.
pub fn line_may_run(line: &[u8]) -> bool {
    may_run(line) && !line.trim_ascii_start().starts_with(b"#")
}

/// Whether `remoteexe` occurs in `text`, in upper or lower case, as also in `$REMOTEEXE`.
pub fn mentions_name(text: &[u8]) -> bool {
    text.windows(NAME.len()).any(|part| part.eq_ignore_ascii_case(NAME))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// The calls in the notation of the file.
    fn shown(text: &str, variables: &Variables) -> String {
        let shown = mentions(text.as_bytes(), variables).into_iter().map(|mention| match mention {
            Err(reason) => format!("[{reason}]"),
            Ok(call) => {
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
    fn the_calls_in_a_command_are_found_and_those_that_only_a_shell_can_know_are_not_guessed() {
        let mut variables = Variables::default();
        let wrapped = "timeout 60  remoteexe";
        for (name, value) in [("RUN", wrapped), ("DB", "h2"), ("A", "a b"), ("E", ""), ("GLOB", "/*.sh"), ("Q", "it's")]
        {
            variables.set(name.as_bytes(), value.as_bytes());
        }
        let mut expected = "";
        let lines = include_str!("../../../tests/data/shell/calls.txt").lines();
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line.strip_prefix('=') {
                Some(text) => expected = text.trim_start(),
                None => assert_eq!(shown(line, &variables), expected, "{line}"),
            }
        }
    }

    #[test]
    fn a_command_of_any_characters_has_an_end() {
        for seed in 0..2000 {
            let mut random = fastrand::Rng::with_seed(seed);
            let length = random.usize(..40);
            let part = |_| char::from(random.choice(*b"ab '\"\\$(){}[]`&|;<>#*~").unwrap());
            let text: String = (0..length).map(part).collect();
            shown(&format!("remoteexe {text}"), &Variables::default());
        }
    }
}
