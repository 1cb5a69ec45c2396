//! The calls of remoteexe in the command of a crontab line.
//!
//! A command is taken apart by the shell's grammar as far as crontabs use it: lists, pipes, branches, and the
//! programs that run another one, such as `timeout` and `flock`. Nothing is guessed: a call whose words only a
//! shell can know is reported with the reason.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::lexer::{Operator, Token, Word, tokens};
use super::wrappers::{self, Unwrapped};

/// The program.
const NAME: &[u8] = b"remoteexe";

/// How deep `sh -c "sh -c …"` is followed.
const DEEPEST: usize = 4;

/// Programs that may have the word `remoteexe` without running it.
const NO_RUNNERS: [&str; 29] = [
    "[", "[[", "cat", "chmod", "chown", "command", "cp", "du", "echo", "grep", "install",
    "killall", "ln", "logger", "ls", "man", "mkdir", "mv", "pgrep", "pidof", "pkill", "printf",
    "rm", "rsync", "tar", "test", "touch", "type", "which",
];

/// The words of find(1) behind which a command stands. Its other words are paths and conditions.
const FIND_RUNS: [&[u8]; 4] = [b"-exec", b"-execdir", b"-ok", b"-okdir"];

/// Commands that end at once and do not fail in a sound crontab: what follows their `&&` runs.
const SURE: [&str; 14] = [
    ".", ":", "cd", "date", "echo", "export", "printf", "set", "sleep", "source", "true", "ulimit",
    "umask", "unset",
];

/// A mention of remoteexe in a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mention {
    /// A call.
    Call(Call),
    /// A call about which something cannot be known, for this reason.
    Unknown(String),
}

/// A call of remoteexe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The program as it is written: a name or a path.
    pub program: Vec<u8>,
    /// Its arguments.
    pub words: Vec<OsString>,
    /// The variables that the command itself sets for it.
    pub variables: Vec<(Vec<u8>, Vec<u8>)>,
    /// The time from the start of the line to the call.
    pub wait: Wait,
    /// It may be left out, as after `[ … ] &&` or behind `flock -n`.
    pub is_conditional: bool,
}

/// How long something takes, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// At least.
    pub least: u64,
    /// At most, if that is known.
    pub most: Option<u64>,
}

impl Wait {
    /// No time.
    pub const NONE: Self = Self {
        least: 0,
        most: Some(0),
    };

    /// A time that is not known.
    pub const UNKNOWN: Self = Self {
        least: 0,
        most: None,
    };

    /// This time, or up to `seconds` more.
    pub fn or_later(self, seconds: u64) -> Self {
        self.then(Self {
            least: 0,
            most: Some(seconds),
        })
    }

    fn then(self, next: Self) -> Self {
        let most = self.most.zip(next.most);
        Self {
            least: self.least.saturating_add(next.least),
            most: most.map(|(first, second)| first.saturating_add(second)),
        }
    }
}

/// The calls of remoteexe in `text`, which a shell runs.
pub fn mentions(text: &[u8]) -> Vec<Mention> {
    if !mentions_name(text) {
        return Vec::new();
    }
    let mut walk = Walk::default();
    walk.text(text, 0);
    walk.mentions
}

#[derive(Debug)]
struct Walk {
    mentions: Vec<Mention>,
    /// How long the commands before have taken.
    wait: Wait,
    /// How long the commands before the list have taken that `&` would send to the background.
    list: Wait,
    /// The groups that are open: the list that each is a part of, and whether it may be left out.
    groups: Vec<(Wait, bool)>,
    /// How long the command takes that comes before the next operator.
    last: Wait,
    /// The command that comes before the next operator may fail.
    may_fail: bool,
    /// `&&` or `||` after such a command is in front.
    is_conditional: bool,
    /// The shell may have ended before.
    may_have_left: bool,
    /// How many `then`, `else` and `do` are open.
    branches: usize,
    /// How many loops and `case`s are open.
    loops: usize,
}

impl Default for Walk {
    fn default() -> Self {
        Self {
            mentions: Vec::new(),
            wait: Wait::NONE,
            list: Wait::NONE,
            groups: Vec::new(),
            last: Wait::NONE,
            may_fail: false,
            is_conditional: false,
            may_have_left: false,
            branches: 0,
            loops: 0,
        }
    }
}

