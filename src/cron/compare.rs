//! The slots of the crontabs against the STARTs of the logs.

pub mod comparison;
mod due;
mod late;
#[cfg(test)]
mod tests;
