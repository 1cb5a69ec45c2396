//! The programs that run another one: `timeout 300 COMMAND`, `flock -n FILE COMMAND`, `bash -c '…'`.

use std::ffi::OsString;

use super::lexer::{Operator, Token, Word, base_name, is_in_name, tokens};
use super::lock::Lock;
use super::wait::{Wait, seconds};
use crate::cron::crontab::variables::Variables;

/// Programs that run the command after their own options and operands: the name, the options whose value is the next
/// word, and the number of operands before the command.
const WRAPPERS: [(&str, &str, usize); 29] = [
    ("chronic", "", 0),
    ("chrt", "-T -P -D", 1),
    ("command", "", 0),
    ("cronic", "", 0),
    ("cpulimit", "-l --limit", 0),
    ("doas", "-u -C", 0),
    ("env", "-u --unset -C --chdir", 0),
    ("envdir", "", 1),
    ("exec", "-a", 0),
    ("flock", "-w --timeout --wait -E --conflict-exit-code", 1),
    ("ionice", "-c --class -n --classdata", 0),
    ("nice", "-n --adjustment", 0),
    ("nohup", "", 0),
    ("run-one", "", 0),
    ("runuser", "-u --user -g --group -G --supp-group", 0),
    ("prlimit", "", 0),
    ("setlock", "", 1),
    ("setsid", "", 0),
    ("setuidgid", "", 1),
    ("sshpass", "-f -d -p -P", 0),
    ("stdbuf", "-i -o -e", 0),
    ("sudo", "-u --user -g --group -C -D -R -T -h -p -r -t", 0),
    ("systemd-cat", "-t --identifier -p --priority", 0),
    ("taskset", "", 1),
    ("time", "-f --format -o --output", 0),
    ("timeout", "-k --kill-after -s --signal", 1),
    ("unbuffer", "", 0),
    ("unshare", "", 0),
    ("withlock", "", 1),
];

/// Programs that run the text after `-c`.
const SHELLS: [&str; 10] = ["ash", "bash", "busybox", "dash", "ksh", "mksh", "script", "sh", "su", "zsh"];
const USER_CHANGERS: [&str; 5] = ["doas", "runuser", "setuidgid", "su", "sudo"];

#[derive(Default)]
pub struct Call {
    /// The program as the line has it: a name or a path.
    pub program: Vec<u8>,
    pub words: Vec<OsString>,
    /// The variables that the command itself sets for the call.
    pub variables: Vec<(Vec<u8>, Vec<u8>)>,
    /// The wait from the start of the line to the call.
    pub wait: Wait,
    /// The seconds after which a timeout(1) around the call ends it.
    pub limit: Option<u64>,
    /// The shell may skip the call, as after `[ … ] &&` or behind `flock -n`.
    pub is_conditional: bool,
    /// The call runs as another user than the line's.
    pub is_other_user: bool,
    /// The call does not have the variables of the crontab.
    pub has_clean_environment: bool,
}

impl Call {
    /// Notes the limit of one more timeout(1) around the call: the shortest one ends it.
    pub fn take_limit(&mut self, limit: Option<u64>) {
        self.limit = self.limit.into_iter().chain(limit).min();
    }
}

/// A command without the programs around it.
pub struct Unwrapped<'a> {
    /// Empty if there is no command.
    pub command: &'a [Word],
    /// The text that the command, a shell, runs.
    pub script: Option<Word>,
    /// No program is around the command.
    pub is_plain: bool,
    /// The command as a call, with the effect of the programs.
    pub call: Call,
}

pub fn unwrap(words: &[Word]) -> Unwrapped<'_> {
    let call = Call::default();
    let mut found = Unwrapped { command: words, script: None, is_plain: true, call };
    loop {
        found.take_assignments();
        let Some((program, arguments)) = found.command.split_first() else { return found };
        let name = base_name(&program.text);
        if is_one_of(&USER_CHANGERS, name) {
            found.call.is_other_user = true;
            found.call.has_clean_environment |= is_login(name, arguments);
        }
        if name == b"eval" {
            found.script = joined(arguments);
            return found;
        }
        let is_runuser_shell = name == b"runuser" && !arguments.iter().any(|it| it.text == b"-u");
        if is_shell(name) || is_runuser_shell {
            found.script = script(arguments);
            return found;
        }
        let mut wrappers = WRAPPERS.iter().filter(|(wrapper, ..)| wrapper.as_bytes() == name);
        let Some((wrapper, with_value, operands)) = wrappers.next() else { return found };
        if *wrapper == "command" && arguments.iter().any(|word| word.text == b"-v") {
            return found;
        }
        found.is_plain = false;
        let options = options(with_value, arguments);
        match *wrapper {
            "flock" | "setlock" => found.lock(&arguments[..options]),
            "timeout" => found.call.take_limit(arguments.get(options).and_then(limit)),
            "run-one" | "withlock" => found.call.is_conditional = true,
            "env" if has_clean_environment(&arguments[..options]) => found.call.has_clean_environment = true,
            _ => {}
        }
        let command = &arguments[options..];
        let command = command.get(*operands..).unwrap_or_default();
        if *wrapper == "flock"
            && let [flag, script, ..] = command
            && matches!(&*flag.text, b"-c" | b"--command")
        {
            found.script = Some(script.clone());
            return found;
        }
        found.command = command;
    }
}

