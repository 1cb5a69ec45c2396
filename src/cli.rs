//! The command line.

mod job;
mod report;

pub use job::{Request, parse};
