//! The variables at the head of a crontab: `NAME = "value"`, by cron's own quoting rules.

use std::rc::Rc;

use crate::cron::daemon::Daemon;
use crate::cron::timing::split_word;

/// The most variables. A hostile crontab may have thousands.
const MOST: usize = 64;
const DEFAULT_PATH: &str = "/usr/bin:/bin";

/// The variables that earlier lines of a crontab have set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(Vec<(Rc<str>, Rc<[u8]>)>);

impl Variables {
    pub fn set(&mut self, name: &[u8], value: &[u8]) {
        // Both daemons take a variable without a name, which no command can use.
        let Some(name) = str::from_utf8(name).ok().filter(|name| !name.is_empty()) else { return };
        if let Some((_, old)) = self.0.iter_mut().find(|(other, _)| &**other == name) {
            *old = value.into();
        } else if !self.are_many() {
            self.0.push((name.into(), value.into()));
        }
    }

    /// Whether others may have been dropped.
    pub fn are_many(&self) -> bool {
        self.0.len() == MOST
    }

    pub fn all(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The value, unless it is empty: for remoteexe an empty value counts as unset.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let mut found = self.0.iter().filter(|(other, _)| &**other == name);
        found.next().map(|(_, value)| &**value)
    }

    pub fn without(&self, is_dropped: impl Fn(&str) -> bool) -> Self {
        let kept = self.0.iter().filter(|(name, _)| !is_dropped(name));
        Self(kept.cloned().collect())
    }

    pub fn path(&self) -> &[u8] {
        self.get("PATH").unwrap_or(DEFAULT_PATH.as_bytes())
    }
}

pub struct Assignment {
    pub name: Vec<u8>,
    pub value: Vec<u8>,
    pub is_quoted: bool,
}

impl Assignment {
    /// Parses a line without leading blanks, unless `daemon` takes it for something else. Some daemons
    /// refuse `NAME=` without a value, and all refuse text after a closing quote.
    pub fn parse(line: &[u8], daemon: Daemon, takes_empty: bool) -> Option<Self> {
        if daemon == Daemon::Busybox {
            return Self::of_busybox(line);
        }
        let (name, rest) = name(line)?;
        let rest = rest.trim_ascii_start().strip_prefix(b"=")?;
        let (value, is_quoted) = match rest.trim_ascii_start() {
            [] if !takes_empty => return None,
            [quote @ (b'\'' | b'"'), rest @ ..] => {
                let end = rest.iter().position(|byte| byte == quote)?;
                let is_all = rest[end + 1..].trim_ascii_start().is_empty();
                (is_all.then_some(&rest[..end])?, true)
            }
            rest => (rest.trim_ascii_end(), false),
        };
        let value = match (daemon, value) {
            // Debian's cron removes a second pair of quotes.
            (Daemon::Debian, [first @ (b'\'' | b'"'), inner @ .., last]) if first == last => inner,
            _ => value,
        };
        Some(Self { name: name.to_vec(), value: value.to_vec(), is_quoted })
    }

    /// The crond of busybox sets three variables only, each to the first word.
    fn of_busybox(line: &[u8]) -> Option<Self> {
        let word = split_word(line).0;
        let end = word.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (word[..end].to_vec(), word[end + 1..].to_vec());
        let is_known = matches!(&*name, b"MAILTO" | b"PATH" | b"SHELL");
        is_known.then_some(Self { name, value, is_quoted: false })
    }
}

/// The name, which may be quoted, and the text after it.
fn name(line: &[u8]) -> Option<(&[u8], &[u8])> {
    if let [quote @ (b'\'' | b'"'), rest @ ..] = line {
        let end = rest.iter().position(|byte| byte == quote)?;
        let has_equals = rest[..end].contains(&b'=');
        return (!has_equals).then_some((&rest[..end], &rest[end + 1..]));
    }
    let end = line.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'=')?;
    Some(line.split_at(end))
}
