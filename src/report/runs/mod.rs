//! Turns lines into runs: joins the records of one process into a run.

pub mod assembler;
pub mod first_program;
pub mod kept;
pub mod outcome;
pub mod process;
pub mod reading;
pub mod reason;
pub mod reasons;
pub mod run;
pub mod trace;
