//! Mistakes that come from an editor, or from the habits of the shell, and their remedies.

/// An editor may write it at the beginning of UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a text processor makes of a blank or a quote: the character, its name, and what to write instead.
const LOOKALIKES: [(&str, &str, &str); 7] = [
    ("\u{a0}", "a no-break space", "replace the no-break space by a blank"),
    ("\u{202f}", "a no-break space", "replace the no-break space by a blank"),
    ("\u{feff}", "an invisible byte order mark", "delete the byte order mark"),
    ("\u{201c}", "a typographic quote", "write plain quotes: \" or '"),
    ("\u{201d}", "a typographic quote", "write plain quotes: \" or '"),
    ("\u{2018}", "a typographic quote", "write plain quotes: \" or '"),
    ("\u{2019}", "a typographic quote", "write plain quotes: \" or '"),
];

/// The problem and the remedy of a file that is not plain text, if its NUL bytes show the encoding.
pub fn encoding(text: &[u8]) -> Option<(&'static str, &'static str)> {
    let has_mark = text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff");
    let is_half_nul = |pair: &[u8]| pair.len() == 2 && (pair[0] == 0) != (pair[1] == 0);
    let has_wide_letters = text.chunks(2).take(8).all(is_half_nul);
    (has_mark || has_wide_letters).then_some((
        "the file is UTF-16, which cron cannot read",
        "convert it with iconv -f UTF-16 -t UTF-8",
    ))
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

/// Why cron refuses a line, if the mistake is a usual one. `is_continued`: the line before ends with a backslash.
pub fn of_refused(line: &[u8], is_continued: bool) -> Option<(String, String)> {
    let text = |problem: &str, remedy: &str| Some((problem.to_owned(), remedy.to_owned()));
    if is_continued {
        return text(
            "cron joins no lines: the \\ at the end of the line before continues nothing",
            "write the command in one line, or put it into a script",
        );
    }
    if line.starts_with(BYTE_ORDER_MARK) {
        return text(
            "the file begins with a byte order mark",
            "save it as UTF-8 without a byte order mark (BOM)",
        );
    }
    let first = line.split(u8::is_ascii_whitespace).next()?;
    if matches!(first, b"export" | b"declare" | b"setenv" | b"set") {
        let word = String::from_utf8_lossy(first);
        return text(
            &format!("cron is no shell and has no {word}"),
            "write NAME=value: all variables are exported",
        );
    }
    let (problem, remedy) = lookalike(line)?;
    text(&format!("{problem}, which cron does not take"), remedy)
}
