//! When a line is due.

pub mod dst;
pub mod slots;
#[cfg(test)]
mod vectors;
pub mod zone;
