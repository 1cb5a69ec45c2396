//! The users of this machine in `/etc/passwd` (passwd(5)). A directory service, which may be slow, is not asked.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt, path::Path};

use crate::decimal::number;

/// The whole file; empty if it cannot be read.
pub fn read() -> Vec<u8> {
    fs::read("/etc/passwd").unwrap_or_default()
}

/// The users in the text of the file. Of two entries with one name or number, the first counts (getpwnam(3)).
pub fn entries(passwd: &[u8]) -> impl Iterator<Item = PasswdEntry<'_>> {
    passwd.split(|&byte| byte == b'\n').filter_map(PasswdEntry::parse)
}

pub struct PasswdEntry<'a> {
    pub name: &'a str,
    pub uid: u32,
    pub gid: u32,
    /// None in a line that is cut.
    pub home: Option<&'a Path>,
}

impl<'a> PasswdEntry<'a> {
    fn parse(line: &'a [u8]) -> Option<Self> {
        let mut fields = line.split(|&byte| byte == b':');
        let name = str::from_utf8(fields.next()?).ok()?;
        let uid = number(fields.nth(1)?)?;
        let gid = number(fields.next()?)?;
        let home = fields.nth(1).map(|home| Path::new(OsStr::from_bytes(home)));
        (!name.is_empty()).then_some(Self { name, uid, gid, home })
    }
}
