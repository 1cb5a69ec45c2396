//! Chooses the reason of a bad run: the line of its output that best explains the failure.
//!
//! Each line gets a score: by the severity that it claims, by words of failure, by its place in a stack trace, and by
//! whether the job's good runs print it too. Of lines with the same score the first is the cause, and later ones are
//! its consequences.

mod level;
mod shape;
mod text;
mod usual;
mod words;

use std::mem;

use crate::ssh_error::is_about_a_key;
use level::{Level, level};
use words::{Clue, Clues};

pub use text::{after_the_last_return, shown};
pub use usual::{UsualLines, masked};
pub use words::{first_sign, state_of_host};

/// The cause within an exception: `Caused by: …`.
const CAUSED_BY: i32 = 92;
/// The message of an exception below its frames.
const EXCEPTION: i32 = 90;
/// An exception that ended the program.
const UNCAUGHT: i32 = 85;
/// A line that begins with the name of an exception, and a line of only the name.
const NAMED: i32 = 80;
const ONLY_NAMED: i32 = 70;
/// A message about a bad key, above the refusal that follows.
const BAD_KEY: i32 = 67;
/// The most nested causes that raise the score.
const MAX_DEPTH: i32 = 5;
/// The lowest score of a line with words of failure. Of lines without, the last one explains most.
const TELLING: i32 = 25;
/// The lowest scores of a line at the level of errors, and of a line with a concrete cause.
const ERROR: i32 = 45;
const CAUSE: i32 = 66;
/// The gain of a line that good runs do not print: with words of failure, and without.
const NOVEL: i32 = 10;
const NOVEL_PLAIN: i32 = 25;
/// The loss of a line that good runs print too.
const USUAL: i32 = 70;
/// The loss of a field of one word: another line with a cause says more.
const FIELD: i32 = 2;
/// The most lines with words of failure that are kept. The lowest scores are dropped.
const MAX_TELLING: usize = 16;

/// Takes the lines in order, and chooses the reason among them.
#[derive(Debug, Default)]
pub struct Chooser {
    /// The lines with words of failure, in order, each once.
    telling: Vec<Candidate>,
    /// The best other line that good runs do not print, and the best that they may print.
    novel: Candidate,
    plain: Candidate,
    /// The last visible line, for an output in which no line can be the reason.
    last: Vec<u8>,
    context: Context,
    /// The number of causes so far in the current exception.
    depth: i32,
}

#[derive(Debug, Clone)]
struct Candidate {
    score: i32,
    masked: u32,
    line: Vec<u8>,
}

impl Default for Candidate {
    /// Scores below any line.
    fn default() -> Self {
        Self { score: i32::MIN, masked: 0, line: Vec::new() }
    }
}

/// Whether a line reports a failure: by its level, as an exception, or by a concrete cause.
pub fn says_error(line: &[u8]) -> bool {
    let text = shown(line);
    let is_error = level(text.trim_start_matches(shape::is_decoration)) == Some(Level::Error);
    let score = Chooser::default().scored(line).unwrap_or_default();
    score >= if is_error { ERROR } else { CAUSE }
}

/// The scores of lines without words of failure, by their masked hash. Most lines are like lines of other runs.
pub type PlainScores = foldhash::HashMap<u32, Option<i32>>;

/// The most scores that are kept. A log may have any number of different lines.
const MAX_PLAIN: usize = 1 << 16;

/// What earlier lines imply for the next one.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Context {
    #[default]
    None,
    /// Python's frames follow, further to the right than this column.
    Traceback(usize),
    /// The next line is the message, with this score.
    Message(i32),
    /// A cause follows: the first cause if true, otherwise a cause of the last cause.
    Causes(bool),
    /// Hints follow, in a list.
    Hints,
    /// The last line has this score and continues.
    GoesOn(i32),
}

impl Chooser {
    /// Takes the next line of output with a sign of failure. Returns whether the lines after it may belong to it.
    pub fn push(&mut self, line: &[u8]) -> bool {
        if let Some(score) = self.scored(line).filter(|score| *score >= TELLING) {
            self.add_telling(score, masked(line), line);
        }
        self.context != Context::None
    }

