//! The programs that run another one: `timeout 300 COMMAND`, `flock -n FILE COMMAND`, `bash -c '…'`.

use super::lexer::{Word, base_name};
use super::wait::{Wait, seconds};

/// A program that runs the command after its own options and operands.
struct Wrapper {
    name: &'static str,
    /// Options whose value is the next word.
    with_value: &'static [&'static str],
    /// The number of its own operands before the command.
    operands: usize,
}

const fn wrapper(
    name: &'static str,
    with_value: &'static [&'static str],
    operands: usize,
) -> Wrapper {
    Wrapper { name, with_value, operands }
}

const WRAPPERS: [Wrapper; 28] = [
    wrapper("chronic", &[], 0),
    wrapper("chrt", &["-T", "-P", "-D"], 1),
    wrapper("command", &[], 0),
    wrapper("cronic", &[], 0),
    wrapper("cpulimit", &["-l", "--limit"], 0),
    wrapper("doas", &["-u", "-C"], 0),
    wrapper("env", &["-u", "--unset", "-C", "--chdir"], 0),
    wrapper("envdir", &[], 1),
    wrapper("exec", &["-a"], 0),
    wrapper("flock", &["-w", "--timeout", "--wait", "-E", "--conflict-exit-code"], 1),
    wrapper("ionice", &["-c", "--class", "-n", "--classdata"], 0),
    wrapper("nice", &["-n", "--adjustment"], 0),
    wrapper("nohup", &[], 0),
    wrapper("run-one", &[], 0),
    wrapper("runuser", &["-u", "--user", "-g", "--group", "-G", "--supp-group"], 0),
    wrapper("prlimit", &[], 0),
    wrapper("setlock", &[], 1),
    wrapper("setsid", &[], 0),
    wrapper("setuidgid", &[], 1),
    wrapper("stdbuf", &["-i", "-o", "-e"], 0),
    wrapper(
        "sudo",
        &["-u", "--user", "-g", "--group", "-C", "-D", "-R", "-T", "-h", "-p", "-r", "-t"],
        0,
    ),
    wrapper("systemd-cat", &["-t", "--identifier", "-p", "--priority"], 0),
    wrapper("taskset", &[], 1),
    wrapper("time", &["-f", "--format", "-o", "--output"], 0),
    wrapper("timeout", &["-k", "--kill-after", "-s", "--signal"], 1),
    wrapper("unbuffer", &[], 0),
    wrapper("unshare", &[], 0),
    wrapper("withlock", &[], 1),
];

/// Programs that run the text after `-c`.
const SHELLS: [&str; 10] =
    ["ash", "bash", "busybox", "dash", "ksh", "mksh", "script", "sh", "su", "zsh"];

const USER_CHANGERS: [&str; 5] = ["doas", "runuser", "setuidgid", "su", "sudo"];

/// A command without the programs around it.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about the programs around the command"
)]
pub struct Unwrapped<'a> {
    /// Empty if there is no command.
    pub command: &'a [Word],
    /// The text that the command, a shell, runs.
    pub script: Option<Word>,
    /// Those that are set for the command.
    pub variables: Vec<(Vec<u8>, Vec<u8>)>,
    /// How long the wrappers may wait.
    pub wait: Wait,
    /// The wrappers may skip the command.
    pub is_conditional: bool,
    pub is_plain: bool,
    pub is_other_user: bool,
    /// The command does not have the variables of the crontab.
    pub has_clean_environment: bool,
}

