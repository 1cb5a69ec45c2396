//! Splits a shell command into words and operators (POSIX, XCU 2.3), without running anything.

use crate::cron::crontab::variables::Variables;

pub enum Token {
    Word(Word),
    Operator(Operator),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    And,
    Or,
    /// `;`, a newline, or the end of the text.
    Sequence,
    Background,
    /// `|` or `|&`
    Pipe,
    Open,
    Close,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Word {
    /// The bytes after the removal of quotes, as far as they are known.
    pub text: Vec<u8>,
    /// The first part of the word that only a shell can expand, as written: `$HOST`, `$(date)`, `*`.
    pub expansion: Option<Vec<u8>>,
    /// Some part of it was quoted.
    pub is_quoted: bool,
}

impl Word {
    /// Whether the shell takes the word for one of these reserved words.
    pub fn is_reserved(&self, reserved: &[&[u8]]) -> bool {
        !self.is_quoted && self.expansion.is_none() && reserved.contains(&&*self.text)
    }
}

pub fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// A quote or a bracket without an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no closing {0}")]
pub struct Unclosed(pub char);

/// Splits `text` into words and operators, without redirections. Fails if a quote or a substitution has no end.
pub fn tokens(text: &[u8], variables: &Variables) -> Result<Vec<Token>, Unclosed> {
    let mut lexer = Lexer { rest: text, variables, tokens: Vec::new(), word: None, is_target: false };
    while let Some(&byte) = lexer.rest.first() {
        lexer.take(byte)?;
    }
    lexer.end_word();
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    rest: &'a [u8],
    variables: &'a Variables,
    tokens: Vec<Token>,
    word: Option<Word>,
    is_target: bool,
}

impl Lexer<'_> {
    fn take(&mut self, byte: u8) -> Result<(), Unclosed> {
        match byte {
            b' ' | b'\t' | b'\n' => {
                self.skip(1);
                self.end_word();
            }
            b'#' if self.word.is_none() => self.rest = &[],
            b'\\' => {
                let escaped = self.rest.get(1).copied();
                self.skip(2);
                self.word().is_quoted = true;
                // A last backslash stands for itself.
                self.push(escaped.unwrap_or(b'\\'));
            }
            b'\'' => {
                self.skip(1);
                let end = self.rest.iter().position(|byte| *byte == b'\'');
                let quoted = &self.rest[..end.ok_or(Unclosed('\''))?];
                self.word().is_quoted = true;
                self.word().text.extend(quoted);
                self.skip(quoted.len() + 1);
            }
            b'"' => self.double_quotes()?,
            b'$' | b'`' => self.expansion(byte, false)?,
            b'<' | b'>' => self.redirection(1)?,
            b'&' if self.rest.starts_with(b"&>") => {
                self.end_word();
                self.redirection(2)?;
            }
            b'&' | b'|' | b';' | b'(' | b')' => self.operator(byte),
            b'*' | b'?' | b'[' | b'{' | b'~' => self.pattern(byte),
            _ => {
                self.push(byte);
                self.skip(1);
            }
        }
        Ok(())
    }

    fn double_quotes(&mut self) -> Result<(), Unclosed> {
        self.word().is_quoted = true;
        self.skip(1);
        loop {
            match self.rest {
                [] => return Err(Unclosed('"')),
                [b'"', ..] => {
                    self.skip(1);
                    return Ok(());
                }
                [b'\\', escaped @ (b'$' | b'`' | b'"' | b'\\'), ..] => {
                    self.push(*escaped);
                    self.skip(2);
                }
                [byte @ (b'$' | b'`'), ..] => self.expansion(*byte, true)?,
                [byte, ..] => {
                    self.push(*byte);
                    self.skip(1);
                }
            }
        }
    }

    /// Takes `$NAME`, `${…}`, `$(…)` or `` `…` `` as an expansion of the word.
    fn expansion(&mut self, byte: u8, is_quoted: bool) -> Result<(), Unclosed> {
        let length = match (byte, self.rest.get(1)) {
            (b'`', _) => 2 + length_up_to(&self.rest[1..], b'`').ok_or(Unclosed('`'))?,
            (_, Some(b'(')) => nested_length(&self.rest[1..], b'(', b')').ok_or(Unclosed(')'))? + 1,
            (_, Some(b'{')) => nested_length(&self.rest[1..], b'{', b'}').ok_or(Unclosed('}'))? + 1,
            (_, Some(b'[')) => nested_length(&self.rest[1..], b'[', b']').ok_or(Unclosed(']'))? + 1,
            (_, Some(quote @ (b'\'' | b'"'))) if !is_quoted => {
                let length = length_up_to(&self.rest[2..], *quote);
                3 + length.ok_or(Unclosed(char::from(*quote)))?
            }
            (_, Some(b'?' | b'#' | b'$' | b'!' | b'@' | b'*' | b'-')) => 2,
            _ => 1 + self.rest[1..].iter().take_while(|byte| is_in_name(**byte)).count(),
        };
        let expansion = &self.rest[..length];
        self.skip(length);
        if length == 1 {
            self.push(byte);
        } else if let Some(value) = name(expansion).and_then(|name| self.variables.get(name)) {
            self.value(value, is_quoted, expansion);
        } else {
            self.word().expansion.get_or_insert(expansion.to_vec());
        }
        Ok(())
    }