impl Walk {
    fn text(&mut self, text: &[u8], depth: usize) {
        let tokens = match tokens(text) {
            Ok(tokens) => tokens,
            Err(error) => return self.unknown(format!("{error} in the command")),
        };
        let mut words = Vec::new();
        for token in tokens {
            match token {
                Token::Word(word) => words.push(word),
                Token::Operator(operator) => {
                    self.command(&words, depth);
                    words.clear();
                    self.operator(operator);
                }
            }
        }
        self.command(&words, depth);
    }

    fn operator(&mut self, operator: Operator) {
        let may_skip = self.may_fail || self.is_conditional;
        match operator {
            Operator::And => self.is_conditional = may_skip,
            Operator::Or => self.is_conditional = true,
            Operator::Sequence => self.is_conditional = false,
            Operator::Background => {
                self.is_conditional = false;
                self.last = Wait::NONE;
                self.wait = self.list;
            }
            // The commands of a pipe start together.
            Operator::Pipe => self.last = Wait::NONE,
            Operator::Open => return self.open(),
            Operator::Close => return self.close(),
        }
        self.wait = self
            .wait
            .then(std::mem::replace(&mut self.last, Wait::NONE));
        if matches!(operator, Operator::Sequence | Operator::Background) {
            self.list = self.wait;
        }
    }

    /// `(` or `{`: a condition before it holds for all of its commands.
    fn open(&mut self) {
        self.groups.push((self.list, self.is_conditional));
        self.branches += usize::from(self.is_conditional);
        self.list = self.wait;
        self.is_conditional = false;
    }

    /// `)` or `}`. That of a pattern of `case` closes no group.
    fn close(&mut self) {
        if let Some((list, is_conditional)) = self.groups.pop() {
            self.list = list;
            self.is_conditional = is_conditional;
            self.branches = self.branches.saturating_sub(usize::from(is_conditional));
        }
    }

    /// A simple command, with the reserved words before it.
    fn command(&mut self, words: &[Word], depth: usize) {
        let mut words = words;
        while let Some((word, rest)) = words.split_first() {
            if word.is_quoted || !self.reserved(&word.text) {
                break;
            }
            words = rest;
        }
        if words.is_empty() {
            return;
        }
        self.may_fail = true;
        self.last = Wait::UNKNOWN;
        let mut expansions = words.iter().filter_map(|word| word.expansion.as_ref());
        if let Some(expansion) = expansions.find(|expansion| may_run(expansion)) {
            return self.unknown(replaced(expansion));
        }
        let unwrapped = wrappers::unwrap(words);
        let Some((program, arguments)) = unwrapped.command.split_first() else {
            return self.without_command(&unwrapped);
        };
        let name = base_name(&program.text);
        if let Some(script) = &unwrapped.script {
            self.script(script, &unwrapped, depth);
        } else if name == NAME && program.expansion.is_none() {
            self.call(program, arguments, unwrapped);
        } else if name == b"sleep" {
            self.last = wrappers::sleep(arguments);
            self.may_fail = false;
        } else {
            self.other(program, unwrapped.command);
        }
    }

    /// Whether `word` is a reserved word of the shell, which then is taken into account.
    fn reserved(&mut self, word: &[u8]) -> bool {
        match word {
            b"{" => self.open(),
            b"}" => self.close(),
            b"!" | b"time" | b"if" | b"elif" | b"else" | b"do" => {}
            b"then" => self.branches += 1,
            b"fi" => self.branches = self.branches.saturating_sub(1),
            b"for" | b"while" | b"until" | b"case" | b"select" => self.loops += 1,
            b"done" | b"esac" => self.loops = self.loops.saturating_sub(1),
            _ => return false,
        }
        true
    }

    /// `NAME=value` alone, or a wrapper without a command, as `flock -n 9`.
    fn without_command(&mut self, unwrapped: &Unwrapped) {
        let is_assignment = unwrapped.is_plain;
        self.may_fail = !is_assignment;
        if is_assignment {
            self.last = Wait::NONE;
        }
    }

