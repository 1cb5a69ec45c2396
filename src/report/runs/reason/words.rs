//! Finds the words of failure of `words.txt` in a line.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// What a word means. Each is a section of `words.txt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Clue {
    /// A state of the whole host that makes everything there fail.
    Host = 512,
    /// The concrete cause.
    Cause = 1,
    /// Something could not be done.
    Inability = 2,
    Symptom = 4,
    /// A consequence of an earlier problem.
    Consequence = 8,
    Nothing = 16,
    /// The line is never the reason.
    Never = 32,
    /// A place in a program.
    Frame = 64,
    /// What to read or do next.
    Hint = 128,
    /// A message at the end of a run, good or bad.
    CleanUp = 256,
}

const SECTIONS: [(&str, Clue); 10] = [
    ("[host]", Clue::Host),
    ("[cause]", Clue::Cause),
    ("[inability]", Clue::Inability),
    ("[symptom]", Clue::Symptom),
    ("[consequence]", Clue::Consequence),
    ("[nothing]", Clue::Nothing),
    ("[never]", Clue::Never),
    ("[frame]", Clue::Frame),
    ("[hint]", Clue::Hint),
    ("[cleanup]", Clue::CleanUp),
];

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clues(u16);

#[derive(Debug, Clone, Copy)]
struct Phrase {
    clue: Clue,
    text: &'static str,
    /// The first phrase of its line.
    first: &'static str,
    /// Begins at the beginning of a word.
    at_begin: bool,
    /// Ends at the end of a word.
    at_end: bool,
}

struct Finder {
    automaton: AhoCorasick,
    words: Vec<Phrase>,
}

static FINDER: LazyLock<Finder> = LazyLock::new(|| {
    let words = words(include_str!("words.txt"));
    let automaton = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .build(words.iter().map(|word| word.text))
        .expect("the words are few");
    Finder { automaton, words }
});

fn words(text: &'static str) -> Vec<Phrase> {
    let mut words = Vec::new();
    let mut section = None;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let begun = SECTIONS.iter().find(|(name, _)| line.starts_with(name));
        if let Some((_, clue)) = begun {
            section = Some(*clue);
        } else if let Some(clue) = section {
            let texts = line.split(", ").filter(|text| !text.is_empty());
            let first = line.split(", ").next().unwrap_or_default().trim_matches('~');
            words.extend(texts.map(|text| Phrase {
                clue,
                first,
                text: text.trim_matches('~'),
                at_begin: text.starts_with('~'),
                at_end: text.ends_with('~'),
            }));
        }
    }
    words
}

impl Clues {
    /// The clues in `line`, which is in lower case.
    pub fn of(line: &str) -> Self {
        let Finder { automaton, words } = &*FINDER;
        let bytes = line.as_bytes();
        let is_edge = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        let mut clues = 0;
        for found in automaton.find_overlapping_iter(line) {
            let word = words[found.pattern().as_usize()];
            let before = found.start().checked_sub(1).and_then(|index| bytes.get(index));
            let after = bytes.get(found.end());
            let is_placed = match word.clue {
                Clue::Frame | Clue::Hint | Clue::CleanUp => before.is_none() && (!word.at_end || after == Some(&b' ')),
                _ => (!word.at_begin || is_edge(before)) && (!word.at_end || is_edge(after)),
            };
            if is_placed {
                clues |= word.clue as u16;
            }
        }
        Self(clues)
    }

    pub fn has(self, clue: Clue) -> bool {
        self.0 & clue as u16 != 0
    }
}

/// The state of the whole host that `line`, in lower case, reports: the first phrase for it in `words.txt`.
pub fn state_of_host(line: &str) -> Option<&'static str> {
    let Finder { automaton, words } = &*FINDER;
    let mut found = automaton.find_overlapping_iter(line).map(|it| words[it.pattern().as_usize()]);
    found.find(|word| word.clue == Clue::Host).map(|word| word.first)
}

/// Finds the first sign of failure in an output: a part of most words, as they are usually written. An output without
/// signs is passed over at the speed of memory.
pub fn first_sign(output: &[u8]) -> Option<usize> {
    static SIGNS: LazyLock<AhoCorasick> = LazyLock::new(|| {
        let signs = [
            "rror", "ERR", "ail", "FAIL", "atal", "FATAL", "xception", "anic", "enied", "annot", "ould not",
            "nable to", "o such", "ot found", "imed out", "imeout", "efused", "aused by", "raceback", "CRIT", "SEVERE",
            "ORA-", "nvalid", "illed", "エラー", "失敗", "異常", "ません",
        ];
        // Only this match kind uses vector instructions.
        AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(signs).expect("the signs are few")
    });
    SIGNS.find(output).map(|found| found.start())
}
