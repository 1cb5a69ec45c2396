//! Clocks that show another time, by the library of faketime.

/// The library, for `LD_PRELOAD`.
pub const FAKETIME: &str = "/usr/$LIB/faketime/libfaketime.so.1";