    fn script(&mut self, script: &Word, unwrapped: &Unwrapped, depth: usize) {
        if let Some(expansion) = &script.expansion {
            if may_run(&script.text) {
                self.unknown(replaced(expansion));
            }
        } else if depth == DEEPEST {
            self.unknown("it is too deep in shells within shells".to_owned());
        } else if mentions_name(&script.text) {
            let outer = (self.is_conditional, self.branches, self.list);
            self.wait = self.wait.then(unwrapped.wait);
            self.branches += usize::from(unwrapped.is_conditional || self.is_conditional);
            self.is_conditional = false;
            self.list = self.wait;
            self.text(&script.text, depth + 1);
            (self.is_conditional, self.branches, self.list) = outer;
            self.last = Wait::UNKNOWN;
            self.may_fail = true;
        }
    }

    fn call(&mut self, program: &Word, arguments: &[Word], unwrapped: Unwrapped) {
        if self.loops > 0 {
            return self.unknown("it is in a loop or a case of the shell".to_owned());
        }
        let mut expansions = arguments.iter().filter_map(|word| word.expansion.as_ref());
        if let Some(expansion) = expansions.next() {
            return self.unknown(replaced(expansion));
        }
        let words = arguments
            .iter()
            .map(|word| OsString::from_vec(word.text.clone()));
        let call = Call {
            program: program.text.clone(),
            words: words.collect(),
            variables: unwrapped.variables,
            wait: self.wait.then(unwrapped.wait),
            is_conditional: self.is_conditional
                || self.may_have_left
                || self.branches > 0
                || unwrapped.is_conditional,
        };
        self.mentions.push(Mention::Call(call));
    }

    /// A command that is not remoteexe. It may run remoteexe all the same.
    fn other(&mut self, program: &Word, words: &[Word]) {
        let name = String::from_utf8_lossy(base_name(&program.text)).into_owned();
        if matches!(&*name, "exit" | "return" | "exec") {
            self.may_have_left = true;
        }
        let is_sure = SURE.contains(&&*name);
        self.may_fail = !is_sure;
        if is_sure || matches!(&*name, "[" | "[[" | "test" | "exit" | "return") {
            self.last = Wait::NONE;
        }
        let is_word = |word: &Word| base_name(&word.text) == NAME;
        let mut runs = words.iter();
        if name == "find" {
            runs.find(|word| FIND_RUNS.contains(&&*word.text));
        }
        if runs.any(is_word) && !NO_RUNNERS.contains(&&*name) {
            self.unknown(format!("it may be run by {name}, which is not known here"));
        }
    }

    fn unknown(&mut self, reason: String) {
        self.mentions.push(Mention::Unknown(reason));
    }
}

fn replaced(expansion: &[u8]) -> String {
    const LONGEST: usize = 40;
    let shown = String::from_utf8_lossy(&expansion[..expansion.len().min(LONGEST)]);
    let more = if expansion.len() > LONGEST { "…" } else { "" };
    format!("only the shell knows the value of {shown}{more}")
}

/// The file name of a path.
pub fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// Whether a text may run remoteexe: it has the name as a word of its own, as in `$(/bin/remoteexe h s)` and
/// `$REMOTEEXE`, but not in `$REMOTEEXE_LOG_DIR`.
fn may_run(text: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.".contains(byte);
    let mut words = text.split(|byte| !is_part(byte));
    words.any(|word| word.eq_ignore_ascii_case(NAME))
}