    /// Takes the next kept line of output. `usual` has the lines of the job's good runs.
    pub fn push_last(&mut self, line: &[u8], usual: &UsualLines, plain: &mut PlainScores) {
        let masked = masked(line);
        let Some(score) = self.score_of_last(masked, line, plain) else {
            self.note_last(line);
            return;
        };
        if score >= TELLING {
            self.add_telling(score, masked, line);
            return;
        }
        let is_novel = usual.is_complete() && !usual.includes(masked);
        let best = if is_novel { &mut self.novel } else { &mut self.plain };
        if score >= best.score {
            best.score = score;
            best.line.clear();
            best.line.extend_from_slice(line);
        }
    }

    /// The score of a line, from `plain` if a line with the same hash was scored before.
    fn score_of_last(&mut self, masked: u32, line: &[u8], plain: &mut PlainScores) -> Option<i32> {
        if self.context != Context::None {
            return self.scored(line);
        }
        if let Some(score) = plain.get(&masked) {
            return *score;
        }
        let depth = self.depth;
        let score = self.scored(line);
        let changes_nothing = self.context == Context::None && self.depth == depth;
        if changes_nothing && score.is_none_or(|score| score < TELLING) && plain.len() < MAX_PLAIN {
            plain.insert(masked, score);
        }
        score
    }

    /// The reason, if some line can be the reason.
    pub fn finish(self, usual: &UsualLines) -> Option<String> {
        let of_telling = self.telling.into_iter().map(|mut candidate| {
            if usual.includes(candidate.masked) {
                candidate.score -= USUAL;
            } else if usual.is_known() {
                candidate.score += NOVEL;
            }
            candidate
        });
        let mut best = self.plain;
        if self.novel.score > i32::MIN && self.novel.score + NOVEL_PLAIN >= best.score {
            best = self.novel;
            best.score += NOVEL_PLAIN;
        }
        // Of equal scores, the first is the cause.
        for candidate in of_telling {
            if candidate.score > best.score {
                best = candidate;
            }
        }
        let line = if best.score > i32::MIN { &best.line } else { &self.last };
        let reason = shown(line).trim().to_owned();
        (!reason.is_empty()).then_some(reason)
    }

    fn note_last(&mut self, line: &[u8]) {
        let text = shown(line);
        if !text.trim().is_empty() && !Clues::of(&text.to_lowercase()).has(Clue::Never) {
            self.last.clear();
            self.last.extend_from_slice(line);
        }
    }

    /// The lines with words of failure, each after its hash.
    pub fn telling(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.telling.iter().map(|candidate| (candidate.masked, &*candidate.line))
    }

    fn add_telling(&mut self, score: i32, masked: u32, line: &[u8]) {
        if let Some(same) = self.telling.iter_mut().find(|it| it.masked == masked) {
            same.score = same.score.max(score);
            return;
        }
        if self.telling.len() == MAX_TELLING {
            let scores = self.telling.iter().map(|it| it.score).enumerate();
            let Some((index, lowest)) = scores.rev().min_by_key(|(_, score)| *score) else { return };
            if lowest >= score {
                return;
            }
            self.telling.remove(index);
        }
        self.telling.push(Candidate { score, masked, line: line.to_vec() });
    }

    /// The score of a line in its context, or none for a line that can never be the reason.
    fn scored(&mut self, line: &[u8]) -> Option<i32> {
        let text = shown(line);
        let message = shape::message(&text);
        if message.is_empty() { None } else { self.score(&text, message) }
    }

    fn score(&mut self, text: &str, message: &str) -> Option<i32> {
        if text.contains("Traceback (most recent call last)") {
            let column = text.chars().position(char::is_alphanumeric);
            self.context = Context::Traceback(column.unwrap_or_default());
            return None;
        }
        if message.starts_with("During handling of") || message.starts_with("The above exception was") {
            self.depth += 1;
            return None;
        }
        let context = mem::take(&mut self.context);
        if let Context::Traceback(column) = context {
            let first = text.chars().nth(column);
            if first.is_none_or(|first| matches!(first, ' ' | '|' | '+')) {
                self.context = context;
                return None;
            }
            let is_group = message.contains("ExceptionGroup: ");
            let clues = Clues::of(&message.to_lowercase());
            // A handler that only reports that it failed hides the cause.
            let gain = if clues.has(Clue::Cause) { MAX_DEPTH + 1 } else { 0 };
            return Some(EXCEPTION + gain + if is_group { -1 } else { self.depth.min(MAX_DEPTH) });
        }
        let lower = message.to_lowercase();
        if lower.trim_end() == "caused by:" {
            self.context = Context::Causes(true);
            return None;
        }
        if let Some(score) = self.score_of_exception(message, &lower) {
            return Some(score);
        }
        let clues = Clues::of(&lower);
        if clues.has(Clue::Never) || clues.has(Clue::Frame) || shape::is_rule(&lower) || shape::is_place(&lower) {
            self.context = context;
            return None;
        }
        self.score_in(context, text, message, clues)
    }