fn options(with_value: &str, words: &[Word]) -> usize {
    let mut count = 0;
    while let Some(word) = words.get(count).filter(|word| word.text.starts_with(b"-")) {
        count += 1;
        if word.text == b"--" {
            break;
        }
        count += usize::from(takes_next(with_value, &word.text));
    }
    count.min(words.len())
}

/// Whether the value of an option, or of the last one in a cluster, is the next word.
fn takes_next(with_value: &str, option: &[u8]) -> bool {
    let mut with_value = with_value.split(' ').map(str::as_bytes);
    match option {
        [b'-', letters @ ..] if !letters.starts_with(b"-") => {
            let is_one = |letter: &u8| with_value.clone().any(|it| it == [b'-', *letter]);
            letters.iter().position(is_one).is_some_and(|place| place + 1 == letters.len())
        }
        _ => with_value.any(|it| it == option),
    }
}

pub fn is_shell(name: &[u8]) -> bool {
    is_one_of(&SHELLS, name)
}

impl Unwrapped<'_> {
    fn take_assignments(&mut self) {
        while let Some((word, rest)) = self.command.split_first()
            && let Some((name, value)) = assignment(word)
        {
            // An unknown value is of no use.
            if word.expansion.is_none() {
                self.call.variables.push((name.to_vec(), value.to_vec()));
            }
            self.command = rest;
        }
    }

    /// Notes what a program that takes a lock does, by its options.
    fn lock(&mut self, options: &[Word]) {
        let lock = Lock::of(options.iter().map(|word| &*word.text));
        self.call.is_conditional |= lock.does_not_wait || lock.has_limit;
        if !lock.does_not_wait {
            self.call.wait = self.call.wait.then(Wait { least: 0, most: lock.longest });
        }
    }
}

/// The seconds after which the timeout(1) that a script begins with ends it. The words are those of a START.
pub fn limit_of_script<'a>(words: impl Iterator<Item = &'a [u8]>) -> Option<u64> {
    let words: Vec<Word> = words.map(|text| Word { text: text.to_vec(), ..Word::default() }).collect();
    unwrap(&words).call.limit
}

/// Whether a failure of the first program is the status of the whole command: no `;`, `|` or `||` follows.
pub fn first_gives_status(command: &[u8]) -> bool {
    let tokens = tokens(command, &Variables::default()).unwrap_or_default();
    !tokens.iter().any(|it| matches!(it, Token::Operator(Operator::Sequence | Operator::Pipe | Operator::Or)))
}

/// The limit of timeout(1), where 0 is none.
fn limit(word: &Word) -> Option<u64> {
    seconds(&word.text).filter(|limit| *limit > 0 && word.expansion.is_none())
}

/// Whether a program that changes the user also drops the variables.
fn is_login(name: &[u8], arguments: &[Word]) -> bool {
    let has = |words: &[&str]| arguments.iter().any(|word| is_one_of(words, &word.text));
    match name {
        b"doas" => true,
        b"sudo" => !has(&["-E", "--preserve-env"]),
        b"su" | b"runuser" => has(&["-", "-l", "--login"]),
        _ => false,
    }
}

/// Whether `env` with these options drops the inherited variables.
fn has_clean_environment(options: &[Word]) -> bool {
    let is_drop =
        |word: &Word| matches!(&*word.text, b"-" | b"--ignore-environment") || is_cluster_with(&word.text, b'i');
    options.iter().any(is_drop)
}

/// The text that `eval` with these arguments runs.
fn joined(arguments: &[Word]) -> Option<Word> {
    let mut arguments = arguments.iter().cloned();
    let mut script = arguments.next()?;
    for word in arguments {
        script.text.push(b' ');
        script.text.extend(word.text);
        script.expansion = script.expansion.or(word.expansion);
    }
    Some(script)
}

/// The text that `sh -c TEXT` runs.
fn script(arguments: &[Word]) -> Option<Word> {
    let flag = arguments.iter().position(|word| word.text == b"--command" || is_cluster_with(&word.text, b'c'))?;
    arguments.get(flag + 1).cloned()
}

/// The name and the value, if a word is `NAME=value`.
pub fn assignment(word: &Word) -> Option<(&[u8], &[u8])> {
    let end = word.text.iter().position(|byte| *byte == b'=')?;
    let name = &word.text[..end];
    let is_assignment =
        name.iter().copied().all(is_in_name) && name.first().is_some_and(|first| !first.is_ascii_digit());
    is_assignment.then_some((name, &word.text[end + 1..]))
}

/// Whether `text` is a cluster of short options with `option` in it: `-xn`.
fn is_cluster_with(text: &[u8], option: u8) -> bool {
    let letters = text.strip_prefix(b"-").unwrap_or_default();
    letters.iter().all(u8::is_ascii_alphabetic) && letters.contains(&option)
}

fn is_one_of(words: &[&str], word: &[u8]) -> bool {
    words.iter().any(|one| one.as_bytes() == word)
}