/// Whether `remoteexe` stands in `text`, in upper or lower case, as also in `$REMOTEEXE`.
pub fn mentions_name(text: &[u8]) -> bool {
    text.windows(NAME.len())
        .any(|part| part.eq_ignore_ascii_case(NAME))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// Each call as `WORDS`, with its wait and `perhaps` where it is conditional, or the reason in brackets.
    fn shown(text: &str) -> String {
        let shown = mentions(text.as_bytes())
            .into_iter()
            .map(|mention| match mention {
                Mention::Unknown(reason) => format!("[{reason}]"),
                Mention::Call(call) => {
                    let words = call
                        .words
                        .iter()
                        .map(|word| format!("<{}>", word.display()));
                    let mut shown: String = words.collect();
                    for (name, value) in &call.variables {
                        let _ = write!(shown, " {}={}", name.escape_ascii(), value.escape_ascii());
                    }
                    let _ = match call.wait {
                        Wait::NONE => Ok(()),
                        Wait { least, most: None } => write!(shown, " {least}s or more"),
                        Wait {
                            least,
                            most: Some(most),
                        } => write!(shown, " {least}-{most}s"),
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
        ] {
            assert_eq!(shown(command), "<h><s><a>", "{command}");
        }
    }

    #[test]
    fn variables_waits_and_conditions_of_a_call_are_told() {
        for (command, expected) in [
            ("env -i A=1 nice remoteexe h s", "<h><s> A=1"),
            ("run-one remoteexe h s", "<h><s> perhaps"),
            ("A=1 env -u C B=2 remoteexe h s", "<h><s> A=1 B=2"),
            ("sleep 5; remoteexe h s", "<h><s> 5-5s"),
            ("sleep 1m 2 && remoteexe h s", "<h><s> 62-62s"),
            ("sleep $((RANDOM % 30)); remoteexe h s", "<h><s> 0-29s"),
            (
                "sleep $(( RANDOM % 30 + 5 )); remoteexe h s",
                "<h><s> 5-34s",
            ),
            ("sleep $DELAY; remoteexe h s", "<h><s> 0s or more"),
            ("sleep 5 & remoteexe h s", "<h><s>"),
            ("prepare; remoteexe h s", "<h><s> 0s or more"),
            ("remoteexe h a; remoteexe h b", "<h><a>; <h><b> 0s or more"),
            ("remoteexe h a & remoteexe h b", "<h><a>; <h><b>"),
            (
                "[ -x /usr/bin/remoteexe ] && remoteexe h s",
                "<h><s> perhaps",
            ),
            ("test -f /x || remoteexe h s", "<h><s> perhaps"),
            ("a && cd /b && remoteexe h s", "<h><s> 0s or more perhaps"),
            ("[ -f /x ] && echo; remoteexe h s", "<h><s>"),
            ("flock -n /l remoteexe h s", "<h><s> perhaps"),
            ("flock -xn -E 75 /l remoteexe h s", "<h><s> perhaps"),
            ("flock -w 5 /l -c 'remoteexe h s'", "<h><s> 0-5s perhaps"),
            ("flock /l remoteexe h s", "<h><s> 0s or more"),
            (
                "( flock -n 9 || exit 1; remoteexe h s ) 9>/l",
                "<h><s> 0s or more perhaps",
            ),
            (
                "if [ -f /x ]; then remoteexe h s; fi; remoteexe h t",
                "<h><s> perhaps; <h><t> 0s or more",
            ),
            ("[ -f /x ] && sh -c 'cd /; remoteexe h s'", "<h><s> perhaps"),
            (
                "[ -f /x ] && (cd /; remoteexe h s); remoteexe h t",
                "<h><s> perhaps; <h><t> 0s or more",
            ),
            (
                "[ -f /x ] && { cd /; remoteexe h s; } & remoteexe h t",
                "<h><s> perhaps; <h><t>",
            ),
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
    fn a_call_that_only_a_shell_can_know_is_reported_and_not_guessed() {
        for (command, reason) in [
            (
                "remoteexe $HOST s",
                "only the shell knows the value of $HOST",
            ),
            (
                "remoteexe h \"s $(date)\"",
                "only the shell knows the value of $(date)",
            ),
            ("remoteexe h s *.log", "only the shell knows the value of *"),
            (
                "$REMOTEEXE h s",
                "only the shell knows the value of $REMOTEEXE",
            ),
            (
                "x=$(remoteexe h s)",
                "only the shell knows the value of $(remoteexe h s)",
            ),
            (
                "bash -c \"remoteexe $H s\"",
                "only the shell knows the value of $H",
            ),
            (
                "for h in a b; do remoteexe $h s; done",
                "it is in a loop or a case of the shell",
            ),
            (
                "echo h | xargs remoteexe",
                "it may be run by xargs, which is not known here",
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
        ] {
            assert_eq!(shown(command), "", "{command}");
        }
    }
}
