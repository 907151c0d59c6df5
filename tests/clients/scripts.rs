//! What the tests of `scripts/` have in common: a script, the netcat that it finds, a secret.
//!
//! Promises: a script sees one netcat and the tools that every system has, and none of the tests'
//! own variables; its temporary files are in a folder of its own. Does not run it.

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::program::{find, installed};
use crate::stage::Person;

const TOOLS: [&str; 16] = [
    "awk", "cat", "cut", "date", "grep", "mkfifo", "mktemp", "rm", "sed", "sh", "sleep", "tail",
    "tee", "tr", "true", "wc",
];

/// A script that can be started, and the folders that it needs meanwhile.
pub struct Script {
    /// How it is started.
    pub command: Command,
    /// Where its temporary files are.
    pub temporary: TempDir,
    _bin: TempDir,
}

impl Script {
    /// The script of this name, with a search path that has this netcat, under this name.
    pub fn of(name: &str, netcat: &Path, called: &str, port: u16) -> Script {
        let bin = tempfile::tempdir().expect("a directory can be made");
        let temporary = tempfile::tempdir().expect("a directory can be made");
        for tool in TOOLS {
            let program = find(tool).expect("every system has it");
            symlink(program, bin.path().join(tool)).expect("a link can be made");
        }
        symlink(netcat, bin.path().join(called)).expect("a link can be made");
        let scripts = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts"));
        let mut command = Command::new(scripts.join(name));
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("CHATLINE_") {
                command.env_remove(variable);
            }
        }
        command.env("PATH", bin.path()).env("TMPDIR", temporary.path());
        command.env("CHATLINE_HOST", "127.0.0.1").env("CHATLINE_PORT", port.to_string());
        Script { command, temporary, _bin: bin }
    }
}

/// The netcats that are here, each with the name that a script looks for.
pub fn netcats() -> Vec<(PathBuf, &'static str)> {
    let known =
        [("nc.openbsd", "nc"), ("nc.traditional", "nc"), ("ncat", "ncat"), ("busybox", "busybox")];
    known.into_iter().filter_map(|(name, called)| Some((installed(name)?, called))).collect()
}

/// A port of this machine at which nobody listens.
pub fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("a listener has an address").port()
}

/// Makes a token of this name, which needs an account: the secret.
pub fn token(owner: &mut Person, name: &str) -> String {
    owner.types("/register correct-horse");
    owner.types(&format!("/token new {name}"));
    let told = owner.sees(&format!("* the token of {name} is "));
    let secret = told.split([' ', ';']).find(|word| word.starts_with("ct_"));
    secret.expect("the answer has the secret").to_owned()
}
