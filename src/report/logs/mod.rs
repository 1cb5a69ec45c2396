//! Turns files into lines: finds the logs, opens them, and merges their lines by time.

pub mod chunk;
mod data;
pub mod decompress;
pub mod excerpt;
pub mod find;
pub mod merge;
pub mod name;
pub mod open;
pub mod owner;
pub mod read_ahead;
pub mod scheduler;
pub mod splitter;
