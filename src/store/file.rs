//! The file that the database is in: made, locked, and looked at before SQLite does.
//!
//! Promises: only the owner can read a file that is made here; one server at a time has it
//! (flock(2)); a file that is not ours is not changed by a byte. Deliberately does not look beyond
//! the header: that SQLite does as it reads.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::open_error::{Fault, OpenError};
use super::schema;

/// How a database begins: <https://sqlite.org/fileformat.html>, section 1.3.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const HEADER_BYTES: usize = 100;
const USER_VERSION_AT: usize = 60;
const APPLICATION_AT: usize = 68;

/// A database's file, locked. It must stay open for longer than every connection to it: closing
/// any descriptor of a file drops the locks that SQLite has on it (POSIX, fcntl(2)).
#[derive(Debug)]
pub struct LockedFile {
    /// Where it is, whatever the working directory; so no part of it can mean anything to SQLite.
    pub path: PathBuf,
    identity: (u64, u64),
    _file: File,
}

impl LockedFile {
    /// Opens and locks the file, makes it if there is none, and refuses one that is not ours.
    pub fn open(path: &Path) -> Result<LockedFile, OpenError> {
        let refused = |error| OpenError::io(path, &error);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(path).map_err(refused)?;
        let metadata = file.metadata().map_err(refused)?;
        if !metadata.is_file() {
            return Err(OpenError::new(path, Fault::Foreign));
        }
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|errno| match errno {
            rustix::io::Errno::WOULDBLOCK => OpenError::new(path, Fault::Locked),
            errno => refused(errno.into()),
        })?;
        check_header(&file, metadata.len()).map_err(|fault| OpenError::new(path, fault))?;
        let real = fs::canonicalize(path).map_err(refused)?;
        let identity = (metadata.dev(), metadata.ino());
        Ok(LockedFile { path: real, identity, _file: file })
    }

    /// Whether it has been deleted, moved or replaced.
    pub fn is_gone(&self) -> bool {
        fs::metadata(&self.path).map(|now| (now.dev(), now.ino())).ok() != Some(self.identity)
    }
}

/// Refuses what is not ours, and what a later program has made of it. SQLite may change even a
/// file that it only opens, so it is kept from these.
fn check_header(file: &File, bytes: u64) -> Result<(), Fault> {
    if bytes == 0 {
        return Ok(());
    }
    let mut header = [0; HEADER_BYTES];
    if bytes < HEADER_BYTES as u64 || file.read_exact_at(&mut header, 0).is_err() {
        return Err(Fault::Foreign);
    }
    let number = |at: usize| {
        let bytes = [header[at], header[at + 1], header[at + 2], header[at + 3]];
        i64::from(i32::from_be_bytes(bytes))
    };
    if !header.starts_with(MAGIC) || number(APPLICATION_AT) != schema::APPLICATION {
        return Err(Fault::Foreign);
    }
    match number(USER_VERSION_AT) {
        schema if schema > schema::VERSION => Err(Fault::Newer { schema }),
        _ => Ok(()),
    }
}
