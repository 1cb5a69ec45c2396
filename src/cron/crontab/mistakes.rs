//! Mistakes that come from an editor, or from the habits of the shell, and their remedies.

use crate::cron::fault::Fault;

/// The mark that an editor may write at the beginning of UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
pub const WITHOUT_MARK: &str = "save it as UTF-8 without a byte order mark (BOM)";
/// The remedy for a command that goes on in the next line.
pub const ONE_LINE: &str = "write the command in one line, or put it into a script";
/// The blanks and quotes of text processors: the character, its name, and what to write instead.
const LOOKALIKES: [(&str, &str, &str); 7] = [
    ("\u{a0}", "a no-break space", "replace the no-break space by a blank"),
    ("\u{202f}", "a no-break space", "replace the no-break space by a blank"),
    ("\u{feff}", "an invisible byte order mark", "delete the byte order mark"),
    ("\u{201c}", "a typographic quote", "write plain quotes: \" or '"),
    ("\u{201d}", "a typographic quote", "write plain quotes: \" or '"),
    ("\u{2018}", "a typographic quote", "write plain quotes: \" or '"),
    ("\u{2019}", "a typographic quote", "write plain quotes: \" or '"),
];

/// The fault of a file that is not plain text, if its NUL bytes show the encoding.
pub fn encoding(text: &[u8]) -> Option<Fault> {
    let has_mark = text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff");
    let is_half_nul = |pair: &[u8]| pair.len() == 2 && (pair[0] == 0) != (pair[1] == 0);
    let has_wide_letters = text.chunks(2).take(8).all(is_half_nul);
    let problem = "the file is UTF-16, which cron cannot read";
    (has_mark || has_wide_letters).then(|| Fault::new(problem, "convert it with iconv -f UTF-16 -t UTF-8"))
}

/// The problem and the remedy of a character that looks like a blank or a quote.
pub fn lookalike(text: &[u8]) -> Option<(String, &'static str)> {
    let found = LOOKALIKES.iter().find(|(character, _, _)| {
        let character = character.as_bytes();
        text.windows(character.len()).any(|part| part == character)
    });
    let (character, name, remedy) = found?;
    let code = character.chars().next().map_or(0, u32::from);
    Some((format!("{name} (U+{code:04X})"), remedy))
}

/// The fault of a refused line, if the mistake is a usual one. `is_continued`: the line before ends with a backslash.
pub fn of_refused(line: &[u8], is_continued: bool) -> Option<Fault> {
    if is_continued {
        return Some(Fault::new(
            "cron joins no lines: the \\ at the end of the line before continues nothing",
            ONE_LINE,
        ));
    }
    if line.starts_with(BYTE_ORDER_MARK) {
        return Some(Fault::new("the file begins with a byte order mark", WITHOUT_MARK));
    }
    let first = line.split(u8::is_ascii_whitespace).next()?;
    if matches!(first, b"export" | b"declare" | b"setenv" | b"set") {
        let word = String::from_utf8_lossy(first);
        return Some(Fault::new(
            format!("cron is no shell and has no {word}"),
            "write NAME=value: all variables are exported",
        ));
    }
    let (problem, remedy) = lookalike(line)?;
    Some(Fault::new(format!("{problem}, which cron does not take"), remedy))
}
