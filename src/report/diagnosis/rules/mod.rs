//! The rules of diagnosis: each finds one kind of incident.

pub mod clock;
pub mod contacts;
pub mod dropped;
pub mod failing;
pub mod hung;
pub mod lost;
pub mod missed;
pub mod silent;
pub mod slower;
pub mod unreachable;
