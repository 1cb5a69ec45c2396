//! Medians and roundings.

use crate::report::history::durations::DurationStats;

/// The median by the nearest rank, or 0 for none.
pub fn median(values: Vec<u32>) -> u32 {
    DurationStats::of_seconds(values).median
}

/// The middle one of these values, or 0 for none.
pub fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// A count as a number to calculate with.
pub fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
pub fn rounded(value: f64) -> u32 {
    value.round() as u32
}
