//! Finds signs of failure in output.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// The index of the first sign of failure: a part of a word such as `error` or `failed`, in its usual spellings. Output
/// without a sign is passed over at the speed of memory.
pub fn first_sign(output: &[u8]) -> Option<usize> {
    static SIGNS: LazyLock<AhoCorasick> = LazyLock::new(|| {
        let signs = [
            "rror", "ERR", "ail", "FAIL", "atal", "FATAL", "xception", "anic", "enied", "annot", "ould not",
            "nable to", "o such", "ot found", "imed out", "imeout", "efused", "aused by", "raceback", "CRIT", "SEVERE",
            "ORA-", "nvalid", "illed", "エラー", "失敗", "異常", "ません",
        ];
        // Only this match kind uses vector instructions.
        let builder = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(signs);
        builder.expect("the signs are few")
    });
    SIGNS.find(output).map(|found| found.start())
}