/// Removes the wrappers around the command in `words`.
pub fn unwrap(words: &[Word]) -> Unwrapped<'_> {
    let mut found = Unwrapped {
        command: words,
        script: None,
        variables: Vec::new(),
        wait: Wait::NONE,
        is_conditional: false,
        is_plain: true,
        is_other_user: false,
        has_clean_environment: false,
    };
    loop {
        found.take_assignments();
        let Some((program, arguments)) = found.command.split_first() else {
            return found;
        };
        let name = base_name(&program.text);
        if is_one_of(&USER_CHANGERS, name) {
            found.is_other_user = true;
            found.has_clean_environment |= is_login(name, arguments);
        }
        if name == b"eval" {
            found.script = joined(arguments);
            return found;
        }
        let is_runuser_shell = name == b"runuser" && !arguments.iter().any(|it| it.text == b"-u");
        if is_one_of(&SHELLS, name) || is_runuser_shell {
            found.script = script(arguments);
            return found;
        }
        let Some(wrapper) = WRAPPERS.iter().find(|wrapper| wrapper.name.as_bytes() == name) else {
            return found;
        };
        if wrapper.name == "command" && arguments.iter().any(|word| word.text == b"-v") {
            return found;
        }
        found.is_plain = false;
        let options = wrapper.options(arguments);
        match wrapper.name {
            "flock" | "setlock" => found.lock(&arguments[..options]),
            "run-one" | "withlock" => found.is_conditional = true,
            "env" if has_clean_environment(&arguments[..options]) => {
                found.has_clean_environment = true;
            }
            _ => {}
        }
        let command = &arguments[options..];
        let command = command.get(wrapper.operands..).unwrap_or_default();
        if wrapper.name == "flock"
            && let [flag, script, ..] = command
            && matches!(&*flag.text, b"-c" | b"--command")
        {
            found.script = Some(script.clone());
            return found;
        }
        found.command = command;
    }
}

impl Wrapper {
    /// The number of words that its options take.
    fn options(&self, words: &[Word]) -> usize {
        let mut count = 0;
        while let Some(word) = words.get(count).filter(|word| word.text.starts_with(b"-")) {
            count += 1;
            if word.text == b"--" {
                break;
            }
            if is_one_of(self.with_value, &word.text) {
                count += 1;
            }
        }
        count.min(words.len())
    }
}

impl Unwrapped<'_> {
    fn take_assignments(&mut self) {
        while let Some((word, rest)) = self.command.split_first()
            && let Some((name, value)) = assignment(word)
        {
            // An unknown value is of no use.
            if word.expansion.is_none() {
                self.variables.push((name.to_vec(), value.to_vec()));
            }
            self.command = rest;
        }
    }

    /// Notes what a program that takes a lock does, by its options.
    fn lock(&mut self, options: &[Word]) {
        let mut is_value = false;
        let mut longest = None;
        let mut does_not_wait = false;
        for word in options {
            let text = &*word.text;
            if std::mem::replace(&mut is_value, false) {
                longest = seconds(text);
            } else if matches!(text, b"-w" | b"--timeout" | b"--wait") {
                is_value = true;
                self.is_conditional = true;
            } else if text.starts_with(b"--timeout=") || text.starts_with(b"--wait=") {
                longest = text.splitn(2, |byte| *byte == b'=').nth(1).and_then(seconds);
                self.is_conditional = true;
            } else if text == b"--nonblock" || text == b"--nb" || is_cluster_with(text, b'n') {
                does_not_wait = true;
            }
        }
        if does_not_wait {
            self.is_conditional = true;
        } else {
            self.wait = Wait {
                least: self.wait.least,
                most: self.wait.most.zip(longest).map(|(most, longest)| most + longest),
            };
        }
    }
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
    let is_drop = |word: &Word| {
        matches!(&*word.text, b"-" | b"--ignore-environment") || is_cluster_with(&word.text, b'i')
    };
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
    let flag = arguments
        .iter()
        .position(|word| word.text == b"--command" || is_cluster_with(&word.text, b'c'))?;
    arguments.get(flag + 1).cloned()
}

/// The name and the value, if a word is `NAME=value`.
fn assignment(word: &Word) -> Option<(&[u8], &[u8])> {
    let end = word.text.iter().position(|byte| *byte == b'=')?;
    let name = &word.text[..end];
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let is_assignment =
        name.iter().all(is_name) && name.first().is_some_and(|first| !first.is_ascii_digit());
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
