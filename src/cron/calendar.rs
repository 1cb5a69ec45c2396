//! The minutes at which a line is due, in the machine's zone or another one.

pub mod dst;
pub mod slots;

#[cfg(test)]
pub mod vectors;
pub mod zone;
