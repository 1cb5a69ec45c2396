//! Clocks that show another time, by the library of faketime, and the times of files.

use std::fs::File;
use std::path::Path;
use std::time::SystemTime;

/// The library, for `LD_PRELOAD`.
pub const FAKETIME: &str = "/usr/$LIB/faketime/libfaketime.so.1";

/// Lets the file look as if it had last been written to at this time.
pub fn set_modified(path: &Path, time: impl Into<SystemTime>) {
    let file = File::options().append(true).open(path).expect("the file");
    file.set_modified(time.into()).expect("a file of ours");
}
