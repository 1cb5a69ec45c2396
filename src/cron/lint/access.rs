//! What a user may do with a file, by the modes of the file and of the directories above it.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::getxattr;

/// The access control list of a file, which may allow what the mode does not.
const ACL: &str = "system.posix_acl_access";

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalUser {
    /// The user's number.
    pub uid: u32,
    /// The numbers of the groups that the user is in.
    pub gids: Vec<u32>,
}

/// What a search for a user by name has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserLookup {
    /// The user.
    Known(LocalUser),
    /// The machine has no such user.
    Missing,
    /// A directory service may have such a user.
    Unclear,
}

/// Searches for a user by name.
pub type FindUser<'a> = &'a dyn Fn(&str) -> UserLookup;

/// A kind of access, as its bit in a mode.
#[derive(Debug, Clone, Copy)]
pub enum Access {
    /// Reading a file.
    Read = 4,
    /// Making files in a directory.
    Write = 2,
    /// Searching a directory.
    Search = 1,
}

impl LocalUser {
    /// Whether the user has this access to `path`. There is no answer where the mode is not all that counts.
    pub fn may(&self, access: Access, path: &Path) -> Option<bool> {
        let path = fs::canonicalize(path).ok()?;
        let above = path.ancestors().skip(1);
        for directory in above {
            if !self.has_bit(Access::Search, directory)? {
                return Some(false);
            }
        }
        self.has_bit(access, &path)
    }

    fn has_bit(&self, access: Access, path: &Path) -> Option<bool> {
        let data = path.metadata().ok()?;
        if self.uid == 0 || data.mode() >> self.shift(&data) & access as u32 != 0 {
            return Some(true);
        }
        let has_acl = getxattr(path, ACL, &mut [0_u8; 1024][..]).is_ok();
        (!has_acl).then_some(false)
    }

    /// How far the bits of the user's class are above those of all others.
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
