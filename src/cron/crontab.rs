//! Crontabs: where they are, and what stands in them.

pub mod files;
pub mod parse;
pub mod percent;
pub mod variables;
