//! The command of a line: the calls of remoteexe in it.

pub mod calls;
pub mod lexer;
pub mod lock;
pub mod scripts;
pub mod wait;
pub mod walk;
pub mod wrappers;