    fn score_in(&mut self, context: Context, text: &str, message: &str, clues: Clues) -> Option<i32> {
        let is_listed = text.trim_start().starts_with(['*', '-', '•']);
        match context {
            Context::Hints if is_listed => {
                self.context = context;
                return None;
            }
            Context::Message(_) if clues.has(Clue::Consequence) => self.context = context,
            Context::Message(score) if !clues.has(Clue::Hint) => return Some(score),
            Context::Causes(is_first) if (is_first || shape::is_numbered(message)) && !clues.has(Clue::Consequence) => {
                self.context = Context::Causes(false);
                self.depth += 1;
                return Some(UNCAUGHT + self.depth.min(MAX_DEPTH));
            }
            _ => {}
        }
        let mut score = score_of_words(text, message, clues);
        if shape::is_announcement(message) {
            self.context = Context::Message(score.max(50) + 10);
            return Some(score - 45);
        }
        if let Context::GoesOn(before) = context
            && score >= 30
        {
            score = score.max(before);
        }
        if shape::goes_on(message) {
            self.context = if clues.has(Clue::Hint) { Context::Hints } else { Context::GoesOn(score) };
            // The line that follows says more, but not more than an earlier line of that score.
            score -= i32::from(!matches!(context, Context::GoesOn(_)));
        }
        Some(score)
    }

    /// The score of a line that names an exception or its cause.
    fn score_of_exception(&mut self, message: &str, lower: &str) -> Option<i32> {
        if lower.starts_with("caused by: ") || message.starts_with("---> ") {
            self.depth += 1;
            return Some(CAUSED_BY + self.depth.min(MAX_DEPTH));
        }
        let is_panic = lower.contains("panicked at ");
        if is_panic && lower.ends_with(':') {
            self.context = Context::Message(EXCEPTION);
        }
        let begins = ["exception in thread", "unhandled exception", "panic: ", "fatal error: "];
        let is_uncaught = begins.iter().any(|begin| lower.starts_with(begin));
        let score = if is_panic || is_uncaught || lower.contains("fatal error:  uncaught") {
            UNCAUGHT
        } else if !shape::names_exception(message) {
            return None;
        } else if message.contains(' ') {
            NAMED
        } else {
            ONLY_NAMED
        };
        self.depth = 0;
        Some(score)
    }
}

fn score_of_words(text: &str, message: &str, clues: Clues) -> i32 {
    if clues.has(Clue::Nothing) {
        return -60;
    }
    if is_about_a_key(text) {
        return BAD_KEY;
    }
    let of_level = |host, cause, inability, symptom, nothing| match clues {
        _ if clues.has(Clue::Host) => host,
        _ if clues.has(Clue::Cause) => cause,
        _ if clues.has(Clue::Inability) => inability,
        _ if clues.has(Clue::Symptom) => symptom,
        _ => nothing,
    };
    let plain = if shape::is_of_shell(message) { 45 } else { 5 };
    let score = match level(text.trim_start_matches(shape::is_decoration)) {
        Some(Level::Error) => of_level(78, 75, 65, 55, 45),
        None => of_level(68, 66, 50, 30, plain),
        Some(Level::Warning) => of_level(66, 35, 30, 27, 25),
        Some(Level::Info) => of_level(8, 8, 5, 3, 0),
    };
    let has_cause = clues.has(Clue::Cause) || clues.has(Clue::Host);
    let mut losses =
        [(Clue::Consequence, 45, 25), (Clue::Hint, 50, 50), (Clue::CleanUp, 25, 0)].map(|(clue, alone, with_cause)| {
            let loss = if has_cause { with_cause } else { alone };
            if clues.has(clue) { loss } else { 0 }
        });
    if shape::is_summary(message) {
        losses[0] = losses[0].max(if has_cause { 25 } else { 45 });
    }
    score - losses.iter().sum::<i32>() - if shape::is_field(message) { FIELD } else { 0 }
}
