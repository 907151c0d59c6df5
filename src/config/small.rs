//! Small files of an operator, which are read while people talk: the configuration, certificates
//! and keys.
//!
//! Promises: nothing is waited for and no more is read than a small file has, whatever stands at
//! the path by then: a pipe without a writer, a device without an end. Deliberately does not look
//! at what is in them.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Bytes of such a file at most.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// All that is in a file.
///
/// # Errors
/// What the machine says; or that it is no regular file, or is too large.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a pipe would wait for who writes to it, and a terminal must not become the server's.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, Mode, mkfifoat};

    #[test]
    fn what_is_no_small_file_is_neither_waited_for_nor_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it");
        let told = || read(&path).unwrap_err().to_string();
        std::fs::write(&path, vec![b'#'; 1 << 20]).unwrap();
        assert_eq!(read(&path).unwrap().len(), 1 << 20);
        std::fs::write(&path, vec![b'#'; (1 << 20) + 1]).unwrap();
        assert_eq!(told(), "it is larger than 1 MiB");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert_eq!(told(), "it is no regular file");
        std::fs::remove_file(&path).unwrap();
        mkfifoat(CWD, &path, Mode::RUSR).unwrap();
        assert_eq!(told(), "it is no regular file");
        assert_eq!(read(folder.path()).unwrap_err().to_string(), "it is no regular file");
    }
}