    /// Adds the value of a variable. Outside quotes, the shell splits it into words and looks for names of files.
    fn value(&mut self, value: &[u8], is_quoted: bool, expansion: &[u8]) {
        if !is_quoted && value.iter().any(|byte| b"*?[".contains(byte)) {
            self.word().expansion.get_or_insert(expansion.to_vec());
            return;
        }
        for byte in value {
            if !is_quoted && byte.is_ascii_whitespace() {
                self.end_word();
            } else {
                let word = self.word();
                word.is_quoted = true;
                word.text.push(*byte);
            }
        }
    }

    /// Adds a character that the shell may replace by names of files, or a brace or a tilde that it may expand.
    fn pattern(&mut self, byte: u8) {
        // A hostile line may be one long word of brackets.
        const FARTHEST: usize = 1000;
        let is_end = |byte: &u8| b" \t;&|<>()".contains(byte);
        let near = &self.rest[..self.rest.len().min(FARTHEST)];
        let end = near.iter().position(is_end).unwrap_or(near.len());
        let word = &near[..end];
        let is_expanded = match byte {
            b'[' => word.contains(&b']'),
            b'{' => word.contains(&b'}') && (word.contains(&b',') || word.windows(2).any(|two| two == b"..")),
            b'~' => self.word.is_none(),
            _ => true,
        };
        if is_expanded {
            self.word().expansion.get_or_insert(vec![byte]);
        }
        self.push(byte);
        self.skip(1);
    }

    /// Skips a redirection, whose operator has at least `length` bytes.
    fn redirection(&mut self, length: usize) -> Result<(), Unclosed> {
        if let [b'<' | b'>', b'(', ..] = self.rest {
            let length = nested_length(&self.rest[1..], b'(', b')').ok_or(Unclosed(')'))? + 1;
            let expansion = self.rest[..length].to_vec();
            self.word().expansion.get_or_insert(expansion);
            self.skip(length);
            return Ok(());
        }
        // The number of a descriptor is not a word.
        let is_number = |word: &Word| !word.is_quoted && word.text.iter().all(u8::is_ascii_digit);
        if self.word.as_ref().is_some_and(is_number) {
            self.word = None;
        }
        self.end_word();
        self.skip(length);
        let more = self.rest.iter().take_while(|byte| b"<>&|".contains(byte));
        self.skip(more.count().min(2));
        self.is_target = true;
        Ok(())
    }

    fn operator(&mut self, byte: u8) {
        self.end_word();
        self.is_target = false;
        let (operator, length) = match (byte, self.rest.get(1)) {
            (b'&', Some(b'&')) => (Operator::And, 2),
            (b'&', _) => (Operator::Background, 1),
            (b'|', Some(b'|')) => (Operator::Or, 2),
            (b'|', Some(b'&')) => (Operator::Pipe, 2),
            (b'|', _) => (Operator::Pipe, 1),
            (b'(', _) => (Operator::Open, 1),
            (b')', _) => (Operator::Close, 1),
            _ => (Operator::Sequence, 1),
        };
        self.tokens.push(Token::Operator(operator));
        self.skip(length);
    }

    fn word(&mut self) -> &mut Word {
        self.word.get_or_insert_default()
    }

    fn push(&mut self, byte: u8) {
        self.word().text.push(byte);
    }

    fn end_word(&mut self) {
        if let Some(word) = self.word.take()
            && !std::mem::take(&mut self.is_target)
        {
            self.tokens.push(Token::Word(word));
        }
    }

    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }
}

/// The name in `$NAME` or `${NAME}`.
fn name(expansion: &[u8]) -> Option<&str> {
    let name = expansion.strip_prefix(b"$")?;
    let name = name.strip_prefix(b"{").map_or(Some(name), |name| name.strip_suffix(b"}"))?;
    str::from_utf8(name).ok().filter(|_| name.iter().copied().all(is_in_name))
}

pub fn is_in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The length of `text` before the first `end` that no backslash escapes.
fn length_up_to(text: &[u8], end: u8) -> Option<usize> {
    let mut index = 0;
    loop {
        match text.get(index)? {
            b'\\' => index += 2,
            byte if *byte == end => return Some(index),
            _ => index += 1,
        }
    }
}

/// The length from `open`, the first byte of `text`, to its `close`, both included.
fn nested_length(text: &[u8], open: u8, close: u8) -> Option<usize> {
    let mut depth = 0_usize;
    let mut index = 0;
    loop {
        match text.get(index)? {
            b'\\' => index += 1,
            b'\'' => index += text[index + 1..].iter().position(|byte| *byte == b'\'')? + 1,
            b'"' => index += length_up_to(&text[index + 1..], b'"')? + 1,
            byte if *byte == open => depth += 1,
            byte if *byte == close => {
                depth -= 1;
                if depth == 0 {
                    return Some(index + 1);
                }
            }
            _ => {}
        }
        index += 1;
    }
}
