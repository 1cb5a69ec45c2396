//! Clocks that show another time, by the library of faketime.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::process::stderr;

/// The library, for `LD_PRELOAD`.
pub const FAKETIME: &str = "/usr/$LIB/faketime/libfaketime.so.1";

/// remoteexe linked dynamically. Otherwise the library of faketime cannot replace its clock.
pub fn dynamic_remoteexe() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dynamic");
        let output = Command::new(env!("CARGO"))
            .args(["install", "--locked", "--debug", "--force", "--path"])
            .arg(root)
            .arg("--root")
            .arg(&target)
            .arg("--target-dir")
            .arg(&target)
            // Replaces the flags in .cargo/config.toml.
            .env("RUSTFLAGS", "")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        target.join("bin/remoteexe")
    })
}
