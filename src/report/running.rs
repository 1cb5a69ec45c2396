//! Which jobs are running now.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::escape;

/// The command lines of all processes that are a remoteexe now, by their process ids, which are used again.
pub fn alive() -> HashMap<u32, Vec<u8>> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let remoteexe = processes.filter_map(|process| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        let read = |name| fs::read(process.path().join(name)).ok();
        let words = (read("comm")? == b"remoteexe\n").then(|| read("cmdline"))??;
        let words = words.strip_suffix(b"\0").unwrap_or(&words);
        let words = words.split(|&byte| byte == 0).map(OsStr::from_bytes);
        Some((pid, escape::join(words)))
    });
    remoteexe.collect()
}
