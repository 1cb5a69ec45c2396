//! Crontabs: finding them, and reading their text.

pub mod files;
pub mod mistakes;
pub mod parse;
pub mod percent;
pub mod variables;
