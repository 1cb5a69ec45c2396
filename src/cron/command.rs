//! The command of a line: the calls of remoteexe in it.

pub mod calls;
pub mod lexer;
mod tree;
pub mod wait;
mod wrappers;
