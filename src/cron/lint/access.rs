//! What a user may do with a file, by the modes of the file and of the directories above it.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::getxattr;

/// The access control list of a file, which may allow what the mode does not.
const ACL: &str = "system.posix_acl_access";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalUser {
    pub uid: u32,
    pub gids: Vec<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserLookup {
    Known(LocalUser),
    /// The machine has no such user.
    Missing,
    /// A directory service may have such a user.
    Unclear,
}

pub type FindUser<'a> = &'a dyn Fn(&str) -> UserLookup;

/// A kind of access, by its bit in a mode.
#[derive(Debug, Clone, Copy)]
pub enum FileAccess {
    Read = 4,
    /// Creating files in a directory.
    Write = 2,
    /// Searching a directory.
    Search = 1,
}

impl LocalUser {
    /// Whether the user has this access to `path`. None if more than the mode decides.
    pub fn may(&self, access: FileAccess, path: &Path) -> Option<bool> {
        let path = fs::canonicalize(path).ok()?;
        let above = path.ancestors().skip(1);
        for directory in above {
            if !self.has_bit(FileAccess::Search, directory)? {
                return Some(false);
            }
        }
        self.has_bit(access, &path)
    }

    fn has_bit(&self, access: FileAccess, path: &Path) -> Option<bool> {
        let data = path.metadata().ok()?;
        if self.uid == 0 || data.mode() >> self.shift(&data) & access as u32 != 0 {
            return Some(true);
        }
        let has_acl = getxattr(path, ACL, &mut [0_u8; 1024][..]).is_ok();
        (!has_acl).then_some(false)
    }

    /// How far to shift the mode for the bits of the user's class.
    fn shift(&self, data: &Metadata) -> u32 {
        if data.uid() == self.uid {
            6
        } else if self.gids.contains(&data.gid()) {
            3
        } else {
            0
        }
    }
}
