//! The severity that a line claims for itself, in the notations of loggers and tools.

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Info,
    Warning,
    Error,
}

/// How many words may come before the level: a time, a host, a program, a place.
const MAX_WORDS: usize = 14;

pub fn level(line: &str) -> Option<Level> {
    of_priority(line).or_else(|| of_field(line)).or_else(|| of_letter(line)).or_else(|| of_words(line))
}

/// `<27>`, as programs write to standard error for systemd (sd-daemon(3)).
fn of_priority(line: &str) -> Option<Level> {
    let (number, _) = line.strip_prefix('<')?.split_once('>')?;
    Some(match number.parse::<u8>().ok()? % 8 {
        0..=3 => Level::Error,
        4 => Level::Warning,
        _ => Level::Info,
    })
}

/// A field of JSON or logfmt: `"level":"error"`, `level=error`, and pino's `"level":50`.
fn of_field(line: &str) -> Option<Level> {
    let names = ["level", "severity", "lvl", "levelname", "loglevel", "log.level", "log_level"];
    names.into_iter().find_map(|name| {
        let (before, after) = line.split_once(name)?;
        let is_begin = before.is_empty() || before.ends_with(['"', ' ', ',', '{']);
        let value = after.trim_start_matches('"').strip_prefix(['=', ':'])?.trim_start_matches([' ', '"']);
        let end = value.find(|character: char| !character.is_ascii_alphanumeric());
        let value = &value[..end.unwrap_or(value.len())];
        let level = match value.parse::<u32>() {
            Ok(50..) => Some(Level::Error),
            Ok(40..) => Some(Level::Warning),
            Ok(10..) => Some(Level::Info),
            Ok(_) => None,
            Err(_) => of_word(value),
        };
        level.filter(|_| is_begin)
    })
}

/// `E: `, `E, [` and `E1123 `, of apt, Ruby and klog.
fn of_letter(line: &str) -> Option<Level> {
    let mut characters = line.chars();
    let level = match characters.next()? {
        'E' | 'F' => Level::Error,
        'W' => Level::Warning,
        'I' | 'D' | 'N' => Level::Info,
        _ => return None,
    };
    let rest = characters.as_str();
    let is_dated =
        rest.split(' ').next().is_some_and(|date| date.len() == 4 && date.bytes().all(|byte| byte.is_ascii_digit()));
    (is_dated || rest.starts_with(": ") || rest.starts_with(':') && level == Level::Error || rest.starts_with(", ["))
        .then_some(level)
}

/// A word in capitals, a word before a colon or in brackets, or the first word of the line.
fn of_words(line: &str) -> Option<Level> {
    let mut rest = line;
    for place in 0..MAX_WORDS {
        let begin = rest.find(|character: char| character.is_ascii_alphanumeric())?;
        let before = rest[..begin].chars().next_back();
        let word = &rest[begin..];
        let end = word.find(|character: char| !character.is_ascii_alphanumeric());
        let (word, after) = word.split_at(end.unwrap_or(word.len()));
        if let Some(level) = of_word(word).filter(|_| stands_out(word, before, after, place == 0)) {
            return Some(level);
        }
        if is_code(word, after) {
            return Some(Level::Error);
        }
        if let Some(level) = of_message_id(word, after) {
            return Some(level);
        }
        rest = after;
    }
    None
}

fn stands_out(word: &str, before: Option<char>, after: &str, is_first: bool) -> bool {
    // A part of a name, such as `error.log` or `-Werror`.
    if matches!(before, Some('/' | '.' | '_' | '\'')) || after.starts_with(['/', '_', '\'']) {
        return false;
    }
    let is_capital = word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let labels = [": ", "]", ">", "[", "!", " :"];
    let is_label = labels.iter().any(|label| after.starts_with(label)) || after == ":";
    let is_failed = word.eq_ignore_ascii_case("failed") || word.eq_ignore_ascii_case("fail");
    let begins = is_first && after.starts_with(' ') && !is_failed;
    is_label || begins || is_capital && (is_first || !is_failed)
}

fn of_word(word: &str) -> Option<Level> {
    let is_in = |words: &[&str]| words.iter().any(|it| it.eq_ignore_ascii_case(word));
    let errors = [
        "error", "err", "erro", "eror", "fatal", "ftl", "critical", "crit", "severe", "emerg", "emergency", "alert",
        "panic", "fail", "failed", "failure", "fehler", "erreur", "errore",
    ];
    if is_in(&errors) {
        Some(Level::Error)
    } else if is_in(&["warn", "warning", "wrn", "deprecated", "warnung", "avertissement"]) {
        Some(Level::Warning)
    } else if is_in(&[
        "info", "inf", "information", "notice", "note", "debug", "dbg", "trace", "verbose", "ok", "success",
    ]) {
        Some(Level::Info)
    } else {
        None
    }
}

/// Whether `word` and what is `after` it are the number of an error: `ORA-01653:`, `RMAN-03009:`, `SQLSTATE[42S02]`.
fn is_code(word: &str, after: &str) -> bool {
    let is_capital = word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let number = after.strip_prefix('-').unwrap_or_default();
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    word == "SQLSTATE" || is_capital && (4..=6).contains(&digits) && number[digits..].starts_with(':')
}

/// The last letter of a message id of IBM and Hitachi: `ANS1311E `, `KAVS1011-E `. A `W` there is often no warning.
fn of_message_id(word: &str, after: &str) -> Option<Level> {
    let id = word.trim_end_matches(|last: char| last.is_ascii_uppercase());
    let letters = id.trim_end_matches(|last: char| last.is_ascii_digit());
    let (kind, after) = match &word[id.len()..] {
        "" => after.strip_prefix('-')?.split_at_checked(1)?,
        kind => (kind, after),
    };
    let is_id = letters.len() >= 3 && (3..=5).contains(&(id.len() - letters.len())) && after.starts_with(' ');
    let is_capital = letters.bytes().all(|byte| byte.is_ascii_uppercase());
    match kind {
        "E" | "S" if is_id && is_capital => Some(Level::Error),
        "I" if is_id && is_capital => Some(Level::Info),
        _ => None,
    }
}
