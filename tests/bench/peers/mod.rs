//! The servers that people would pick instead, as their Debian packages have them: how each is
//! started with its limits lifted, and how it is spoken to.
//!
//! Promises: nothing of an installed configuration is read or written. Deliberately no tuning:
//! what is not a limit, a timeout or a log stays as the server has it by itself.

pub mod irc;
pub mod nats;
pub mod redis;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::server::tied;

/// Where the program `name` is: in the search path or, as Debian has it for servers, in
/// `/usr/sbin`.
fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Where the program `name` is, which whoever starts it has asked for before.
fn installed(name: &str) -> PathBuf {
    program(name).expect("a server is started where it is installed")
}

/// Writes a configuration into `dir`, and tells its path.
fn configuration(dir: &Path, text: &str) -> PathBuf {
    let file = dir.join("bench.conf");
    fs::write(&file, text).expect("the server's folder is fresh and can be written to");
    file
}

/// `program`, which dies with this process, with nothing to read and nothing to say but errors.
fn quiet(program: impl AsRef<Path>) -> Command {
    let mut command = tied(program.as_ref());
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}
