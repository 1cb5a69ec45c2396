//! Judges a line by its shape, whatever its words.

/// A line without its time, its level, and other text before the message.
pub fn message(text: &str) -> &str {
    let mut rest = text.trim();
    loop {
        let before = rest;
        rest = rest.trim_start_matches(is_decoration);
        for mark in ["npm ERR!", "npm error", "Remote:", "remote:"] {
            rest = rest.strip_prefix(mark).unwrap_or(rest);
        }
        if let Some((group, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'))
            && group.len() < 40
            && (!after.trim().is_empty() || is_level(group))
        {
            rest = after;
        }
        let word = rest.split_whitespace().next().unwrap_or_default();
        if is_time(word) || is_level(word) {
            rest = &rest[word.len()..];
        }
        if rest == before {
            return rest;
        }
    }
}

fn is_level(word: &str) -> bool {
    matches!(word, "INFO" | "DEBUG" | "NOTICE" | "TRACE" | "WARN" | "WARNING" | "ERROR")
}

/// Whether a character belongs to a frame or a list, or is a tool's mark for success or failure.
pub fn is_decoration(character: char) -> bool {
    let is_mark =
        |character| matches!(character, '|' | '>' | '*' | '!' | '×' | '•' | '→' | '❌' | '✔' | '✗' | '✘' | '✖');
    character.is_whitespace() || is_mark(character) || ('\u{2500}'..='\u{257f}').contains(&character)
}

/// Whether a word is a time or a part of a time.
fn is_time(word: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_digit() || b":.,-/TZ+".contains(&byte);
    word.len() > 4 && word.starts_with(|first: char| first.is_ascii_digit()) && word.bytes().all(is_part)
}

/// Whether a line has no word, or belongs to a heading or a banner: `*  Authorised users only  *`, `--- summary -----`.
pub fn is_rule(line: &str) -> bool {
    let letters = line.chars().filter(|character| character.is_alphabetic());
    let mut characters = line.chars();
    let (first, last) = (characters.next(), characters.next_back());
    let is_boxed = first == last && first.is_some_and(|edge| "*#=|-_~@".contains(edge)) && line.len() > 4;
    letters.take(2).count() < 2
        || is_boxed
        || ["====", "****", "----", "####", "@@@@"].iter().any(|end| line.ends_with(end))
}

/// Whether a line is only a place in a program: `/srv/app/stats.rb:31:in 'daily'`, `#0 /srv/send.php(8): open()`,
/// `main.main()`.
pub fn is_place(line: &str) -> bool {
    if let Some((number, frame)) = line.strip_prefix('#').and_then(|line| line.split_once(' ')) {
        let is_frame = ["/", "{", "0x", "[internal"].iter().any(|begin| frame.trim_start().starts_with(begin));
        return is_number(number) && is_frame;
    }
    if line.starts_with("file \"") && line.contains("\", line ") {
        return true;
    }
    if line.starts_with("main.") && line.contains('(') {
        return line.ends_with(')');
    }
    let mut parts = line.splitn(3, ':');
    let (Some(file), Some(number)) = (parts.next(), parts.next()) else { return false };
    let rest = parts.next().unwrap_or_default();
    let is_file = file.starts_with('/') && !file.contains(' ');
    // Ruby's message follows the place: `/srv/poll.rb:8:in 'get': Net::ReadTimeout`.
    let is_method = rest.trim_start().starts_with("in ") && !rest.contains("': ");
    is_file && is_number(number) && (rest.is_empty() || is_method)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a line is numbered: `1: Permission denied (os error 13)`.
pub fn is_numbered(message: &str) -> bool {
    message.split_once(": ").is_some_and(|(number, _)| is_number(number))
}

/// A shell's message about a script: `/srv/load.sh: line 31: DIR: unbound variable`, `load.sh: 14: aws: not found`.
pub fn is_of_shell(message: &str) -> bool {
    let mut parts = message.splitn(3, ": ");
    let (script, line) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_line = is_number(line.strip_prefix("line ").unwrap_or(line));
    !script.contains(' ') && is_line && parts.next().is_some()
}

/// Whether a line counts what failed, names a status, or is a heading in capitals: `3 of 14 rows refused`,
/// `fetch returned 4`, `BUILD FAILED`.
pub fn is_summary(message: &str) -> bool {
    let (number, rest) = message.split_once(' ').unwrap_or_default();
    // Three digits from 400 on are the reply of a server: `550 no such user`.
    let is_reply = number.len() == 3 && number.starts_with(['4', '5']);
    let counts = is_number(number) && !is_reply && rest.starts_with(char::is_lowercase);
    let is_heading = |character: char| character.is_ascii_uppercase() || " !.".contains(character);
    let (before, last) = message.rsplit_once([' ', '=']).unwrap_or_default();
    let names = ["returned", "status", "code", "rc", "RC"];
    let is_status = is_number(last) && names.iter().any(|name| before.ends_with(name));
    counts || is_status || message.chars().all(is_heading)
}

/// Whether a line is a name and one word: `Type:   unauthorized`.
pub fn is_field(message: &str) -> bool {
    let (name, value) = message.split_once(':').unwrap_or_default();
    !name.contains(' ') && value.split_whitespace().count() == 1
}

/// Whether a line only announces the message in the next line: `ERROR at line 1:`, `What went wrong:`, `fail: Sync[0]`.
pub fn is_announcement(message: &str) -> bool {
    let lower = message.to_ascii_lowercase();
    let says_nothing = |word: &str| {
        let words = "error errors message reason description cause problem failure fatal exception at line in what went wrong was the an occurred";
        word.parse::<u32>().is_ok() || words.split(' ').any(|it| it == word)
    };
    let is_numbered = lower.ends_with(|last: char| last.is_ascii_digit());
    let text = lower.strip_suffix(':').or(is_numbered.then_some(&*lower)).map(str::trim);
    let is_empty =
        text.is_some_and(|text| !is_number(text) && !text.is_empty() && text.split_whitespace().all(says_nothing));
    is_empty
        || lower.starts_with("fail: ") && lower.ends_with(']')
        // R names the call, and puts a long message on a line of its own.
        || lower.starts_with("error in ") && lower.ends_with(") :")
}

/// Whether the next line continues the message: `Syntax error on line 12 of app.conf:`.
pub fn goes_on(message: &str) -> bool {
    message.strip_suffix(':').is_some_and(|text| !text.ends_with(|last: char| last.is_ascii_digit()))
}

/// Whether a line begins with the name of an exception, or ends with such a name in parentheses, as in Ruby.
pub fn names_exception(message: &str) -> bool {
    let name = message.split_once(": ").map_or(message.trim_end_matches(':'), |(name, _)| name);
    let in_parentheses = message.strip_suffix(')').and_then(|message| message.rsplit_once(" ("));
    is_exception(name) || in_parentheses.is_some_and(|(_, name)| is_exception(name))
}

fn is_exception(name: &str) -> bool {
    let is_name = |character: char| character.is_ascii_alphanumeric() || "._:$\\".contains(character);
    let last = name.rsplit(['.', ':', '\\', '$']).next().unwrap_or_default();
    let ends = ["Error", "Exception", "Fault", "Failure"];
    name.chars().all(is_name) && ends.iter().any(|end| last.len() > end.len() && last.ends_with(end))
}
